//! What a container's init runs: the relay beside it, something that stays, and an orderly end.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::Signal;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

use super::{last_session, once, runtime, stopping};
use crate::guest::command_line::Holding;
use crate::model::exit;
use crate::protocol::RUNTIME_DIR;

/// What can't run in this image has ended by then.
const SOON: Duration = Duration::from_millis(5);

/// Runs the image's `sleep infinity`, or waits itself where the image has none, and the relay, until the engine tells the
/// container to stop.
pub fn run(holding: Holding) -> ExitCode {
    // The mount takes its mode from a directory that an earlier start has left in the image.
    let _ = fs::set_permissions(RUNTIME_DIR, fs::Permissions::from_mode(0o700));
    if holding.once {
        let _ = once::begin();
    }
    if holding.until_last_session {
        let _ = last_session::begin();
    }
    super::home::furnish();
    match runtime().and_then(|runtime| runtime.block_on(hold(holding.stop_timeout))) {
        Ok(code) => exit::with(code),
        Err(error) => {
            eprintln!("wharf: could not run `sleep`: {error}");
            exit::with(exit::NOT_RUN)
        }
    }
}

async fn hold(stop_timeout: Duration) -> io::Result<i32> {
    let mut stop = signal(SignalKind::terminate())?;
    let mut holder = start_holder()?;
    // A container whose image cannot hold it ends, and must not look as if it worked before that.
    if let Ok(ended) = timeout(SOON, holder.wait()).await {
        return ended.map(exit::code_of);
    }
    // A container without a relay still has the second way in, so how this went is not of interest.
    let mut relay = Command::from(super::own_program());
    relay.args(["relay", "--serve"]).stdin(Stdio::null()).stdout(Stdio::null());
    let _ = relay.stderr(Stdio::null()).spawn();
    tokio::select! {
        ended = holder.wait() => ended.map(exit::code_of),
        _ = stop.recv() => {
            stopping::end_programs(stop_timeout, holder.id()).await;
            Ok(exit::of_signal(Signal::TERM.as_raw()))
        }
    }
}

fn start_holder() -> io::Result<Child> {
    match super::find_program("sleep") {
        Some(sleep) if is_program(&sleep) => Command::new(sleep).arg0("sleep").arg("infinity").spawn(),
        Some(_) => Err(Errno::NOEXEC.into()),
        None => Command::from(super::own_program()).arg("pause").spawn(),
    }
}

/// What is neither a binary nor a script that names its interpreter would be given to a shell by `exec`.
fn is_program(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && (start == *b"\x7fELF" || start.starts_with(b"#!"))
}

/// Stays until a signal ends it.
pub fn pause() -> ExitCode {
    loop {
        std::thread::park();
    }
}
