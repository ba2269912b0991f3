//! The container engine. Nothing outside this directory knows bollard, and every call has a deadline.

mod aloud;
mod archive;
mod beside;
mod build;
mod commit;
mod container;
mod copy;
mod create;
mod credentials;
mod endpoint;
mod events;
mod exec;
mod features;
mod filler;
mod image;
mod import;
mod inspect;
mod listing;
mod log;
mod mount;
mod network;
mod owner;
mod pull;
mod remote;
mod root;
mod upgrade;
mod upload;
mod volume;

use std::fs;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bollard::Docker;
use bytes::Bytes;
use tokio::sync::OnceCell;

pub use archive::Archive;
pub use beside::Beside;
pub use build::BuildOrder;
pub use container::{Container, Health, Idle, label};
pub use copy::Archived;
pub use create::{ContainerSpec, Limits, Machine, PortBinding, Tmpfs};
pub use endpoint::{Endpoint, EngineSettings};
pub use listing::{Listed, Published};

pub use exec::{Exec, ExecStream, Said};
pub use features::{Cgroups, Features, Kind, Users};
pub use image::Image;
pub use import::ListedImage;
pub use inspect::{Inspected, Mounted};
pub use log::Printed;
pub use mount::Mount;
pub use network::Membership;
pub use owner::Owner;
pub use pull::Layer;
pub use root::RootOf;

use remote::Forward;
use upgrade::UpgradeError;

use crate::error::{Error, Result};

/// How long an engine that works may take to say so: people get a clear error within two seconds.
const ANSWER: Duration = Duration::from_millis(1500);
/// The same of another machine's, where the first answer takes a connection by ssh.
const ANSWER_FROM_AWAY: Duration = Duration::from_secs(10);
/// How often to ask an engine that is at work whether it still is: with `ANSWER`, two seconds at most.
const PULSE: Duration = Duration::from_millis(250);
/// How long an engine that answers may take to look something up: it does so behind what it is at work on.
const LOOK: Duration = Duration::from_secs(10);
/// How long to wait for what makes the engine's runtime work: create, start, remove.
const WORK: Duration = Duration::from_secs(60);

/// What bollard gives.
type Answer<T> = std::result::Result<T, bollard::errors::Error>;

/// An engine at a known address.
#[derive(Debug)]
pub struct Engine {
    docker: Docker,
    endpoint: Endpoint,
    /// Where it is reached from here.
    socket: PathBuf,
    forward: Option<Forward>,
    /// Where docker's own client keeps what it is told at `docker login`.
    docker_config: Option<PathBuf>,
    features: OnceCell<Features>,
}

impl Engine {
    /// Finds out where the engine is. Nothing is asked of it yet.
    pub fn find(settings: &EngineSettings) -> Result<Self> {
        let endpoint = Endpoint::find(settings)?;
        let runtime_dir = settings.runtime_dir.as_deref();
        let forward = endpoint.remote.clone().map(|remote| Forward::open(remote, runtime_dir)).transpose();
        let forward = forward.map_err(|error| endpoint.unreachable(error, None))?;
        let socket = forward.as_ref().map_or_else(|| endpoint.socket.clone(), Forward::socket);
        fs::metadata(&socket).map_err(|error| endpoint.unreachable(error, None))?;
        // bollard 0.21 sends no version over a unix socket, so both sides speak the engine's own.
        let docker = Docker::connect_with_unix(&socket.to_string_lossy(), WORK.as_secs(), bollard::API_DEFAULT_VERSION)
            .map_err(|error| endpoint.unreachable(io::Error::other(error), None))?;
        Ok(Self { docker, socket, endpoint, forward, docker_config: settings.docker_config.clone(), features: OnceCell::new() })
    }

    /// Awaits a call that only looks something up.
    async fn look<T>(&self, action: impl Into<String>, call: impl Future<Output = Answer<T>>) -> Result<T> {
        self.call(LOOK, action.into(), call).await
    }

