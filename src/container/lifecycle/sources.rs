//! Whether what a container mounts from the host is still what it was made with, and what is masked still there.
//!
//! The engine follows links anew at each start, and a program in a container can put one in the place of whatever it can
//! write to. What is mounted by its canonical path leads nowhere else until somebody does that.

use std::io;
use std::path::{Path, PathBuf};

use crate::deadline::{DISK, on_thread_within};
use crate::engine::{Container, Mounted, label};
use crate::error::{Error, Result};
use crate::paths;
use crate::project::Project;

/// Refuses to start a container that would get something else of the host's than it was made with, or more of the project.
pub async fn check(project: &Project, container: &Container, mounts: Vec<Mounted>) -> Result<()> {
    let binds = mounts.into_iter().filter(|mount| mount.kind == "bind").map(|mount| PathBuf::from(mount.source));
    // No container can reach where those are, which people may well have behind a link.
    let is_own = |path: &Path| container.host_dir.as_ref().is_some_and(|shared| paths::is_own(path, shared));
    let paths: Vec<PathBuf> = binds.filter(|path| !is_own(path)).collect();
    let masked = masked(project, container);
    let name = container.name.clone();
    let wrong = move || match paths.into_iter().find_map(moved) {
        Some((path, to)) => Some(Error::MountMoved { container: name, path, to }),
        None => masked.into_iter().find(|path| has_moved(path)).map(|path| Error::MaskMoved { container: name, path }),
    };
    let action = format!("look at what container `{}` mounts", container.name);
    let silent = || Error::io(action, io::Error::other("its disk does not answer"));
    on_thread_within(DISK, wrong).await.ok_or_else(silent)?.map_or(Ok(()), Err)
}

/// What the container was made not to see. In its place the engine would put something empty, wherever it is now.
fn masked(project: &Project, container: &Container) -> Vec<PathBuf> {
    let label = container.labels.get(label::MASKED);
    let paths: Vec<String> = label.and_then(|label| serde_json::from_str(label).ok()).unwrap_or_default();
    paths.iter().map(|path| project.path().join(path)).collect()
}

/// Whether it may be elsewhere now. From inside nobody can move what is masked itself, only the directories above it; that it
/// is gone while they are there is somebody's doing who may.
fn has_moved(path: &Path) -> bool {
    let parent = path.parent().unwrap_or(path);
    parent.canonicalize().ok().as_deref() != Some(parent)
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
