//! What a container's init runs: the relay beside it, and something that stays.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Command, ExitCode};

use rustix::io::Errno;

use super::{last_session, once};
use crate::guest::command_line::Holding;
use crate::model::exit;
use crate::protocol::RUNTIME_DIR;

/// Starts the relay, and becomes the image's `sleep infinity`, or waits itself where the image has none.
pub fn run(holding: Holding) -> ExitCode {
    // The mount takes its mode from a directory that an earlier start has left in the image.
    let _ = fs::set_permissions(RUNTIME_DIR, fs::Permissions::from_mode(0o700));
    if holding.once {
        let _ = once::begin();
    }
    if holding.until_last_session {
        let _ = last_session::begin();
    }
    // Its first process ends at once; the relay is then the init's child, which is what reaps it. A container without a
    // relay still has the second way in, so how this went is not of interest.
    let _ = super::own_program().args(["relay", "--beside", &process::id().to_string()]).status();
    let error = match super::find_program("sleep") {
        Some(sleep) if is_program(&sleep) => Command::new(sleep).arg0("sleep").arg("infinity").exec(),
        Some(_) => io::Error::from(Errno::NOEXEC),
        None => {
            let error = super::own_program().arg("pause").exec();
            eprintln!("wharf: could not wait: {error}");
            return exit::with(exit::NOT_RUN);
        }
    };
    eprintln!("wharf: could not run `sleep`: {error}");
    exit::with(exit::NOT_RUN)
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
