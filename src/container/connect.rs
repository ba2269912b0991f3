//! Getting into a project's container: by its relay where that answers, which needs no engine, else by what the engine says.

use std::path::PathBuf;

use crate::config::OnExit;
use crate::connection::{self, Connection, Prepared, Relays};
use crate::container::lifecycle::Lifecycle;
use crate::container::plan;
use crate::container::wanted::Wanted;
use crate::context::Context;
use crate::engine::{Container, RootOf};
use crate::error::{Error, Result};
use crate::model::ContainerName;
use crate::paths;
use crate::project::Project;

/// How often to bring up a container that ends.
const TRIES: u32 = 3;

/// An open way in.
pub struct Connected {
    pub connection: Connection,
    /// The host's side of the directory that the container shares with it.
    pub host_dir: PathBuf,
}

pub struct Connector<'a> {
    pub project: &'a Project,
    /// The container's: the project's own, or that of one to throw away.
    pub name: ContainerName,
    pub context: &'a Context,
    relays: Relays<'a>,
    /// Whether it leads to root, whoever the container's user is.
    as_root: bool,
}

impl<'a> Connector<'a> {
    /// Into the project's own container, by the way that its configuration says.
    pub fn to(project: &'a Project, context: &'a Context) -> Self {
        Self::by(context.relays_of(project), project, context)
    }

    /// Into the project's own container, whatever its configuration says of the way: for who asks many containers, and can't
    /// wait for as many disks.
    pub fn by(relays: Relays<'a>, project: &'a Project, context: &'a Context) -> Self {
        Self { project, name: project.container_name(), context, relays, as_root: false }
    }

    /// Into a container to throw away, which only this process knows.
    pub fn to_throw_away(project: &'a Project, name: ContainerName, context: &'a Context) -> Self {
        Self { project, name, context, relays: context.relays_of(project), as_root: false }
    }

    /// Into the same container as root, where that is asked for: by the engine, since no relay of the user's could make anybody root.
    pub fn of_root(self, as_root: bool) -> Self {
        Self { as_root, ..self }
    }

    pub fn is_as_root(&self) -> bool {
        self.as_root
    }

    /// Into a container that runs and whose relay answers. The engine is not asked.
    pub async fn knock(&self) -> Option<Connected> {
        if self.as_root {
            return None;
        }
        let connection = self.relays.knock(&self.name()).await?;
        Some(Connected { connection, host_dir: self.host_dir() })
    }

    /// Into a container that runs.
    pub async fn running(&self) -> Result<Connected> {
        let mut connected = self.running_soon().await?;
        self.wait_at(&mut connected).await?;
        Ok(connected)
    }

    /// Into a container that runs, without waiting for a relay that the engine has yet to start: a request can be sent at once,
    /// and [`Self::wait_at`] has to be awaited before its answer is read.
    pub async fn running_soon(&self) -> Result<Connected> {
        if let Some(connected) = self.knock().await {
            return Ok(connected);
        }
        let lifecycle = self.lifecycle()?;
        // Prepared, and not started: nothing runs where the engine has not said whose the container is, and while a program is
        // starting in a container the engine says nothing of it.
        let guess = async {
            Ok(if self.relays.are_used() || self.as_root { None } else { Prepared::guess(lifecycle.engine, &self.name).await })
        };
        let (seen, guess) = tokio::try_join!(lifecycle.look(None), guess)?;
        self.into(plan::attach(self.project, &seen)?, guess).await
    }

    /// Waits until there is a relay behind the connected.
    pub async fn wait_at(&self, connected: &mut Connected) -> Result<()> {
        if connected.connection.has_greeted() {
            return Ok(());
        }
        match connection::greeting(&mut connected.connection, &self.name).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.unless_it_has_ended(error).await),
        }
    }

    /// An engine that refuses to run anything may do so because the container has just ended.
    async fn unless_it_has_ended(&self, error: Error) -> Error {
        match self.lifecycle() {
            Ok(lifecycle) => lifecycle.failure().await.unwrap_or(error),
            Err(lost) => lost,
        }
    }

    /// Into a container that exists, which is started where it takes that.
    pub async fn existing(&self, wanted: &Wanted<'_>) -> Result<Connected> {
        if let Some(connected) = self.knock().await {
            return Ok(connected);
        }
        if self.lifecycle()?.look(None).await?.container.is_none() {
            return Err(Error::NoContainer { project: self.project.to_string() });
        }
        self.up(wanted).await
    }

    /// Into the container, which is created and started where it takes that.
    ///
    /// One that ends with its last session may do so just now, and is brought up again.
    pub async fn up(&self, wanted: &Wanted<'_>) -> Result<Connected> {
        let mut tries = if wanted.resources.on_exit == OnExit::Keep { 1 } else { TRIES };
        loop {
            tries -= 1;
            match Box::pin(self.up_once(wanted)).await {
                Err(error) if error.is_stopped() && tries > 0 => {}
                up => return up,
            }
        }
    }

    async fn up_once(&self, wanted: &Wanted<'_>) -> Result<Connected> {
        if let Some(connected) = self.knock().await {
            return Ok(connected);
        }
        let up = self.lifecycle()?.up(wanted).await?;
        if let Some(connection) = up.connection.filter(|_| !self.as_root) {
            return Ok(Connected { connection, host_dir: self.host_dir() });
        }
        let mut connected = self.into(&up.container, None).await?;
        self.wait_at(&mut connected).await?;
        Ok(connected)
    }

    /// Into a container of which the engine says that it runs. By exec, nobody may be behind the connected yet.
    async fn into(&self, container: &Container, guess: Option<Prepared>) -> Result<Connected> {
        let engine = self.context.engine()?;
        let launch = container.launch.ok_or_else(|| Error::NoTools { container: self.name() })?;
        let host_dir = container.host_dir.clone().unwrap_or_else(|| self.host_dir());
        if self.as_root && !container.is_roots() {
            let of = RootOf { project: self.project, container: &container.name, launch };
            return Ok(Connected { connection: Box::pin(connection::as_root(engine, of)).await?, host_dir });
        }
        if self.relays.are_used() {
            // Not where it was looked for, as after a change of XDG_STATE_HOME, or dead.
            if let Some(connection) = connection::knock(&host_dir).await {
                return Ok(Connected { connection, host_dir });
            }
            if paths::is_shared_with(&host_dir, &container.user) {
                connection::revive(engine, &container.name, launch).await;
            }
            if let Some(connection) = connection::knock(&host_dir).await {
                return Ok(Connected { connection, host_dir });
            }
        }
        match connection::by_exec(engine, &container.name, launch, guess).await {
            Ok(connection) => Ok(Connected { connection, host_dir }),
            Err(error) => Err(self.unless_it_has_ended(error).await),
        }
    }

    pub fn lifecycle(&self) -> Result<Lifecycle<'_>> {
        Ok(Lifecycle { engine: self.context.engine()?, project: self.project, name: self.name(), relays: self.relays })
    }

    fn host_dir(&self) -> PathBuf {
        paths::shared(&self.name(), &self.context.state_dir)
    }

    pub fn name(&self) -> ContainerName {
        self.name.clone()
    }
}
