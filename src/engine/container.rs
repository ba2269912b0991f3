//! Containers: what the engine says of them, and what it is asked to do with them.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, HealthStatusEnum, NetworkSettings};
use bollard::query_parameters::{
    RemoveContainerOptions, StartContainerOptions, StopContainerOptions, TopOptions, WaitContainerOptions,
};
use futures_util::StreamExt;
use futures_util::future::{Either, select};

use super::log::printable;
use super::{Engine, WORK, absent_is_none, age_of};
use crate::error::{Error, Result};
use crate::model::{ContainerName, State};
use crate::project::Project;
use crate::protocol::{Launch, NOT_ENDED};

/// The labels that prove what is ours, on containers and volumes.
pub mod label {
    pub const WHARF: &str = "wharf";
    /// For a filter: what has [`WHARF`] as all that is ours has it.
    pub const OURS: &str = "wharf=true";
    pub const PROJECT: &str = "wharf.project";
    pub const NAME: &str = "wharf.name";
    /// The id of the user of this machine who made it.
    pub const USER: &str = "wharf.user";
    pub const CREATED_AT: &str = "wharf.created_at";
    pub const CONFIG: &str = "wharf.config";
    pub const IMAGE: &str = "wharf.image";
    /// The digest that the image's name stood for at the time.
    pub const IMAGE_ID: &str = "wharf.image_id";
    /// On images that were built, and so on their containers: the hash of what the build was made of.
    pub const BUILD: &str = "wharf.build";
    /// On images that were built, and so on their containers: the hash of the Dockerfile and how it is built, without its context.
    pub const DOCKERFILE: &str = "wharf.dockerfile";
    /// The configuration whose hash `CONFIG` is.
    pub const EFFECTIVE: &str = "wharf.effective";
    /// How wharf's own program is run in the container.
    pub const TOOLS: &str = "wharf.tools";
    /// On containers that end with their last session: `stop` or `remove`, which is what becomes of them then.
    pub const ON_EXIT: &str = "wharf.on_exit";
    /// The port of the host that leads to the container's sshd.
    pub const SSH_PORT: &str = "wharf.ssh_port";
    /// The network that a container is in, and on the network itself, as it is configured.
    pub const NETWORK: &str = "wharf.network";
    /// What of the project the container is not to see, as it was masked: a JSON array of paths below the project.
    pub const MASKED: &str = "wharf.masked";
    /// On containers that are removed when they end.
    pub const THROW_AWAY: &str = "wharf.throw_away";
}

/// What every container runs beneath its init once it is up: the image's own, or wharf's where the image has none.
const COMMANDS: [&str; 2] = ["sleep infinity", "wharf pause"];

/// How often to look whether a container is gone whose removal somebody else has asked for.
const PAUSE: Duration = Duration::from_millis(20);

/// Programs have at least so long to end, so none is named earlier.
const LEAST_STOP_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the log of a container that has stopped may take to end.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What the engine's check of a container's health says. wharf asks for none, but somebody else may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// Healthy, or nobody checks it.
    #[default]
    Fine,
    Starting,
    Unhealthy,
}

/// A container as `inspect` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub name: ContainerName,
    pub id: String,
    pub state: State,
    pub exit_code: i64,
    pub out_of_memory: bool,
    pub health: Health,
    pub labels: HashMap<String, String>,
    /// Where new programs start: the project, as the container sees it.
    pub working_dir: String,
    /// `uid:gid`
    pub user: String,
    pub read_only: bool,
    /// Its ports with where the host listens for each, which it does while the container is up.
    pub published: Vec<(u16, SocketAddr)>,
    /// The host's directory that is mounted at [`crate::protocol::HOST_DIR`].
    pub host_dir: Option<PathBuf>,
    /// How wharf's own program is run in it.
    pub launch: Option<Launch>,
}

impl Container {
    /// Whether the engine removes it when it ends, however that comes.
    pub fn removes_itself(&self) -> bool {
        self.labels.get(label::ON_EXIT).is_some_and(|what| what == "remove")
    }

    /// Whether root is who runs things in it.
    pub fn is_roots(&self) -> bool {
        matches!(self.user.split(':').next(), Some("" | "0" | "root"))
    }

