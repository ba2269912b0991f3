//! The terminal that a person sits at: raw mode, its size, and reading and writing without blocking.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::PollFlags;
use rustix::fs::OFlags;
use rustix::termios::{self, OptionalActions, Termios};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::standard::refuse_unless_ready;
use crate::model::Size;

/// The size of a terminal that does not say, as a serial line's.
pub const USUAL_SIZE: Size = Size { columns: 80, rows: 24, pixel_width: 0, pixel_height: 0 };

/// The terminal in raw mode; dropping it gives the terminal back as it was.
pub struct Terminal {
    tty: AsyncFd<OwnedFd>,
    /// Never blocks; otherwise, ready or not is asked before each call.
    is_own: bool,
    before: Termios,
}

impl Terminal {
    /// Takes over the terminal on standard input.
    ///
    /// It is opened a second time where that is allowed, because `O_NONBLOCK` on the description that is shared with the
    /// shell would outlive this program.
    pub fn take() -> io::Result<Self> {
        let before = termios::tcgetattr(io::stdin())?;
        let (tty, is_own) = match OpenOptions::new().read(true).write(true).open("/proc/self/fd/0") {
            Ok(own) => (nonblocking(own)?, true),
            // As after `su`, when the terminal still belongs to who logged in.
            Err(_) => (io::stdin().as_fd().try_clone_to_owned()?, false),
        };
        #[expect(deprecated, reason = "unsound for other types; an OwnedFd is one descriptor until it is dropped")]
        let tty = AsyncFd::with_interest(tty, Interest::READABLE)?;
        let mut raw = before.clone();
        raw.make_raw();
        // Last: what fails before it leaves the terminal as it is.
        termios::tcsetattr(tty.get_ref(), OptionalActions::Now, &raw)?;
        Ok(Self { tty, is_own, before })
    }

    /// Whether a person sits at standard input and output.
    pub fn is_present() -> bool {
        termios::isatty(io::stdin()) && termios::isatty(io::stdout())
    }

    /// Of the terminal on standard input.
    pub fn size() -> Option<Size> {
        let size = termios::tcgetwinsize(io::stdin()).ok()?;
        (size.ws_col > 0 && size.ws_row > 0).then_some(Size {
            columns: size.ws_col,
            rows: size.ws_row,
            pixel_width: size.ws_xpixel,
            pixel_height: size.ws_ypixel,
        })
    }

    /// Reads what was typed. Zero bytes mean that the terminal is gone.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.tty.readable().await?;
            let read = ready.try_io(|tty| {
                self.refuse_to_block(PollFlags::IN)?;
                Ok(rustix::io::read(tty.get_ref(), &mut *buffer)?)
            });
            if let Ok(read) = read {
                return read;
            }
        }
    }

    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable().await?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.refuse_to_block(PollFlags::OUT)?;
        Ok(rustix::io::write(self.tty.get_ref(), bytes)?)
    }

    fn refuse_to_block(&self, flags: PollFlags) -> io::Result<()> {
        if self.is_own { Ok(()) } else { refuse_unless_ready(self.tty.get_ref(), flags) }
    }

    /// Waits until a terminal that is full can be written to. Only here, and not from the beginning: whatever reads what
    /// was written makes it writable anew, and would wake this program each time.
    async fn writable(&self) -> io::Result<()> {
        #[expect(deprecated, reason = "as above")]
        let tty = AsyncFd::with_interest(self.tty.get_ref().try_clone()?, Interest::WRITABLE)?;
        tty.writable().await?.retain_ready();
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

/// Waits for one key, so that a message can be read before its window closes. `ask` says so, once keys that were meant for
/// what came before are gone: one that is pressed from then on counts.
pub fn wait_for_key(ask: impl FnOnce()) -> io::Result<()> {
    let before = termios::tcgetattr(io::stdin())?;
    let mut raw = before.clone();
    raw.make_raw();
    termios::tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?;
    ask();
    let pressed = rustix::io::read(io::stdin(), &mut [0_u8; 16]);
    termios::tcsetattr(io::stdin(), OptionalActions::Now, &before)?;
    Ok(pressed.map(drop)?)
}
