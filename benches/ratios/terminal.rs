//! Clients on a terminal of their own, and the engine's stream in their place.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::Result;

/// What an attached tmux sends before anything else: the terminal's alternate screen.
const FIRST: &[u8] = b"\x1b[?1049h";
/// Detaches the client, by the configuration of the tmux in the container.
const DETACH: &[u8] = b"\x1b[9999~";
/// Longer than anything that is waited for takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long nothing comes from a session that is at rest.
const REST: Duration = Duration::from_millis(100);
const SIZE: Winsize = Winsize { ws_col: 80, ws_row: 24, ws_xpixel: 0, ws_ypixel: 0 };

/// A session as somebody sees it: the other end of a client's terminal, or the bare stream.
pub struct Attached {
    stream: File,
    ahead: Vec<u8>,
    client: Option<Child>,
    /// When the client was started, or the stream asked for.
    pub started: Instant,
}

impl Attached {
    /// Runs a client on a new terminal.
    pub fn spawn(mut command: Command) -> Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags)?;
        unlockpt(&ours)?;
        let theirs = ioctl_tiocgptpeer(&ours, flags)?;
        tcsetwinsize(&theirs, SIZE)?;
        command.stdin(theirs.try_clone()?).stdout(theirs.try_clone()?).stderr(theirs);
        let started = Instant::now();
        let client = command.spawn()?;
        Ok(Self { stream: ours.into(), ahead: Vec::new(), client: Some(client), started })
    }

    /// The bare stream that was asked for at `started`, and of which some was read already.
    pub fn over(stream: UnixStream, ahead: Vec<u8>, started: Instant) -> Self {
        Self { stream: OwnedFd::from(stream).into(), ahead, client: None, started }
    }

    /// The client's process.
    pub fn client(&self) -> Result<u32> {
        Ok(self.client.as_ref().map(Child::id).ok_or("the bare stream has no client")?)
    }

    /// Waits for the session's first byte; how long that took from `started` on. What a client says before is its own.
    pub fn first_byte(&mut self) -> Result<Duration> {
        let mut seen = std::mem::take(&mut self.ahead);
        loop {
            if seen.windows(FIRST.len()).any(|window| window == FIRST) {
                return Ok(self.started.elapsed());
            }
            match self.read()? {
                more if more.is_empty() => break,
                more => seen.extend(more),
            }
        }
        Err(format!("in place of a session came `{}`", String::from_utf8_lossy(&seen).trim()).into())
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Reads what comes until `text` is part of it; how many bytes that were.
    pub fn read_until(&mut self, text: &str) -> Result<usize> {
        let mut count = 0;
        let mut tail = Vec::new();
        loop {
            let more = self.read()?;
            if more.is_empty() {
                return Err(format!("the session ended before `{text}`").into());
            }
            count += more.len();
            tail.extend(more);
            if tail.windows(text.len()).any(|window| window == text.as_bytes()) {
                return Ok(count);
            }
            tail.drain(..tail.len().saturating_sub(text.len()));
        }
    }

    /// The same; when that was.
    pub fn read_until_at(&mut self, text: &str) -> Result<Instant> {
        self.read_until(text).map(|_| Instant::now())
    }

    /// Waits for whatever comes next.
    pub fn any(&mut self) -> Result<()> {
        if self.read()?.is_empty() { Err("the program ended".into()) } else { Ok(()) }
    }

    /// Waits until the session is at rest.
    pub fn settle(&mut self) -> Result<()> {
        while self.is_ready(REST)? {
            self.read()?;
        }
        Ok(())
    }

    /// Leaves the session as a client has to, so that nothing of it is left in the container.
    pub fn detach(mut self) -> Result<()> {
        // tmux 3.3a can lose a key that comes within 2 ms of the first byte.
        self.settle()?;
        self.send(DETACH)?;
        let last = self.read_to_end()?;
        if let Some(mut client) = self.client.take() {
            let status = client.wait()?;
            if !status.success() {
                return Err(format!("the client failed ({status}): {}", String::from_utf8_lossy(&last).trim()).into());
            }
        }
        Ok(())
    }

    fn read_to_end(&mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            match self.read()? {
                more if more.is_empty() => return Ok(all),
                more => all.extend(more),
            }
        }
    }

    /// Nothing at the end.
    fn read(&mut self) -> Result<Vec<u8>> {
        let mut buffer = [0; 16 * 1024];
        if !self.is_ready(PATIENCE)? {
            return Err(format!("nothing came within {} s", PATIENCE.as_secs()).into());
        }
        match self.stream.read(&mut buffer) {
            Ok(count) => Ok(buffer[..count].to_owned()),
            // A terminal that no program holds any more.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::IO) => Ok(Vec::new()),
            Err(error) => Err(io::Error::into(error)),
        }
    }

    fn is_ready(&self, within: Duration) -> Result<bool> {
        Ok(poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], Some(&within.try_into()?))? > 0)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        if let Some(client) = &mut self.client {
            let _ = client.kill();
            let _ = client.wait();
        }
    }
}
