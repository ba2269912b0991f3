//! The socket that the host's side knocks at.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::protocol::{HOST_DIR, SOCKET};

pub struct Socket {
    pub listener: UnixListener,
    /// The device and the inode.
    identity: (u64, u64),
}

pub fn path() -> PathBuf {
    Path::new(HOST_DIR).join(SOCKET)
}

impl Socket {
    /// Listens on a new socket, and puts that in place of whatever is there.
    pub fn place() -> io::Result<Self> {
        let new = path().with_extension(std::process::id().to_string());
        let _ = fs::remove_file(&new);
        let listener = UnixListener::bind(&new)?;
        let placed = fs::set_permissions(&new, fs::Permissions::from_mode(0o600))
            .and_then(|()| identity(&new))
            .and_then(|identity| put(&new).map(|()| identity));
        if placed.is_err() {
            let _ = fs::remove_file(&new);
        }
        placed.map(|identity| Self { listener, identity })
    }

    /// Whether [`Self::place`] would work, which it does not where the disk is full.
    pub fn can_be_placed() -> bool {
        let trial = path().with_extension("trial");
        let _ = fs::remove_file(&trial);
        let is_possible = UnixListener::bind(&trial).is_ok();
        let _ = fs::remove_file(&trial);
        is_possible
    }

    pub fn is_in_place(&self) -> bool {
        identity(&path()).is_ok_and(|identity| identity == self.identity)
    }

    /// What another program has put in its place is left alone.
    pub fn remove(self) -> io::Result<()> {
        if self.is_in_place() { fs::remove_file(path()) } else { Ok(()) }
    }
}

/// Only a directory cannot be replaced; it is moved aside, since it may be somebody's.
fn put(new: &Path) -> io::Result<()> {
    let put = fs::rename(new, path());
    match put {
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
            fs::rename(path(), path().with_extension(format!("{}.aside", std::process::id())))?;
            fs::rename(new, path())
        }
        put => put,
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}
