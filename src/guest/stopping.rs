//! The end of a container: every program in it hears of it, and gets the time that a closing terminal gives.
//!
//! What has a terminal is hung up on, and all else is terminated. A session's command may have asked for another signal, which
//! then reaches it alone. What treats the hangup as something else is terminated shortly before the time is over.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid};
use tokio::net::UnixStream;
use tokio::time::sleep;

use super::processes::{self, Process};
use crate::model::stop_signal;
use crate::protocol::{NOT_ENDED, RUNTIME_DIR, STOP_SIGNAL_VARIABLE, TMUX_SOCKET, TOOLS_DIR};

/// How often to look whether all have ended.
const PULSE: Duration = Duration::from_millis(10);

fn mark() -> PathBuf {
    Path::new(RUNTIME_DIR).join("stopping")
}

/// Whether the container's end has begun. Nobody is told then that a program or a session has ended: they hear of the
/// container's end, which comes next.
pub fn has_begun() -> bool {
    mark().exists()
}

/// Tells every program to end, and waits until they have, `limit` at most. Prints what has not ended. `holder` is not a program.
pub async fn end_programs(limit: Duration, holder: Option<u32>) {
    let _ = fs::write(mark(), "");
    let begun = Instant::now();
    let others = Others::look(holder).await;
    let hung_up = others.tell();
    let mut has_insisted = false;
    loop {
        let left = others.programs();
        if left.is_empty() {
            return;
        }
        if begun.elapsed() >= limit {
            // Who waits for a child is who people know.
            let is_child = |process: &Process| left.iter().any(|other| other.pid.as_raw_nonzero().get() == process.parent);
            let known = left.iter().filter(|process| !is_child(process));
            known.for_each(|process| eprintln!("{NOT_ENDED}{}", process.command_line()));
            return;
        }
        if !has_insisted && begun.elapsed() >= limit / 6 * 5 {
            has_insisted = true;
            left.iter().filter(|process| hung_up.contains(&process.pid)).for_each(|process| process.tell(Signal::TERM));
        }
        sleep(PULSE).await;
    }
}

/// What tells a program from what only holds the container or leads into it.
struct Others {
    holder: Option<i32>,
    /// The server of the tmux that keeps the sessions, and its program, which may be the image's.
    server: Option<Pid>,
    tmux: Option<PathBuf>,
}

impl Others {
    async fn look(holder: Option<u32>) -> Self {
        let server = server().await;
        let tmux = server.and_then(|pid| processes::all().into_iter().find(|process| process.pid == pid)?.program());
        Self { holder: holder.and_then(|pid| i32::try_from(pid).ok()), server, tmux }
    }

    fn is_own(&self, process: &Process) -> bool {
        let is_program = |program: &PathBuf| program.starts_with(TOOLS_DIR) || Some(program) == self.tmux.as_ref();
        process.pid.is_init()
            || process.pid == getpid()
            || Some(process.pid.as_raw_nonzero().get()) == self.holder
            || process.program().as_ref().is_some_and(is_program)
    }

    /// The programs that run, of those that this one may tell something.
    fn programs(&self) -> Vec<Process> {
        processes::all().into_iter().filter(|process| !self.is_own(process) && process.can_be_told()).collect()
    }

    /// Tells each program once; those that were hung up on.
    fn tell(&self) -> Vec<Pid> {
        let all = processes::all();
        let parents: HashMap<i32, i32> = all.iter().map(|it| (it.pid.as_raw_nonzero().get(), it.parent)).collect();
        let asking = self.that_ask_for_a_signal(&all);
        let mut hung_up = Vec::new();
        for process in self.programs() {
            let mut line = std::iter::successors(Some(process.pid.as_raw_nonzero().get()), |pid| parents.get(pid).copied());
            if let Some(session) = line.find_map(|pid| asking.get(&pid)) {
                let told = if session.is_kept { process.parent } else { process.pid.as_raw_nonzero().get() };
                if told == session.leader {
                    process.tell(session.signal);
                }
            } else if process.has_terminal && !process.ignores(Signal::HUP) {
                process.tell(Signal::HUP);
                hung_up.push(process.pid);
            } else {
                process.tell(Signal::TERM);
            }
        }
        hung_up
    }

    /// By the first process of each session of the tmux that asks for a signal.
    fn that_ask_for_a_signal(&self, all: &[Process]) -> HashMap<i32, Asking> {
        let server = self.server.map(|pid| pid.as_raw_nonzero().get());
        let leaders = all.iter().filter(|process| Some(process.parent) == server);
        let asking = leaders.filter_map(|process| {
            let signal = stop_signal::named(&process.variable(STOP_SIGNAL_VARIABLE)?)?;
            let leader = process.pid.as_raw_nonzero().get();
            Some((leader, Asking { leader, signal, is_kept: self.is_own(process) }))
        });
        asking.collect()
    }
}

/// A session whose command asks for a signal.
struct Asking {
    leader: i32,
    signal: Signal,
    /// Whether the leader is [`super::keep`], and the command its child.
    is_kept: bool,
}

/// The process that listens at the tmux's socket.
async fn server() -> Option<Pid> {
    let credentials = UnixStream::connect(TMUX_SOCKET).await.ok()?.peer_cred().ok()?;
    credentials.pid().and_then(Pid::from_raw)
}
