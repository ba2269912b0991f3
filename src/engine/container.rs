//! Containers: what the engine says of them, and what it is asked to do with them.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary, ContainerSummaryStateEnum,
    HealthConfig, HostConfig, Mount as EngineMount, MountType, MountVolumeOptions,
};
use bollard::query_parameters::{
    CreateContainerOptions, InspectContainerOptions, ListContainersOptions, LogsOptions, RemoveContainerOptions,
    StartContainerOptions, StopContainerOptions, TopOptions, WaitContainerOptions,
};
use futures_util::StreamExt;
use serde::Serialize;

use super::{Answer, Engine, absent_is_none};
use crate::error::Result;
use crate::project::{ContainerName, Project};

/// The labels that prove what is ours, on containers and volumes.
pub mod label {
    pub const WHARF: &str = "wharf";
    pub const PROJECT: &str = "wharf.project";
    pub const NAME: &str = "wharf.name";
    pub const CREATED_AT: &str = "wharf.created_at";
    pub const CONFIG: &str = "wharf.config";
    pub const IMAGE: &str = "wharf.image";
    /// The digest that the image's name stood for at the time.
    pub const IMAGE_ID: &str = "wharf.image_id";
}

/// What every container runs beneath its init.
const COMMAND: [&str; 2] = ["sleep", "infinity"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

impl State {
    /// Whether a program can be run in the container as it is.
    pub fn can_attach(self) -> bool {
        self == Self::Running
    }

    /// Whether processes of the container exist.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `pad`, so that a width in a format string counts.
        f.pad(match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        })
    }
}

/// A container as `inspect` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub name: ContainerName,
    pub id: String,
    pub state: State,
    pub exit_code: i64,
    pub out_of_memory: bool,
    pub labels: HashMap<String, String>,
    /// Where new programs start: the project, as the container sees it.
    pub working_dir: String,
    /// The host's directory that is mounted at [`crate::session::HOST_DIR`].
    pub host_dir: Option<PathBuf>,
}

impl Container {
    /// Whether wharf made this container, for this project. The name alone proves nothing.
    pub fn belongs_to(&self, project: &Project) -> bool {
        belongs_to(&self.labels, project)
    }
}

/// A container as the list of all shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: ContainerName,
    pub project: Project,
    pub state: State,
    pub image: String,
    /// `127.0.0.1:8080->80/tcp`
    pub ports: Vec<String>,
    /// RFC 3339
    pub created_at: String,
}

/// What to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    pub name: ContainerName,
    pub image: String,
    pub labels: HashMap<String, String>,
    pub environment: Vec<String>,
    /// `uid:gid`
    pub user: String,
    pub working_dir: String,
    pub mounts: Vec<Mount>,
    /// Empty directories in memory: their paths and mount options.
    pub tmpfs: HashMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    Bind { source: String, target: String },
    Volume { name: String, target: String, labels: HashMap<String, String> },
}

impl Engine {
    pub async fn container(&self, name: &ContainerName) -> Result<Option<Container>> {
        let inspected = self.docker.inspect_container(name.as_str(), None::<InspectContainerOptions>);
        let inspected = self.look(format!("look at container `{name}`"), inspected).await;
        Ok(absent_is_none(inspected)?.map(|found| container_from(name, found)))
    }

    /// Every container with wharf's label, stopped ones too, by name.
    pub async fn containers(&self) -> Result<Vec<Listed>> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{}=true", label::WHARF)])]);
        let options = ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
        let listed = self.look("list containers", self.docker.list_containers(Some(options))).await?;
        let mut containers: Vec<Listed> = listed.into_iter().filter_map(listed_from).collect();
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(containers)
    }

    pub async fn create_container(&self, spec: ContainerSpec) -> Result<()> {
        let options = CreateContainerOptions { name: Some(spec.name.to_string()), ..CreateContainerOptions::default() };
        let action = format!("create container `{}`", spec.name);
        self.work(action, self.docker.create_container(Some(options), create_body(spec))).await.map(drop)
    }

    /// Starts a container; one that runs is fine.
    pub async fn start_container(&self, name: &ContainerName) -> Result<()> {
        let started = self.docker.start_container(name.as_str(), None::<StartContainerOptions>);
        self.work(format!("start container `{name}`"), started).await
    }

    pub async fn unpause_container(&self, name: &ContainerName) -> Result<()> {
        self.work(format!("unpause container `{name}`"), self.docker.unpause_container(name.as_str())).await
    }

    /// Stops a container; one that is stopped is fine.
    pub async fn stop_container(&self, name: &ContainerName) -> Result<()> {
        let stopped = self.docker.stop_container(name.as_str(), None::<StopContainerOptions>);
        self.work(format!("stop container `{name}`"), stopped).await
    }

    /// Removes a container, running or not, and keeps its named volumes; one that does not exist is fine.
    pub async fn remove_container(&self, name: &ContainerName) -> Result<()> {
        self.remove(name, true).await
    }

    /// The same, but a container that runs is an error.
    pub async fn remove_stopped_container(&self, name: &ContainerName) -> Result<()> {
        self.remove(name, false).await
    }

    async fn remove(&self, name: &ContainerName, force: bool) -> Result<()> {
        let options = RemoveContainerOptions { force, v: false, link: false };
        let removed = self.work(format!("remove container `{name}`"), self.docker.remove_container(name.as_str(), Some(options)));
        absent_is_none(removed.await).map(drop)
    }

    /// Whether the command beneath the init runs, and not the init's attempt to start it. An error where the container
    /// does not run.
    pub async fn runs_its_command(&self, name: &ContainerName) -> Result<bool> {
        let top = self.docker.top_processes(name.as_str(), None::<TopOptions>);
        let top = self.look(format!("list the processes of container `{name}`"), top).await?;
        let command = COMMAND.join(" ");
        Ok(top.processes.iter().flatten().any(|columns| columns.last() == Some(&command)))
    }

    /// Waits until the container has stopped, `limit` at most; whether it has.
    pub async fn stops_within(&self, name: &ContainerName, limit: Duration) -> bool {
        let options = WaitContainerOptions { condition: "not-running".to_owned() };
        let mut ended = self.docker.wait_container(name.as_str(), Some(options));
        tokio::time::timeout(limit, ended.next()).await.is_ok()
    }

    /// The last lines that the container's first process printed.
    pub async fn last_log_lines(&self, name: &ContainerName, count: usize) -> Result<Vec<String>> {
        let options = LogsOptions { stdout: true, stderr: true, tail: count.to_string(), ..LogsOptions::default() };
        let mut chunks = self.docker.logs(name.as_str(), Some(options));
        let read = async {
            let mut text = Vec::new();
            while let Some(chunk) = chunks.next().await {
                text.extend_from_slice(&chunk?.into_bytes());
            }
            Answer::Ok(text)
        };
        let text = self.look(format!("read the log of container `{name}`"), read).await?;
        Ok(String::from_utf8_lossy(&text).lines().map(printable).collect())
    }
}

