//! A container's first process where the engine has none of its own for that: it reaps what nobody else does, passes signals on to
//! the program that it runs, and ends with it. (Docker's is tini; podman's, catatonit, is a package of its own that may be missing.)

use std::io;
use std::process::{Command, ExitCode};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait};
use tokio::signal::unix::{SignalKind, signal};

use super::{could_not_run, runtime};
use crate::model::exit;

/// What a container's first process is sent from outside. Without a handler, the kernel keeps these from it.
const PASSED_ON: [Signal; 6] = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

pub fn run(command: &[String]) -> ExitCode {
    match runtime().and_then(|runtime| runtime.block_on(run_to_end(command))) {
        Ok(code) => exit::with(code),
        Err(error) => could_not_run(&command[0], &error),
    }
}

async fn run_to_end(command: &[String]) -> io::Result<i32> {
    // Before there is a child that could end.
    let mut ended = signal(SignalKind::child())?;
    let (passing, mut sent) = tokio::sync::mpsc::channel(PASSED_ON.len());
    for passed in PASSED_ON {
        let mut arrives = signal(SignalKind::from_raw(passed.as_raw()))?;
        let passing = passing.clone();
        tokio::spawn(async move { while arrives.recv().await.is_some() && passing.send(passed).await.is_ok() {} });
    }
    let child = Command::new(&command[0]).args(&command[1..]).spawn()?;
    let child = Pid::from_child(&child);
    loop {
        tokio::select! {
            _ = ended.recv() => {
                if let Some(status) = reap(child) {
                    return Ok(code_of(status));
                }
            }
            Some(signal) = sent.recv() => drop(kill_process(child, signal)),
        }
    }
}

/// Takes note of every process that has ended; gives how `child` has, if it is among them.
fn reap(child: Pid) -> Option<WaitStatus> {
    let mut status = None;
    // One signal may tell of several. An error says that there is no child left.
    while let Ok(Some((pid, ended))) = wait(WaitOptions::NOHANG) {
        if pid == child {
            status = Some(ended);
        }
    }
    status
}

fn code_of(status: WaitStatus) -> i32 {
    status.exit_status().unwrap_or_else(|| 128 + status.terminating_signal().unwrap_or(0))
}
