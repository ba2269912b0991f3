//! The ssh agent of the terminal that attached last, within a container's reach.
//!
//! A bind mount of the agent's own socket would be dead after the next login. So the container mounts a directory, and
//! each attached client serves a socket there that leads to the agent of its own terminal; `agent.sock` is a link to one
//! of them. A session finds the same path whoever attaches.

use std::io;
use std::path::{Path, PathBuf};

use futures_util::FutureExt;
use tokio::net::UnixStream;

use crate::connection::shared_directory::SharedDirectory;

const LINK: &str = "agent.sock";
const PREFIX: &str = "agent-";
/// How many names to look at for another client's socket.
const MOST_NAMES: usize = 1024;

/// A socket that leads to this terminal's agent; gone when dropped.
pub struct AgentSocket {
    directory: SharedDirectory,
    name: String,
    task: tokio::task::JoinHandle<()>,
}

impl AgentSocket {
    /// Serves `agent`, the host's `SSH_AUTH_SOCK`, in `directory`.
    pub fn serve(directory: &Path, agent: PathBuf) -> io::Result<Self> {
        let directory = SharedDirectory::open(directory)?;
        let name = format!("{PREFIX}{}", std::process::id());
        directory.remove(&name)?;
        let listener = directory.bind(&name)?;
        if let Err(error) = directory.point(LINK, &name) {
            let _ = directory.remove(&name);
            return Err(error);
        }
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, agent.clone()));
            }
        });
        Ok(Self { directory, name, task })
    }

    /// Points the link at another client's socket where it pointed at this one's; drops sockets that nobody serves.
    fn hand_over(&self) -> io::Result<()> {
        let mut heir = None;
        for name in self.directory.names(MOST_NAMES)?.into_iter().filter(|name| name.starts_with(PREFIX)) {
            // Only tried: whoever serves it need not accept it at once.
            match self.directory.connect(&name).now_or_never() {
                Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => self.directory.remove(&name)?,
                Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => {}
                _ => heir = heir.or(Some(name)),
            }
        }
        match heir {
            _ if !self.directory.points(LINK, &self.name) => Ok(()),
            Some(heir) => self.directory.point(LINK, &heir),
            None => self.directory.remove(LINK),
        }
    }
}

impl Drop for AgentSocket {
    fn drop(&mut self) {
        self.task.abort();
        // What is left is cleaned up by the next client that leaves; nothing here is worth an error.
        let _ = self.directory.remove(&self.name);
        let _ = self.hand_over();
    }
}

async fn forward(mut client: UnixStream, agent: PathBuf) -> io::Result<()> {
    let mut agent = UnixStream::connect(agent).await?;
    tokio::io::copy_bidirectional(&mut client, &mut agent).await.map(drop)
}
