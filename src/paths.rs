//! What a container has on the host: a directory that both share, and files that it only reads.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::geteuid;

use crate::error::{Error, Result};
use crate::model::ContainerName;

/// How long to wait for others that hold the lock.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(10);

/// The host's side of [`crate::protocol::HOST_DIR`]: one directory for each container, of this user only. Programs in the
/// container can put anything there.
pub fn shared(container: &ContainerName, state_dir: &Path) -> PathBuf {
    state_dir.join("containers").join(container.as_str())
}

/// The directory of files that are mounted into the container one by one, out of its reach: what is mounted from a directory
/// that it can write to would be what it has put there.
pub fn files(container: &ContainerName, state_dir: &Path) -> PathBuf {
    state_dir.join("files").join(container.as_str())
}

/// Beside them, a file of which masked files are the image: with nothing in it.
pub fn empty(container: &ContainerName, state_dir: &Path) -> PathBuf {
    files(container, state_dir).join("empty")
}

/// Whether a path of the host's is one of these, of the container that has `shared` from there.
pub fn is_own(path: &Path, shared: &Path) -> bool {
    let name = shared.file_name().unwrap_or_default();
    let files = shared.ancestors().nth(2).map(|state_dir| state_dir.join("files").join(name));
    path == shared || files.is_some_and(|files| path.starts_with(files))
}

pub fn put_empty(container: &ContainerName, state_dir: &Path) -> Result<()> {
    create(&files(container, state_dir))?;
    put(&empty(container, state_dir), "")
}

/// Writes a file in one step. A container that has mounted what was there keeps that.
pub fn put(file: &Path, content: &str) -> Result<()> {
    let new = file.with_extension(std::process::id().to_string());
    let written = fs::write(&new, content).and_then(|()| fs::rename(&new, file));
    written.map_err(|source| Error::io(format!("write `{}`", file.display()), source))
}

/// Creates a directory for nobody but this user.
pub fn create(directory: &Path) -> Result<()> {
    let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    created.map_err(|source| Error::io(format!("create `{}`", directory.display()), source))
}

/// Creates a directory and gives it to the container's user (`uid:gid`), where that is another. Only root can; elsewhere the
/// container has no relay.
pub fn create_for(directory: &Path, user: &str) -> Result<()> {
    create(directory)?;
    if geteuid().is_root() && !is_shared_with(directory, user) {
        let given = chown(directory, uid(user), None);
        given.map_err(|source| Error::io(format!("give `{}` to user {user}", directory.display()), source))?;
    }
    Ok(())
}

/// Whether programs of a container that run as `user` (`uid:gid`) can put a socket there.
pub fn is_shared_with(directory: &Path, user: &str) -> bool {
    let uid = uid(user);
    uid == Some(0) || fs::metadata(directory).is_ok_and(|metadata| uid == Some(metadata.uid()))
}

fn uid(user: &str) -> Option<u32> {
    user.split(':').next()?.parse().ok()
}

/// Held while several steps are taken that belong together; gone with the process.
#[derive(Debug)]
#[must_use]
pub struct Lock(#[expect(dead_code, reason = "held, and never read")] fs::File);

/// Waits for whoever replaces or removes a container of this user just now. It is the directory of all containers that is
/// locked: no container can reach it, and nothing is left of the lock.
pub async fn lock(state_dir: &Path) -> Result<Lock> {
    lock_directory(state_dir.join("containers")).await
}

/// Waits for whoever puts a container into a network, or removes networks that no container is in.
pub async fn lock_networks(state_dir: &Path) -> Result<Lock> {
    lock_directory(state_dir.join("networks")).await
}

/// Waits for whoever adds a worktree to a repository.
pub async fn lock_worktrees(state_dir: &Path) -> Result<Lock> {
    lock_directory(state_dir.join("worktrees")).await
}

/// Waits for whoever writes down the keys of hosts.
pub async fn lock_ssh(state_dir: &Path) -> Result<Lock> {
    lock_directory(state_dir.join("ssh")).await
}

async fn lock_directory(directory: PathBuf) -> Result<Lock> {
    create(&directory)?;
    let failed = |source| Error::io(format!("lock `{}`", directory.display()), source);
    let file = fs::File::open(&directory).map_err(failed)?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(fs::TryLockError::WouldBlock) if started.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(failed(error.into())),
        }
    }
}

/// Removes what is left of a container that is gone. Only sockets and what can be made anew are there.
pub fn remove(container: &ContainerName, state_dir: &Path) -> Result<()> {
    for directory in [shared(container, state_dir), files(container, state_dir)] {
        match fs::remove_dir_all(&directory) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(format!("remove `{}`", directory.display()), source));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The containers of which something is there.
pub fn names(state_dir: &Path) -> Vec<ContainerName> {
    let entries = ["containers", "files"].iter().filter_map(|kind| fs::read_dir(state_dir.join(kind)).ok());
    let entries = entries.flatten().flatten();
    let mut names: Vec<ContainerName> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    names.sort();
    names.dedup();
    names
}
