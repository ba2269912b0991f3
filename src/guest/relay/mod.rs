//! The relay: the way into a container that does not lead through the engine.
//!
//! It listens on a socket in the directory that the container shares with the host, runs programs for whoever connects,
//! and ends them with the connection, so that no client is ever left behind. Without a socket, one connection is served on
//! standard input and output: the engine's exec carries it, and all else is the same.

mod claim;
mod connection;
mod ending;
mod program;
mod sessions;
mod silent;
mod socket;
mod usage;

use std::env;
use std::fs::File;
use std::future::pending;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::pin::pin;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::setsid;
use tokio::net::unix::pipe;

use super::{last_session, once, root, runtime};
use crate::guest::command_line::RelayMode;
use claim::{Relay, claim};
use connection::serve;
use ending::Clients;
use sessions::Sessions;
use silent::Silent;
use socket::Socket;

/// How long a container that is thrown away after its use waits for it.
const UNUSED: Duration = Duration::from_secs(60);
/// What a relay says to who has started it once it listens.
const READY: &str = "ready";

pub fn run(mode: RelayMode) -> ExitCode {
    go_where_programs_start();
    let outcome = match mode {
        RelayMode { root: true, .. } => root::enter().and_then(|()| block_on(serve_stdio())),
        RelayMode { serve: true, .. } => listen(),
        RelayMode { stdio: true, .. } => block_on(serve_stdio()),
        RelayMode { .. } => start(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wharf: the relay could not start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Enters the container's working directory, which is its first process's, also where nothing leads there any more. The
/// engine's exec has begun in `/`.
pub fn go_where_programs_start() {
    let _ = env::set_current_dir("/proc/1/cwd");
}

/// Starts a relay that outlives this process, and waits until it listens.
fn start() -> io::Result<()> {
    let mut relay = super::own_program();
    relay.args(["relay", "--serve"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut relay = relay.spawn()?;
    let mut said = String::new();
    if let Some(stdout) = &mut relay.stdout {
        stdout.read_to_string(&mut said)?;
    }
    if said == READY { Ok(()) } else { Err(io::Error::other(said)) }
}

fn listen() -> io::Result<()> {
    // Away from the terminal and the process group of who has started it.
    let _ = setsid();
    let runtime = runtime()?;
    let outcome = runtime.block_on(claim());
    let mut stdout = io::stdout();
    match &outcome {
        Ok(_) => write!(stdout, "{READY}"),
        Err(error) => write!(stdout, "{error}"),
    }
    // Nobody may be there to read it.
    .and_then(|()| stdout.flush())
    .ok();
    // Whoever waits for the word waits for the stream's end.
    rustix::stdio::dup2_stdout(File::open("/dev/null")?)?;
    match outcome {
        // There is no place for its socket; by the engine's exec there are clients all the same.
        Err(_) if last_session::counts() => {
            runtime.block_on(ending::until_due(&Arc::default(), &Arc::default()));
            last_session::end();
            Ok(())
        }
        Err(error) => Err(error),
        Ok(Some(relay)) => runtime.block_on(accept(relay)),
        Ok(None) => Ok(()),
    }
}

async fn accept(relay: Relay) -> io::Result<()> {
    let Relay { mut socket, mut put_back, mut terminate, _lock } = relay;
    let sessions = Arc::new(Sessions::default());
    let clients = Arc::new(Clients::default());
    let mut silent = Silent::default();
    let mut end =
        pin!(async { if last_session::counts() { ending::until_due(&sessions, &clients).await } else { pending().await } });
    if once::is_thrown_away() {
        // Whoever made the container may have died before it could be used.
        tokio::spawn(async {
            tokio::time::sleep(UNUSED).await;
            if !once::is_used() {
                once::end();
            }
        });
    }
    loop {
        tokio::select! {
            accepted = socket.listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (sessions, clients) = (Arc::clone(&sessions), Arc::clone(&clients));
                    silent.wait(stream, |stream| async move {
                        let (reader, writer) = stream.into_split();
                        serve(reader, writer, &sessions, &clients).await
                    });
                }
                // Out of descriptors: those that say nothing are soon dropped.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            // Who waits to be accepted is not turned away where nothing is wrong.
            _ = put_back.recv() => if !socket.is_in_place() && let Ok(new) = Socket::place() {
                socket = new;
            },
            _ = terminate.recv() => return socket.remove(),
            // In this order, with nothing awaited: who is not greeted any more goes by what the engine says of the container.
            () = &mut end => {
                let removed = socket.remove();
                last_session::end();
                return removed;
            }
        }
    }
}

async fn serve_stdio() -> io::Result<()> {
    last_session::note_arrival_by_exec();
    let own = |fd: std::os::fd::BorrowedFd| fd.try_clone_to_owned();
    let (input, output): (OwnedFd, OwnedFd) = (own(io::stdin().as_fd())?, own(io::stdout().as_fd())?);
    let reader = pipe::Receiver::from_owned_fd(input)?;
    let writer = pipe::Sender::from_owned_fd(output)?;
    serve(reader, writer, &Arc::new(Sessions::default()), &Arc::default()).await
}

fn block_on<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    runtime()?.block_on(work)
}
