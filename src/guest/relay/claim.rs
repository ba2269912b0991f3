//! Which process is the container's relay: the one that holds the lock, as long as it answers.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::SinkExt;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::UnixStream;
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::time::sleep;
use tokio_util::codec::FramedWrite;

use super::connection;
use super::socket::{self, Socket};
use crate::guest::try_lock;
use crate::protocol::{Codec, Frame, Hello, RUNTIME_DIR};

/// How long another relay may take to prove that it lives, or to die.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);
/// How long one try may take: what is connected to may be what the relay is about to replace.
const TRY: Duration = Duration::from_millis(200);

pub struct Relay {
    pub socket: Socket,
    /// Asks for the socket to be put back where it belongs.
    pub put_back: Signals,
    pub terminate: Signals,
    /// Held for as long as this is the relay.
    pub _lock: File,
}

/// Becomes the container's relay. `None` where another one is, and answers.
pub async fn claim() -> io::Result<Option<Relay>> {
    // Before anybody can take this for the relay: the signal would end it otherwise.
    let (put_back, terminate) = (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
    let Some(lock) = take_lock().await? else {
        return Ok(None);
    };
    Ok(Some(Relay { socket: Socket::place()?, put_back, terminate, _lock: lock }))
}

/// One relay for each container. `None` where one runs that answers.
async fn take_lock() -> io::Result<Option<File>> {
    let path = Path::new(RUNTIME_DIR).join("relay.lock");
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let end = Instant::now() + PATIENCE;
    while !try_lock(&file) {
        match holder(&mut file)? {
            Some(holder) if answers(holder).await => return Ok(None),
            // Those whom it serves are better off with it than with nothing.
            Some(_) if !Socket::can_be_placed() => return Err(io::Error::other("there is no place for its socket")),
            // It hangs, and nobody can get in through it.
            Some(holder) => return replace(holder, file).await.map(Some),
            // It has only just taken the lock.
            None if Instant::now() < end => sleep(PAUSE).await,
            None => return Err(io::Error::other("nobody knows who has the relay's lock")),
        }
    }
    sign(file).map(Some)
}

async fn replace(holder: Pid, file: File) -> io::Result<File> {
    let _ = kill_process(holder, Signal::KILL);
    let end = Instant::now() + PATIENCE;
    while !try_lock(&file) {
        if Instant::now() > end {
            return Err(io::Error::other("another relay neither answers nor ends"));
        }
        sleep(PAUSE).await;
    }
    sign(file)
}

/// Says in the lock who has it.
fn sign(mut file: File) -> io::Result<File> {
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{}", std::process::id())?;
    Ok(file)
}

/// The process that has the lock. What an earlier one has left may by now be the number of any other program, which a
/// signal would end.
fn holder(file: &mut File) -> io::Result<Option<Pid>> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text.parse().ok().and_then(Pid::from_raw).filter(|pid| is_relay(*pid)))
}

fn is_relay(pid: Pid) -> bool {
    let words = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    words.split(|byte| *byte == 0).any(|word| word == b"--serve")
}

/// Whether the relay that holds the lock answers, after it was asked to put its socket back where it belongs.
async fn answers(holder: Pid) -> bool {
    let _ = kill_process(holder, Signal::HUP);
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Ok(stream) = UnixStream::connect(socket::path()).await
            && greets(stream).await
        {
            return true;
        }
        sleep(PAUSE).await;
    }
    false
}

async fn greets(stream: UnixStream) -> bool {
    let (reader, writer) = stream.into_split();
    let mut writer = FramedWrite::new(writer, Codec);
    writer.send(Frame::Hello(Hello::new(None))).await.is_ok() && connection::greets(reader, TRY).await
}