    /// Awaits a call that makes the engine do something.
    async fn work<T>(&self, action: impl Into<String>, call: impl Future<Output = Answer<T>>) -> Result<T> {
        self.call(WORK, action.into(), call).await
    }

    async fn call<T>(&self, limit: Duration, action: String, call: impl Future<Output = Answer<T>>) -> Result<T> {
        use bollard::errors::Error::DockerResponseServerError;
        match self.within(limit, &action, call).await? {
            Ok(answer) => Ok(answer),
            Err(DockerResponseServerError { status_code, message }) => Err(refusal(action, &message, status_code)),
            Err(error) => {
                // Of an engine that cannot be reached, this says more.
                self.ping().await?;
                Err(Error::Engine { action, message: one_line(&error.to_string()), status: None })
            }
        }
    }

    /// Gets what is at a path of the API.
    async fn get(&self, limit: Duration, action: &str, path: &str) -> Result<Bytes> {
        match self.within(limit, action, upgrade::get(&self.socket, path)).await? {
            Ok(body) => Ok(body),
            Err(error) => {
                if matches!(error, UpgradeError::Io(_)) {
                    // Of an engine that cannot be reached, this says more.
                    self.ping().await?;
                }
                Err(self.explain(action, error))
            }
        }
    }

    /// What became of a request over a connection of our own.
    fn explain(&self, action: &str, error: UpgradeError) -> Error {
        match error {
            UpgradeError::Refused { status, message } => refusal(action.to_owned(), &message, status.as_u16()),
            UpgradeError::Io(error) => self.unreachable(error),
        }
    }

    /// Awaits a call for as long as the engine is there, `limit` at most.
    async fn within<T>(&self, limit: Duration, action: &str, call: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            // What has been answered counts, whatever has become of the engine since.
            biased;
            answer = call => Ok(answer),
            lost = self.lost() => Err(lost),
            () = tokio::time::sleep(limit) => Err(Error::EngineSlow { action: action.to_owned(), within: limit }),
        }
    }

    /// Ends when the engine is gone or hangs. One that is busy answers a `_ping` beside its work.
    async fn lost(&self) -> Error {
        loop {
            tokio::time::sleep(if self.forward.is_some() { ANSWER_FROM_AWAY / 4 } else { PULSE }).await;
            if let Err(error) = self.ping().await {
                return error;
            }
        }
    }

    /// Whether it is there.
    pub async fn ping(&self) -> Result<()> {
        match tokio::time::timeout(self.answer(), upgrade::ping(&self.socket)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.unreachable(error)),
            Err(_) => Err(self.silent()),
        }
    }

    fn silent(&self) -> Error {
        Error::EngineSilent { socket: self.endpoint.socket.clone(), within: self.answer() }
    }

    fn unreachable(&self, source: io::Error) -> Error {
        self.endpoint.unreachable(source, self.forward.as_ref().map(Forward::said))
    }

    fn answer(&self) -> Duration {
        if self.forward.is_some() { ANSWER_FROM_AWAY } else { ANSWER }
    }
}

/// An engine's messages can have several lines and a trailing newline.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What an engine does not do, with the status that docker gives it: podman says 500 of much that is no failure of its own.
fn refusal(action: String, message: &str, status: u16) -> Error {
    let says = |words: &str| message.contains(words);
    let status = match status {
        500 if says("name is already in use") => 409,
        500 if says("parsing reference") => 400,
        500 if says("no such container") || says("no container with") => 404,
        status => status,
    };
    Error::Engine { action, message: one_line(message), status: Some(status) }
}

/// Only a 404 means that a thing does not exist.
fn absent_is_none<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_status(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How long ago something was made, from when the engine says that it was (RFC 3339); nothing where it does not say.
fn age_of(created_at: Option<&str>) -> Duration {
    let created: Option<jiff::Timestamp> = created_at.and_then(|text| text.parse().ok());
    let age = created.map(|created| jiff::Timestamp::now().duration_since(created));
    age.and_then(|age| age.try_into().ok()).unwrap_or_default()
}
