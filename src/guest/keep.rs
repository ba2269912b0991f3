//! A session's command, with what it showed last kept on the screen until a person has read how it ended.
//!
//! tmux's `remain-on-exit` would do, but for what its 3.3a as of Debian does now and then: libutempter takes the signal away
//! that tells of the pane's end, and the pane neither dies nor lives.

use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Signal, getpgrp, kill_process_group};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

use super::tmux::invocation;
use super::{could_not_run, runtime};
use crate::model::exit;
use crate::protocol::EXIT_CODE;

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
/// The end of any sequence that was left half-written; all margins, the usual characters, the visible cursor, plain text
/// that overwrites; no mouse, focus or paste reports. Only the screen is left as it was.
const SANE: &str = "\x18\x1b\\\x1b7\x1b[r\x1b8\x1b(B\x1b)B\x0f\x1b[4l\x1b[?6l\x1b[?7h\x1b[?25h\x1b[0m\
    \x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1004l\x1b[?2004l";

/// Runs a command to its end, and waits for a key.
pub fn run(command: &[String]) -> ExitCode {
    let status = match runtime().and_then(|runtime| runtime.block_on(run_to_end(command))) {
        Ok(status) => status,
        Err(error) => return could_not_run(&command[0], &error),
    };
    let code = exit::code_of(status);
    note(code);
    let name = Path::new(&command[0]).file_name().unwrap_or_default().to_string_lossy().replace(char::is_control, "?");
    let how = match status.signal() {
        Some(signal) => format!("{name} was killed by signal {signal}"),
        None => format!("{name} ended with exit code {code}"),
    };
    // Nobody may be there to read it.
    let _ = write!(io::stdout(), "{SANE}\r\n\x1b[K\x1b[7m {how} · Enter closes \x1b[0m").and_then(|()| io::stdout().flush());
    let _ = wait_to_be_closed();
    exit::with(code)
}

/// The keys that mean the command reach this process too, and are not for it.
async fn run_to_end(command: &[String]) -> io::Result<ExitStatus> {
    let _interrupt = signal(SignalKind::interrupt())?;
    let _quit = signal(SignalKind::quit())?;
    let mut stop = signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?;
    let mut child = tokio::process::Command::new(&command[0]).args(&command[1..]).spawn()?;
    loop {
        tokio::select! {
            ended = child.wait() => return ended,
            // There is no shell that could continue it; tmux does the same with what it runs itself.
            _ = stop.recv() => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let _ = kill_process_group(getpgrp(), Signal::CONT);
            }
        }
    }
}

/// For `sessions`, on the pane; for the client outside, under the session's name.
fn note(code: i32) {
    let code = code.to_string();
    let by_name = format!("{EXIT_CODE}-#{{session_name}}");
    let set = ["set-option", "-p", EXIT_CODE, &code, ";", "set-option", "-s", &by_name, &code];
    let told = [";", "wait-for", "-S", "wharf-sessions"];
    let words: Vec<String> = set.iter().chain(&told).map(|&word| word.to_owned()).collect();
    if let Ok(tmux) = invocation(&words) {
        let _ = tmux.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// Not any key: people select text there, and may still be typing.
fn wait_to_be_closed() -> io::Result<()> {
    let mut modes = tcgetattr(io::stdin())?;
    modes.make_raw();
    tcsetattr(io::stdin(), OptionalActions::Flush, &modes)?;
    let mut keys = [0; 64];
    loop {
        let count = rustix::io::read(io::stdin(), &mut keys)?;
        match &keys[..count] {
            [] | [b'\r' | b'\n' | b'q' | CTRL_C | CTRL_D] => return Ok(()),
            _ => {}
        }
    }
}
