//! Programs that end, by themselves or by force.

use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Far longer than any one program of a test takes.
const LIMIT: Duration = Duration::from_secs(180);

/// What a program printed, and how it ended.
///
/// One that hangs is killed, so that it fails its own test and holds up no other: a client, say, of an engine that never
/// answers for a container which it paused while a program was starting there (moby/moby#27272).
pub fn output_of(child: Child) -> Output {
    output_within(LIMIT, child)
}

pub fn output_within(limit: Duration, child: Child) -> Output {
    let process = Pid::from_child(&child);
    let (ended, end) = mpsc::channel::<()>();
    thread::spawn(move || {
        if end.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            let _ = kill_process(process, Signal::KILL);
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(ended);
    output
}

/// Runs a program with nothing on its standard input; as with [`output_of`], one that hangs is killed.
pub fn run(command: &mut Command) -> Output {
    output_of(spawn(command))
}

pub fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs a program that is to succeed; gives what it printed.
#[track_caller]
pub fn printed_by(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
