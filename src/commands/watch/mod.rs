//! `wharf watch`: how containers stand, written into the options of their windows, so that a status line need not ask.
//!
//! One for each tmux server, started by whichever command of wharf's finds none, and gone with the server. It is told of
//! everything: by tmux which windows are a project's, by the engine what happens to containers, by relays what rings. It
//! asks only after a connection was lost, and whether an engine that says nothing for long is still there. It also stops
//! containers that nobody has used for as long as is configured.

mod claim;
mod engine;
mod idle;
mod listen;
mod notify;
mod state;

use std::cell::Cell;
use std::env;
use std::io;
use std::pin::pin;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::process::setsid;
use tokio::sync::mpsc;

use super::block_on;
use crate::cli::Watch;
use crate::connection::signals::Signals;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::tmux::TmuxServer;
use claim::Place;
pub use claim::Watcher;
pub use engine::{Happened, follow};
use idle::Idle;
pub use listen::{Listener, follow_sessions};
use state::State;

/// How soon a server that has not done what it was told is told again.
const PAUSE: Duration = Duration::from_secs(1);

pub fn run(args: Watch, context: &Context) -> Result<ExitCode> {
    if args.serve {
        return block_on(serve(args, context));
    }
    context.tmux("watch")?;
    spawn(args.replace, true).map_err(|source| Error::io("start a watcher", source))?;
    Ok(ExitCode::SUCCESS)
}

/// Starts a watcher of the server at hand unless one runs; with `replace`, in place of one that another wharf has started.
/// Where it cannot be started, a status line says less, and nothing else is wrong.
pub fn ensure(replace: bool, context: &Context) {
    match watcher(context) {
        None | Some(Watcher::Same) => {}
        Some(Watcher::Another) if !replace => {}
        // By a process between, so that nobody who lives on has it for a child.
        Some(_) => drop(spawn(replace, false)),
    }
}

/// Who watches the server at hand, if there is one.
pub fn watcher(context: &Context) -> Option<Watcher> {
    let tmux = context.tmux.as_ref()?;
    Some(Place::of(tmux.socket(), tmux.process()?, &context.state_dir).watcher())
}

/// Runs `wharf watch` and waits for it, or the watcher itself, which is left alone.
fn spawn(replace: bool, serve: bool) -> io::Result<()> {
    let mut wharf = Command::new(env::current_exe()?);
    wharf.arg("watch").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if replace {
        wharf.arg("--replace");
    }
    if serve { wharf.arg("--serve").spawn().map(drop) } else { wharf.status().map(drop) }
}

async fn serve(args: Watch, context: &Context) -> Result<ExitCode> {
    // Away from the terminal and the directory of who has started it.
    let _ = setsid();
    let _ = env::set_current_dir("/");
    let mut signals = Signals::listen().map_err(|source| Error::io("listen for signals", source))?;
    let tmux = context.tmux("watch")?;
    let process = tmux.server_process()?;
    let Some(_claim) = Place::of(tmux.socket(), process, &context.state_dir).claim(args.replace)? else {
        return Ok(ExitCode::SUCCESS);
    };
    tokio::select! {
        () = watch(tmux, process, context) => {}
        _ = signals.recv() => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Watches until the server ends.
async fn watch(tmux: &TmuxServer, process: u32, context: &Context) {
    let (happened, mut from_engine) = mpsc::unbounded_channel();
    let has_windows = Cell::new(false);
    let mut engine = pin!(follow(context, &has_windows, happened));
    let (heard, mut from_relays) = mpsc::unbounded_channel();
    let mut state = State::new(context, heard);
    let mut idle = Idle::new(context);
    let mut windows = tmux.watch_windows(process);
    loop {
        if state.write(tmux).await.is_err() {
            // Nobody knows what was done: what they show is read again.
            tokio::time::sleep(PAUSE).await;
            windows = tmux.watch_windows(process);
        }
        tokio::select! {
            listed = windows.next() => match listed {
                Ok(listed) => {
                    has_windows.set(!listed.windows.is_empty());
                    idle.has_windows(listed.windows.values().map(|watched| watched.container.clone()).collect());
                    state.has_windows(listed);
                }
                Err(_) => return,
            },
            Some(happened) = from_engine.recv() => {
                idle.happened(&happened);
                state.happened(&happened);
            }
            Some(heard) = from_relays.recv() => state.heard(heard),
            looked = state.next_look() => state.looked(looked),
            done = idle.next() => idle.done(done),
            never = &mut engine => match never {},
        }
    }
}