    /// Whether nobody but this container has the port of the host at that address.
    pub fn publishes(&self, address: IpAddr, port: u16) -> bool {
        // One at every address is also at each.
        let meets = |ip: IpAddr| ip == address || ip.is_unspecified() || address.is_unspecified();
        self.published.iter().any(|(_, published)| published.port() == port && meets(published.ip()))
    }

    /// Whether wharf made this container, for this project. The name alone proves nothing.
    pub fn belongs_to(&self, project: &Project) -> bool {
        belongs_to(&self.labels, project)
    }
}

/// A container, and how long it has not been used: no time at all where it is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idle {
    pub id: String,
    pub state: State,
    pub since: Duration,
}

impl Engine {
    pub async fn container(&self, name: &ContainerName) -> Result<Option<Container>> {
        Ok(absent_is_none(self.inspect_any(name.as_str()).await)?.map(|found| container_from(name, found)))
    }

    /// How long a container has not been used: since it ended or, where it has never run, was made. `None` where there is
    /// none.
    pub async fn idle(&self, name: &ContainerName) -> Result<Option<Idle>> {
        let inspected = absent_is_none(self.inspect_any(name.as_str()).await)?;
        Ok(inspected.map(|found| {
            let state = found.state.unwrap_or_default();
            // The engine's way to say never.
            let finished = state.finished_at.filter(|finished| !finished.starts_with("0001-"));
            let since = age_of(finished.or(found.created).as_deref());
            let state = state.status.map_or(State::Dead, state_from_inspect);
            Idle { id: found.id.unwrap_or_default(), state, since: if state.is_up() { Duration::ZERO } else { since } }
        }))
    }

    /// Starts a container; one that runs is fine.
    pub async fn start_container(&self, name: &ContainerName) -> Result<()> {
        let started = self.docker.start_container(name.as_str(), None::<StartContainerOptions>);
        self.work(format!("start container `{name}`"), started).await
    }

    pub async fn unpause_container(&self, name: &ContainerName) -> Result<()> {
        self.work(format!("unpause container `{name}`"), self.docker.unpause_container(name.as_str())).await
    }

    /// Stops the container with this id; one that is stopped or gone is fine. Gives the command lines of what did not end in
    /// time, as far as its log has them.
    pub async fn stop_container(&self, name: &ContainerName, id: &str) -> Result<Vec<String>> {
        let begun = Instant::now();
        let stop = async {
            let stopped = self.docker.stop_container(id, None::<StopContainerOptions>);
            absent_is_none(self.work(format!("stop container `{name}`"), stopped).await).map(drop)
        };
        // While it stops: the log of a container that is removed with its end goes with it.
        let mut printed = Vec::new();
        let listen = self.listen(name, &mut printed);
        match select(pin!(stop), pin!(listen)).await {
            Either::Left((stopped, listening)) => {
                stopped?;
                if begun.elapsed() >= LEAST_STOP_TIMEOUT {
                    let _ = tokio::time::timeout(LAST_WORDS, listening).await;
                }
            }
            Either::Right(((), stop)) => stop.await?,
        }
        let printed = String::from_utf8_lossy(&printed);
        Ok(printed.lines().filter_map(|line| line.strip_prefix(NOT_ENDED)).map(printable).collect())
    }

    /// Removes the container with this id, running or not, with its anonymous volumes, and keeps the named ones; one that does
    /// not exist is fine.
    pub async fn remove_container(&self, name: &ContainerName, id: &str) -> Result<()> {
        self.remove(name, id, true).await
    }

