//! The ssh agent of the terminal that attached last, within a container's reach.
//!
//! A bind mount of the agent's own socket would be dead after the next login. So the container mounts a directory, and
//! each attached client serves a socket there that leads to the agent of its own terminal; `agent.sock` is a link to one
//! of them. A session finds the same path whoever attaches.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

const LINK: &str = "agent.sock";
const PREFIX: &str = "agent-";

/// A socket that leads to this terminal's agent; gone when dropped.
pub struct AgentSocket {
    directory: PathBuf,
    name: String,
    task: tokio::task::JoinHandle<()>,
}

impl AgentSocket {
    /// Serves `agent`, the host's `SSH_AUTH_SOCK`, in `directory`.
    pub fn serve(directory: &Path, agent: PathBuf) -> io::Result<Self> {
        let name = format!("{PREFIX}{}", std::process::id());
        let path = directory.join(&name);
        remove_if_present(&path)?;
        let listener = UnixListener::bind(&path)?;
        point_link(directory, &name)?;
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, agent.clone()));
            }
        });
        Ok(Self { directory: directory.to_owned(), name, task })
    }
}

impl Drop for AgentSocket {
    fn drop(&mut self) {
        self.task.abort();
        // What is left is cleaned up by the next client that leaves; nothing here is worth an error.
        let _ = fs::remove_file(self.directory.join(&self.name));
        let _ = hand_over(&self.directory, &self.name);
    }
}

/// Creates the directory that a container mounts, for nobody but this user.
pub fn create_directory(directory: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

async fn forward(mut client: UnixStream, agent: PathBuf) -> io::Result<()> {
    let mut agent = UnixStream::connect(agent).await?;
    tokio::io::copy_bidirectional(&mut client, &mut agent).await.map(drop)
}

/// Points the link at another client's socket where it pointed at this one's; drops sockets that nobody serves.
fn hand_over(directory: &Path, leaving: &str) -> io::Result<()> {
    let points_here = fs::read_link(directory.join(LINK)).is_ok_and(|target| target == Path::new(leaving));
    let mut others = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with(PREFIX) {
            continue;
        }
        match BlockingStream::connect(directory.join(&name)) {
            Ok(_) => others.push(name),
            Err(_) => remove_if_present(&directory.join(&name))?,
        }
    }
    match others.first() {
        Some(heir) if points_here => point_link(directory, heir),
        None if points_here => remove_if_present(&directory.join(LINK)),
        _ => Ok(()),
    }
}

/// A relative link, so that it means the same on both sides of the mount; replaced in one step.
fn point_link(directory: &Path, name: &str) -> io::Result<()> {
    let new = directory.join(format!(".{LINK}-{}", std::process::id()));
    remove_if_present(&new)?;
    symlink(name, &new)?;
    fs::rename(new, directory.join(LINK))
}

fn remove_if_present(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
