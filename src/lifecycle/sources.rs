//! Whether what a container mounts from the host is still what it was made with.
//!
//! The engine follows links anew at each start, and a program in a container can put one in the place of whatever it can
//! write to. What is mounted by its canonical path leads nowhere else until somebody does that.

use std::io;
use std::path::{Path, PathBuf};

use crate::aside::{DISK, aside_within};
use crate::engine::{Container, Mounted};
use crate::error::{Error, Result};
use crate::places;

/// Refuses to start a container that would get something else of the host's than it was made with.
pub async fn check(container: &Container, mounts: Vec<Mounted>) -> Result<()> {
    let binds = mounts.into_iter().filter(|mount| mount.kind == "bind").map(|mount| PathBuf::from(mount.source));
    // No container can reach where those are, which people may well have behind a link.
    let is_own = |path: &Path| container.host_dir.as_ref().is_some_and(|shared| places::is_own(path, shared));
    let paths: Vec<PathBuf> = binds.filter(|path| !is_own(path)).collect();
    match aside_within(DISK, move || paths.into_iter().find_map(moved)).await {
        Some(None) => Ok(()),
        Some(Some((path, to))) => Err(Error::MountMoved { container: container.name.clone(), path, to }),
        None => {
            let action = format!("look at what container `{}` mounts", container.name);
            Err(Error::io(action, io::Error::other("its disk does not answer")))
        }
    }
}

/// A path that is not its own canonical one, and that one, where it can be looked at.
fn moved(path: PathBuf) -> Option<(PathBuf, Option<PathBuf>)> {
    match path.canonicalize() {
        Ok(canonical) if canonical == path => None,
        Ok(canonical) => Some((path, Some(canonical))),
        // The engine says so itself.
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some((path, None)),
    }
}