    /// Removes a container as [`Self::remove_container`] does, and returns when it is gone, whoever was first. It can be meant by
    /// its name where no other will have that.
    pub async fn throw_away_container(&self, name: &ContainerName, id_or_name: &str) -> Result<()> {
        match self.remove(name, id_or_name, true).await {
            Err(error) if !error.is_status(409) => return Err(error),
            _ => {}
        }
        let gone = async {
            loop {
                if absent_is_none(self.inspect_any(id_or_name).await)?.is_none() {
                    return Ok(());
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let slow = |_| Err(Error::EngineSlow { action: format!("remove container `{name}`"), within: WORK });
        tokio::time::timeout(WORK, gone).await.unwrap_or_else(slow)
    }

    /// Removes a container that does not run; one that does is an error, and one that does not exist is fine.
    pub async fn remove_stopped_container(&self, name: &ContainerName) -> Result<()> {
        self.remove(name, name.as_str(), false).await
    }

    async fn remove(&self, name: &ContainerName, id_or_name: &str, force: bool) -> Result<()> {
        // Anonymous ones.
        let options = RemoveContainerOptions { force, v: true, link: false };
        let removed = self.work(format!("remove container `{name}`"), self.docker.remove_container(id_or_name, Some(options)));
        absent_is_none(removed.await).map(drop)
    }

    /// Whether the command beneath the init runs, and not the init's attempt to start it. An error where the container
    /// does not run.
    pub async fn runs_its_command(&self, name: &ContainerName) -> Result<bool> {
        let top = self.docker.top_processes(name.as_str(), None::<TopOptions>);
        let top = self.look(format!("list the processes of container `{name}`"), top).await?;
        let mut commands = top.processes.iter().flatten().filter_map(|columns| columns.last());
        Ok(commands.any(|command| COMMANDS.iter().any(|expected| command.ends_with(expected))))
    }

    /// Waits until the container has stopped, `limit` at most; whether it has.
    pub async fn stops_within(&self, name: &ContainerName, limit: Duration) -> bool {
        let options = WaitContainerOptions { condition: "not-running".to_owned() };
        let mut ended = self.docker.wait_container(name.as_str(), Some(options));
        tokio::time::timeout(limit, ended.next()).await.is_ok()
    }
}

pub(super) fn belongs_to(labels: &HashMap<String, String>, project: &Project) -> bool {
    let is = |name, value: &str| labels.get(name).map(String::as_str) == Some(value);
    is(label::WHARF, "true") && is(label::PROJECT, project.as_str())
}

pub(super) fn container_from(name: &ContainerName, found: ContainerInspectResponse) -> Container {
    let state = found.state.unwrap_or_default();
    let config = found.config.unwrap_or_default();
    let host_mount =
        found.mounts.into_iter().flatten().find(|mount| mount.destination.as_deref() == Some(crate::protocol::HOST_DIR));
    let labels = config.labels.unwrap_or_default();
    Container {
        name: name.clone(),
        id: found.id.unwrap_or_default(),
        state: state.status.map_or(State::Dead, state_from_inspect),
        exit_code: state.exit_code.unwrap_or(0),
        out_of_memory: state.oom_killed.unwrap_or(false),
        health: state.health.and_then(|health| health.status).map_or(Health::Fine, health_from_inspect),
        launch: labels.get(label::TOOLS).and_then(|launch| launch.parse().ok()),
        labels,
        working_dir: config.working_dir.unwrap_or_default(),
        user: config.user.unwrap_or_default(),
        read_only: found.host_config.and_then(|host| host.readonly_rootfs).unwrap_or(false),
        published: found.network_settings.map(published).unwrap_or_default(),
        host_dir: host_mount.and_then(|mount| mount.source).map(PathBuf::from),
    }
}

fn published(network: NetworkSettings) -> Vec<(u16, SocketAddr)> {
    let ports = network.ports.into_iter().flatten();
    let own = |name: &str| name.split('/').next().and_then(|port| port.parse().ok()).unwrap_or_default();
    let bindings = ports.flat_map(|(name, bindings)| bindings.into_iter().flatten().map(move |binding| (own(&name), binding)));
    let address = |ip: Option<String>, port: Option<String>| Some(SocketAddr::new(ip?.parse().ok()?, port?.parse().ok()?));
    bindings.filter_map(|(own, binding)| Some((own, address(binding.host_ip, binding.host_port)?))).collect()
}

fn health_from_inspect(status: HealthStatusEnum) -> Health {
    match status {
        HealthStatusEnum::STARTING => Health::Starting,
        HealthStatusEnum::UNHEALTHY => Health::Unhealthy,
        _ => Health::Fine,
    }
}

fn state_from_inspect(status: ContainerStateStatusEnum) -> State {
    use ContainerStateStatusEnum as S;
    match status {
        S::CREATED => State::Created,
        S::RUNNING => State::Running,
        S::PAUSED => State::Paused,
        S::RESTARTING => State::Restarting,
        S::REMOVING => State::Removing,
        S::EXITED => State::Exited,
        _ => State::Dead,
    }
}
