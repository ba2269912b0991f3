//! The container engine. Nothing outside this directory knows bollard, and every call has a deadline.

mod archive;
mod container;
mod endpoint;
mod exec;
mod image;
mod upgrade;
mod volume;

use std::future::Future;
use std::io;
use std::time::Duration;

use bollard::{ClientVersion, Docker};

pub use archive::Archive;
pub use container::{Container, ContainerSpec, Listed, Mount, State, label};
pub use endpoint::EngineSettings;

pub use exec::{ExecSpec, Output};
pub use image::Image;

use endpoint::Endpoint;

use crate::error::{Error, Result};

/// How long an engine that works may take to say so: people get a clear error within two seconds.
const ANSWER: Duration = Duration::from_millis(1500);
/// How long an engine that has said so may take to look something up: it does so behind what it is at work on.
const LOOK: Duration = Duration::from_secs(10);
/// How long to wait for what makes the engine's runtime work: create, start, remove.
const WORK: Duration = Duration::from_secs(60);

/// What bollard gives.
type Answer<T> = std::result::Result<T, bollard::errors::Error>;

/// A connection to an engine that has answered.
#[derive(Debug)]
pub struct Engine {
    docker: Docker,
    endpoint: Endpoint,
    api: String,
}

impl Engine {
    /// Connects, and finds out by one `_ping` (0.2 ms) whether the engine answers and which version of the API it speaks.
    /// `GET /version`, which bollard negotiates with, takes 6 ms.
    pub async fn connect(settings: &EngineSettings) -> Result<Self> {
        let endpoint = Endpoint::find(settings)?;
        let socket = endpoint.socket.clone();
        let answer = tokio::time::timeout(ANSWER, upgrade::ping(&socket)).await;
        let api =
            answer.map_err(|_| Error::EngineSilent { socket: socket.clone(), within: ANSWER })?.map_err(|source| match source
                .kind()
            {
                io::ErrorKind::PermissionDenied => Error::EngineForbidden { socket: socket.clone() },
                _ => Error::EngineUnreachable { socket: socket.clone(), source },
            })?;
        let version = client_version(&api);
        let docker = Docker::connect_with_unix(&socket.to_string_lossy(), WORK.as_secs(), &version)
            .map_err(|error| Error::EngineUnreachable { socket: socket.clone(), source: io::Error::other(error) })?;
        let api = format!("v{}.{}", version.major_version, version.minor_version);
        Ok(Self { docker, endpoint, api })
    }

    /// Awaits a call that only looks something up.
    async fn look<T>(&self, action: impl Into<String>, call: impl Future<Output = Answer<T>>) -> Result<T> {
        Self::within(LOOK, action.into(), call).await
    }

    /// Awaits a call that makes the engine do something.
    async fn work<T>(&self, action: impl Into<String>, call: impl Future<Output = Answer<T>>) -> Result<T> {
        Self::within(WORK, action.into(), call).await
    }

    async fn within<T>(limit: Duration, action: String, call: impl Future<Output = Answer<T>>) -> Result<T> {
        match tokio::time::timeout(limit, call).await {
            Ok(answer) => answer.map_err(|error| Self::failure(action, error)),
            Err(_) => Err(Error::EngineSlow { action, within: limit }),
        }
    }

    fn failure(action: String, error: bollard::errors::Error) -> Error {
        use bollard::errors::Error::{DockerResponseServerError, RequestTimeoutError};
        match error {
            DockerResponseServerError { status_code, message } => {
                Error::Engine { action, message: one_line(&message), status: Some(status_code) }
            }
            RequestTimeoutError => Error::EngineSlow { action, within: WORK },
            other => Error::Engine { action, message: one_line(&other.to_string()), status: None },
        }
    }
}

/// The newest version that both sides know: the engine's own, where this client has learned it.
fn client_version(engine: &str) -> ClientVersion {
    let newest = bollard::API_DEFAULT_VERSION;
    let parsed = engine.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match parsed {
        Some((major_version, minor_version)) if (major_version, minor_version) < (newest.major_version, newest.minor_version) => {
            ClientVersion { major_version, minor_version }
        }
        _ => ClientVersion { major_version: newest.major_version, minor_version: newest.minor_version },
    }
}

/// An engine's messages can have several lines and a trailing newline.
fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Only a 404 means that a thing does not exist.
fn absent_is_none<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_status(404) => Ok(None),
        Err(error) => Err(error),
    }
}
