//! Standard streams, read and written without holding up anything else.
//!
//! Whatever they are is shared with other programs, so that none is made non-blocking: whether one is ready is asked before
//! each call.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, fstat};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// How much a pipe or a socket takes without blocking when it says that it is ready: `PIPE_BUF`, and less than the part of
/// a socket's buffer that has to be free.
const PIECE: usize = 4096;

/// A stream as it is: a terminal, a pipe, a socket, or a file, which is always ready.
enum Standard {
    Waits(AsyncFd<OwnedFd>),
    IsReady(OwnedFd),
}

pub struct StandardInput(Standard);

pub struct StandardOutput {
    stream: Standard,
    /// How much to write at once.
    piece: usize,
}

impl StandardInput {
    pub fn take() -> io::Result<Self> {
        Standard::over(io::stdin().as_fd().try_clone_to_owned()?, Interest::READABLE).map(Self)
    }

    /// Reads what there is; zero bytes at the end.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.0 {
            Standard::IsReady(fd) => Ok(rustix::io::read(fd, buffer)?),
            Standard::Waits(fd) => loop {
                let mut ready = fd.readable().await?;
                let read = ready.try_io(|fd| {
                    refuse_unless_ready(fd.get_ref(), PollFlags::IN)?;
                    Ok(rustix::io::read(fd.get_ref(), &mut *buffer)?)
                });
                if let Ok(read) = read {
                    return read;
                }
            },
        }
    }
}

impl StandardOutput {
    pub fn stdout() -> io::Result<Self> {
        Self::take(io::stdout(), "/proc/self/fd/1")
    }

    pub fn stderr() -> io::Result<Self> {
        Self::take(io::stderr(), "/proc/self/fd/2")
    }

    /// Pipes and terminals are opened a second time where that is allowed: what is not shared can be non-blocking.
    fn take(stream: impl AsFd, path: &str) -> io::Result<Self> {
        let own = match FileType::from_raw_mode(fstat(&stream)?.st_mode) {
            FileType::Fifo | FileType::CharacterDevice => {
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
                rustix::fs::open(path, flags, Mode::empty()).ok()
            }
            _ => None,
        };
        let (fd, piece) = match own {
            Some(own) => (own, usize::MAX),
            None => (stream.as_fd().try_clone_to_owned()?, PIECE),
        };
        Ok(match Standard::over(fd, Interest::WRITABLE)? {
            stream @ Standard::Waits(_) => Self { stream, piece },
            stream @ Standard::IsReady(_) => Self { stream, piece: usize::MAX },
        })
    }

    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.write(&bytes[..bytes.len().min(self.piece)]).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.stream {
            Standard::IsReady(fd) => Ok(rustix::io::write(fd, bytes)?),
            Standard::Waits(fd) => loop {
                let mut ready = fd.writable().await?;
                let written = ready.try_io(|fd| {
                    refuse_unless_ready(fd.get_ref(), PollFlags::OUT)?;
                    Ok(rustix::io::write(fd.get_ref(), bytes)?)
                });
                if let Ok(written) = written {
                    return written;
                }
            },
        }
    }
}

impl Standard {
    fn over(own: OwnedFd, interest: Interest) -> io::Result<Self> {
        let spare = own.try_clone()?;
        #[expect(deprecated, reason = "unsound for other types; an OwnedFd is one descriptor until it is dropped")]
        match AsyncFd::with_interest(own, interest) {
            Ok(waits) => Ok(Self::Waits(waits)),
            Err(error) if Errno::from_io_error(&error) == Some(Errno::PERM) => Ok(Self::IsReady(spare)),
            Err(error) => Err(error),
        }
    }
}

/// The runtime hears once of a stream that has become ready, and has to be told when it is not any more.
pub(super) fn refuse_unless_ready(fd: &OwnedFd, flags: PollFlags) -> io::Result<()> {
    match poll(&mut [PollFd::new(fd, flags)], Some(&Timespec::default()))? {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        _ => Ok(()),
    }
}
