//! The directory that a container shares with the host, reached without trusting what is in it.
//!
//! Programs in the container can put anything there, a link to another socket of the host's among it. So the directory is
//! held by a descriptor, and nothing in it is reached by a link. It also makes the length of its path, of which a socket's
//! address takes 107 bytes, of no account.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, open, openat, readlinkat, renameat, symlinkat, unlinkat};
use rustix::io::Errno;
use tokio::net::{UnixListener, UnixStream};

pub struct SharedDirectory(OwnedFd);

impl SharedDirectory {
    /// The path's last name must not be a link either.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(open(path, flags, Mode::empty())?))
    }

    /// Connects to a socket in it. Never waits for whoever listens there: where too many wait already, that is an error of
    /// the kind [`io::ErrorKind::WouldBlock`].
    pub async fn connect(&self, name: &str) -> io::Result<UnixStream> {
        let socket = openat(&self.0, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
        if FileType::from_raw_mode(fstat(&socket)?.st_mode) != FileType::Socket {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "what is there is not a socket"));
        }
        UnixStream::connect(through(&socket)).await
    }

    /// Listens on a new socket in it.
    pub fn bind(&self, name: &str) -> io::Result<UnixListener> {
        UnixListener::bind(format!("{}/{name}", through(&self.0)))
    }

    /// What is there is removed, unless it is a directory.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.0, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            removed => Ok(removed?),
        }
    }

    /// A file with this content, readable by whoever can reach it; replaced in one step where there is another.
    pub fn put(&self, name: &str, content: &[u8]) -> io::Result<()> {
        // ext4 writes what is renamed over something to the disk at once, which takes 10 ms.
        if self.holds(name, content).unwrap_or(false) {
            return Ok(());
        }
        let new = format!(".{name}-{}", std::process::id());
        self.remove(&new)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.0, &new, flags, Mode::from_raw_mode(0o644))?;
        let replaced = File::from(file).write_all(content).and_then(|()| Ok(renameat(&self.0, &new, &self.0, name)?));
        replaced.inspect_err(|_| drop(self.remove(&new)))
    }

    fn holds(&self, name: &str, content: &[u8]) -> io::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.0, name, flags, Mode::empty())?;
        let found = fstat(&file)?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile || usize::try_from(found.st_size) != Ok(content.len())
        {
            return Ok(false);
        }
        let mut held = vec![0; content.len()];
        File::from(file).read_exact(&mut held)?;
        Ok(held == content)
    }

    /// A relative link, so that it means the same on both sides of the mount; replaced in one step.
    pub fn point(&self, link: &str, target: &str) -> io::Result<()> {
        let new = format!(".{link}-{}", std::process::id());
        self.remove(&new)?;
        symlinkat(target, &self.0, &new)?;
        renameat(&self.0, &new, &self.0, link).map_err(|error| {
            let _ = self.remove(&new);
            error.into()
        })
    }

    pub fn points(&self, link: &str, target: &str) -> bool {
        readlinkat(&self.0, link, Vec::new()).is_ok_and(|found| found.as_bytes() == target.as_bytes())
    }

    /// The names in it, `most` of them: programs in the container can make any number.
    pub fn names(&self, most: usize) -> io::Result<Vec<String>> {
        // What was opened only as a path cannot be read.
        let directory = openat(&self.0, ".", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let entries = Dir::new(directory)?.take(most).flatten();
        Ok(entries.filter_map(|entry| Some(entry.file_name().to_str().ok()?.to_owned())).collect())
    }
}

/// A path to what is open.
fn through(fd: &OwnedFd) -> impl Display + AsRef<Path> {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