fn belongs_to(labels: &HashMap<String, String>, project: &Project) -> bool {
    let is = |name, value: &str| labels.get(name).map(String::as_str) == Some(value);
    is(label::WHARF, "true") && is(label::PROJECT, project.as_str())
}

/// What a container prints is not obeyed by the terminal that shows it.
fn printable(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect()
}

fn create_body(spec: ContainerSpec) -> ContainerCreateBody {
    let hostname = Some(spec.name.hostname().to_owned()).filter(|name| !name.is_empty());
    ContainerCreateBody {
        hostname,
        image: Some(spec.image),
        labels: Some(spec.labels),
        env: Some(spec.environment),
        user: Some(spec.user),
        working_dir: Some(spec.working_dir),
        // Beneath the init, in place of whatever the image would run: the container outlives every session.
        entrypoint: Some(vec![COMMAND[0].to_owned()]),
        cmd: Some(vec![COMMAND[1].to_owned()]),
        // An image may ask for a signal that `sleep` ignores, and check the health of a service that does not run here.
        stop_signal: Some("SIGTERM".to_owned()),
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        host_config: Some(HostConfig {
            // Reaps zombies, and stops in 0.1 s where `sleep` as the first process takes the full ten.
            init: Some(true),
            mounts: Some(spec.mounts.into_iter().map(engine_mount).collect()),
            tmpfs: Some(spec.tmpfs),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

fn engine_mount(mount: Mount) -> EngineMount {
    match mount {
        Mount::Bind { source, target } => {
            EngineMount { typ: Some(MountType::BIND), source: Some(source), target: Some(target), ..EngineMount::default() }
        }
        Mount::Volume { name, target, labels } => EngineMount {
            typ: Some(MountType::VOLUME),
            source: Some(name),
            target: Some(target),
            volume_options: Some(MountVolumeOptions { labels: Some(labels), ..MountVolumeOptions::default() }),
            ..EngineMount::default()
        },
    }
}

fn container_from(name: &ContainerName, found: ContainerInspectResponse) -> Container {
    let state = found.state.unwrap_or_default();
    let config = found.config.unwrap_or_default();
    let host_mount =
        found.mounts.into_iter().flatten().find(|mount| mount.destination.as_deref() == Some(crate::session::HOST_DIR));
    Container {
        name: name.clone(),
        id: found.id.unwrap_or_default(),
        state: state.status.map_or(State::Dead, state_from_inspect),
        exit_code: state.exit_code.unwrap_or(0),
        out_of_memory: state.oom_killed.unwrap_or(false),
        labels: config.labels.unwrap_or_default(),
        working_dir: config.working_dir.unwrap_or_default(),
        host_dir: host_mount.and_then(|mount| mount.source).map(PathBuf::from),
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

fn state_from_list(status: ContainerSummaryStateEnum) -> State {
    use ContainerSummaryStateEnum as S;
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

/// A container that carries our labels under another name is not one that wharf made.
fn listed_from(found: ContainerSummary) -> Option<Listed> {
    let labels = found.labels.unwrap_or_default();
    let project = Project::from_label(labels.get(label::PROJECT)?);
    let name = project.container_name();
    let names = found.names.unwrap_or_default();
    names.iter().any(|given| given.trim_start_matches('/') == name.as_str()).then(|| Listed {
        state: found.state.map_or(State::Dead, state_from_list),
        image: labels.get(label::IMAGE).cloned().or(found.image).unwrap_or_default(),
        ports: found.ports.unwrap_or_default().iter().filter_map(published_port).collect(),
        created_at: labels.get(label::CREATED_AT).cloned().unwrap_or_default(),
        name,
        project,
    })
}

fn published_port(port: &bollard::models::PortSummary) -> Option<String> {
    let public = port.public_port?;
    let ip = port.ip.as_deref().unwrap_or("0.0.0.0");
    let kind = port.typ.map_or_else(|| "tcp".to_owned(), |kind| kind.to_string());
    Some(format!("{ip}:{public}->{}/{kind}", port.private_port))
}
