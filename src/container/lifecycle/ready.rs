//! Whether a container that was started works, and why one does not.

use std::time::Duration;

use super::{Lifecycle, Up};
use crate::connection::Connection;
use crate::container::plan::Step;
use crate::engine::Container;
use crate::error::{Error, Result};
use crate::model::State;

/// How long a started container may take until its first process runs.
const READY: Duration = Duration::from_secs(10);
/// How much to show of the log of a container that does not work.
const LOG_LINES: usize = 10;

impl Lifecycle<'_> {
    /// A container that was started; `None` where another launch has done something with it since.
    ///
    /// Whether the image can run at all is found out now, while there is nothing in it to lose.
    pub(super) async fn started(&self, steps: &[Step]) -> Result<Option<Up>> {
        let connection = self.settle().await.map_err(|error| blame_architecture(error, steps))?;
        match self.engine.container(&self.name()).await? {
            Some(container) if container.state.can_attach() => Ok(Some(Up { container, connection })),
            Some(container) if container.state == State::Exited => Err(self.death_of(&container).await),
            _ => Ok(None),
        }
    }

    /// Waits until a container that was just started works: its relay answers, or, where that cannot be reached, its first
    /// process runs.
    pub(super) async fn settle(&self) -> Result<Option<Connection>> {
        let name = self.name();
        let knock = async {
            loop {
                if let Some(connection) = self.relays.knock(&name).await {
                    return connection;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let ready = async {
            tokio::select! {
                connection = knock, if self.relays.are_used() => Ok(Some(connection)),
                runs = self.runs_its_command() => runs.map(|()| None),
            }
        };
        match tokio::time::timeout(READY, ready).await {
            Ok(outcome) => outcome,
            Err(_) => match self.failure().await {
                Some(error) => Err(error),
                None => Err(self.with_last_words(|log| Error::NeverReady { container: name, within: READY, log }).await),
            },
        }
    }

    pub(super) async fn runs_its_command(&self) -> Result<()> {
        // Growing, because fifty launches at once that ask all the time would keep the engine from what they wait for.
        let mut pause = Duration::from_millis(5);
        loop {
            match self.engine.runs_its_command(&self.name()).await {
                Ok(true) => break,
                Ok(false) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(200));
                }
                Err(_) => return self.failure().await.map_or(Ok(()), Err),
            }
        }
        if self.relays.are_used() {
            // The relay was started first, and needs a moment more where the machine is busy.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    /// Why nothing works in a container that was up: it is gone, has ended, or does not run just now. `None` where it runs.
    pub async fn failure(&self) -> Option<Error> {
        // A program in the container ends with it, and can be heard of first.
        self.engine.stops_within(&self.name(), Duration::from_millis(100)).await;
        let container = match self.engine.container(&self.name()).await {
            Ok(Some(container)) => container,
            Ok(None) => return Some(Error::Gone { container: self.name() }),
            Err(error) => return Some(error),
        };
        match container.state {
            State::Running => None,
            State::Exited | State::Dead => Some(self.death_of(&container).await),
            State::Removing => Some(Error::Gone { container: self.name() }),
            state @ (State::Created | State::Paused | State::Restarting) => {
                Some(Error::NotRunning { container: self.name(), state })
            }
        }
    }

    async fn death_of(&self, container: &Container) -> Error {
        let (exit_code, out_of_memory) = (container.exit_code, container.out_of_memory);
        self.with_last_words(|log| Error::Died { container: self.name(), exit_code, out_of_memory, log }).await
    }

    /// An error that shows the end of the container's log.
    async fn with_last_words(&self, error: impl FnOnce(Vec<String>) -> Error) -> Error {
        match self.engine.last_log_lines(&self.name(), LOG_LINES).await {
            Ok(lines) => error(lines),
            // It is being removed.
            Err(lost) if lost.is_lost_race() => Error::Gone { container: self.name() },
            Err(unread) => error(vec![unread.to_string()]),
        }
    }
}

/// An image for another machine dies like any other; what it says then is not what people need to hear.
fn blame_architecture(error: Error, steps: &[Step]) -> Error {
    let image = steps
        .iter()
        .find_map(|step| if let Step::Create { image } | Step::CreateNext { image } = step { Some(image) } else { None });
    match (error, image) {
        (Error::Died { log, .. }, Some(image)) if !image.is_native() => {
            Error::OtherArchitecture { image: image.name.clone(), architecture: image.architecture.clone(), log }
        }
        (error, _) => error,
    }
}
