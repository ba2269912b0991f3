//! The terminal that a person sits at: raw mode, its size, and reading and writing without blocking.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::termios::{self, OptionalActions, Termios};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Size;

/// The size of a terminal that does not say, as a serial line's.
pub const USUAL_SIZE: Size = Size { columns: 80, rows: 24 };

/// The terminal in raw mode; dropping it gives the terminal back as it was.
pub struct Terminal {
    tty: AsyncFd<OwnedFd>,
    before: Termios,
}

impl Terminal {
    /// Takes over the terminal on standard input.
    ///
    /// It is opened a second time where that is allowed, because `O_NONBLOCK` on the description that is shared with the
    /// shell would outlive this program.
    pub fn take() -> io::Result<Self> {
        let before = termios::tcgetattr(io::stdin())?;
        let tty = match OpenOptions::new().read(true).write(true).open("/proc/self/fd/0") {
            Ok(own) => nonblocking(own)?,
            // As after `su`, when the terminal still belongs to who logged in: ready or not is asked before each call.
            Err(_) => io::stdin().as_fd().try_clone_to_owned()?,
        };
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(&tty, OptionalActions::Now, &raw)?;
        #[expect(deprecated, reason = "unsound for other types; an OwnedFd is one descriptor until it is dropped")]
        let tty = AsyncFd::with_interest(tty, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { tty, before })
    }

    /// Whether a person sits at standard input and output.
    pub fn is_present() -> bool {
        termios::isatty(io::stdin()) && termios::isatty(io::stdout())
    }

    pub fn size(&self) -> Option<Size> {
        let size = termios::tcgetwinsize(self.tty.get_ref()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some(Size { columns: size.ws_col, rows: size.ws_row })
    }

    /// Reads what was typed. Zero bytes mean that the terminal is gone.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.tty.readable().await?;
            if let Ok(read) = ready.try_io(|tty| Ok(rustix::io::read(tty.get_ref(), &mut *buffer)?)) {
                return read;
            }
        }
    }

    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.tty.writable().await?;
            if let Ok(written) = ready.try_io(|tty| Ok(rustix::io::write(tty.get_ref(), bytes)?)) {
                bytes = &bytes[written?..];
            }
        }
        Ok(())
    }

    /// Undoes what a full-screen program set and could not take back itself.
    pub async fn reset_screen(&self) {
        // Out of the alternate screen; cursor, keypad and colours as usual; no mouse, focus or paste reports.
        const RESET: &[u8] = b"\x1b[?1049l\x1b[?25h\x1b[?1l\x1b>\x1b[0m\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\
            \x1b[?1004l\x1b[?2004l\x1b[>4m\x1b[0 q";
        // The terminal may be what went away.
        let _ = self.write_all(RESET).await;
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(self.tty.get_ref(), OptionalActions::Now, &self.before);
    }
}

fn nonblocking(file: File) -> io::Result<OwnedFd> {
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(&file, flags | OFlags::NONBLOCK)?;
    Ok(file.into())
}

/// Waits for one key, so that a message can be read before its window closes.
pub fn wait_for_key() -> io::Result<()> {
    let before = termios::tcgetattr(io::stdin())?;
    let mut raw = before.clone();
    raw.make_raw();
    termios::tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?;
    let pressed = rustix::io::read(io::stdin(), &mut [0_u8; 16]);
    termios::tcsetattr(io::stdin(), OptionalActions::Now, &before)?;
    Ok(pressed.map(drop)?)
}
