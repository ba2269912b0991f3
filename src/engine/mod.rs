//! The container engine. Nothing outside this directory knows bollard, and every call has a deadline.

mod archive;
mod container;
mod endpoint;
mod exec;
mod image;
mod upgrade;
mod volume;

use std::cell::Cell;
use std::fs;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use bollard::Docker;

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

/// An engine at a known address.
#[derive(Debug)]
pub struct Engine {
    docker: Docker,
    endpoint: Endpoint,
    /// Whether it has answered anything yet.
    answers: Cell<bool>,
}

impl Engine {
    /// Finds out where the engine is. Nothing is asked of it yet.
    pub fn find(settings: &EngineSettings) -> Result<Self> {
        let endpoint = Endpoint::find(settings)?;
        let socket = &endpoint.socket;
        fs::metadata(socket).map_err(|error| endpoint.unreachable(error))?;
        // bollard 0.21 sends no version over a unix socket, so both sides speak the engine's own.
        let docker = Docker::connect_with_unix(&socket.to_string_lossy(), WORK.as_secs(), bollard::API_DEFAULT_VERSION)
            .map_err(|error| endpoint.unreachable(io::Error::other(error)))?;
        Ok(Self { docker, endpoint, answers: Cell::new(false) })
    }

    /// Awaits a call that only looks something up. Beside a command's first one, the engine is asked whether it is there at
    /// all: a look-up alone can be held up by what the engine is at work on.
    async fn look<T>(&self, action: impl Into<String>, call: impl Future<Output = Answer<T>>) -> Result<T> {
        let mut call = pin!(Self::within(LOOK, action.into(), call));
        if self.answers.get() {
            return call.await;
        }
        let mut ping = pin!(self.ping());
        let outcome = tokio::select! {
            outcome = &mut call => outcome,
            answer = &mut ping => {
                answer?;
                self.answers.set(true);
                return call.await;
            }
        };
        if let Err(Error::Engine { status: None, .. }) = outcome {
            // Of an engine that cannot be reached, this says more.
            ping.await?;
        }
        self.answers.set(true);
        outcome
    }

    async fn ping(&self) -> Result<()> {
        let socket = &self.endpoint.socket;
        match tokio::time::timeout(ANSWER, upgrade::ping(socket)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.endpoint.unreachable(error)),
            Err(_) => Err(Error::EngineSilent { socket: socket.clone(), within: ANSWER }),
        }
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
