//! Containers in which programs run as root in the place of a container that is somebody else's.
//!
//! An engine gives root no capability in a container whose user is another one, and `no-new-privileges` keeps it from getting any.
//! So root's programs have a container of their own, which shares the processes and the network of the one that they are meant
//! for; the guest enters that one's file system from there. It ends by itself when nothing is left in it, and with the other.

use std::time::Duration;

use bollard::models::{ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum, HealthConfig, HostConfig};
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptions, StartContainerOptions};

use super::container::{belongs_to, label};
use super::create::{CAPABILITIES, NO_NEW_PRIVILEGES};
use super::mount::{Mount, engine_mount};
use super::{Engine, absent_is_none, age_of};
use crate::error::{Error, Result};
use crate::model::ContainerName;
use crate::project::Project;
use crate::protocol::{Launch, TOOLS_DIR};

/// What the guest needs on its way into the other container, and gives up there.
const ON_THE_WAY: [&str; 2] = ["SYS_CHROOT", "SYS_PTRACE"];
/// One that has not been started by this age was left by a launch that was killed.
const ABANDONED: Duration = Duration::from_secs(10);
/// How often to look again while another launch makes or ends one, and how long to wait in between.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);
/// Whose programs they are, for them.
const ROOT: [(&str, &str); 3] = [("HOME", "/root"), ("USER", "root"), ("LOGNAME", "root")];

/// What belongs to a project's container that runs, for root's programs.
#[derive(Debug, Clone, Copy)]
pub struct RootOf<'a> {
    pub project: &'a Project,
    pub container: &'a ContainerName,
    pub launch: Launch,
}

impl RootOf<'_> {
    pub fn name(self) -> String {
        name_of_root(self.container)
    }
}

fn name_of_root(container: &ContainerName) -> String {
    format!("{container}-root")
}

impl Engine {
    /// Sees to it that the container for root's programs runs. Any number of launches can do this at once.
    pub async fn ensure_root(&self, of: RootOf<'_>) -> Result<()> {
        let name = of.name();
        let inspected = self.inspect_raw(of.container.as_str()).await?;
        let theirs = inspected.ok_or_else(|| Error::Gone { container: of.container.clone() })?;
        for _ in 0..ATTEMPTS {
            let tried = match self.inspect_raw(&name).await? {
                Some(found) if !is_ours(&found, of.project) => return Err(Error::NameTaken { container: name }),
                Some(found) if is_up_beside(&found, &theirs) => return Ok(()),
                Some(found) => self.remove_leftover(&found).await,
                None => self.create_root(of, &theirs).await,
            };
            match tried {
                Err(error) if !error.is_lost_race() => return Err(error),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(Error::EngineSlow { action: format!("start container `{name}`"), within: PAUSE * ATTEMPTS })
    }

    /// Whether root's programs have a container just now.
    pub async fn has_root(&self, project: &Project, container: &ContainerName) -> Result<bool> {
        let found = self.inspect_raw(&name_of_root(container)).await?;
        Ok(found.is_some_and(|found| is_ours(&found, project) && is_running(&found)))
    }

    async fn create_root(&self, of: RootOf<'_>, theirs: &ContainerInspectResponse) -> Result<()> {
        let name = of.name();
        let options = CreateContainerOptions { name: Some(name.clone()), ..CreateContainerOptions::default() };
        let created = self.docker.create_container(Some(options), root_body(of, theirs));
        let created = self.work(format!("create container `{name}`"), created).await?;
        let started = self.docker.start_container(&created.id, None::<StartContainerOptions>);
        self.work(format!("start container `{name}`"), started).await
    }

    /// One of a container that has been replaced or restarted is about to go; one that was never started is not.
    async fn remove_leftover(&self, found: &ContainerInspectResponse) -> Result<()> {
        let is_new = status(found) == Some(ContainerStateStatusEnum::CREATED) && age_of(found.created.as_deref()) < ABANDONED;
        let (false, Some(id)) = (is_new, &found.id) else { return Ok(()) };
        let options = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
        absent_is_none(self.work(format!("remove container `{id}`"), self.docker.remove_container(id, Some(options))).await)
            .map(drop)
    }

    async fn inspect_raw(&self, name: &str) -> Result<Option<ContainerInspectResponse>> {
        absent_is_none(self.inspect_any(name).await)
    }
}

fn root_body(of: RootOf, theirs: &ContainerInspectResponse) -> ContainerCreateBody {
    let host = theirs.host_config.clone().unwrap_or_default();
    let config = theirs.config.clone().unwrap_or_default();
    let shared = Some(format!("container:{}", theirs.id.as_deref().unwrap_or_default()));
    let is_tools = |mount: &&bollard::models::MountPoint| mount.destination.as_deref() == Some(TOOLS_DIR);
    let tools = theirs.mounts.iter().flatten().find(is_tools).and_then(|mount| mount.name.clone());
    let tools = tools.map(|name| engine_mount(Mount::ReadOnlyVolume { name, target: TOOLS_DIR.to_owned() }));
    let is_own = |pair: &String| ROOT.iter().any(|(name, _)| pair.split('=').next() == Some(name));
    let mut environment = config.env.unwrap_or_default();
    environment.retain(|pair| !is_own(pair));
    environment.extend(ROOT.map(|(name, value)| format!("{name}={value}")));
    let labels = [(label::WHARF, "true"), (label::PROJECT, of.project.as_str()), (label::NAME, &of.name())];
    ContainerCreateBody {
        image: theirs.image.clone(),
        labels: Some(labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
        env: Some(environment),
        user: Some("0:0".to_owned()),
        working_dir: Some("/".to_owned()),
        entrypoint: Some([of.launch.guest(), vec!["linger".to_owned()]].concat()),
        cmd: Some(Vec::new()),
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        host_config: Some(HostConfig {
            auto_remove: Some(true),
            readonly_rootfs: Some(true),
            pid_mode: shared.clone(),
            network_mode: shared.clone(),
            // Where the other has user ids of its own, root's are the same.
            userns_mode: host.userns_mode.filter(|mode| !mode.is_empty() && mode != "host").and(shared),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(CAPABILITIES.iter().chain(&ON_THE_WAY).map(|&name| name.to_owned()).collect()),
            security_opt: Some(vec![NO_NEW_PRIVILEGES.to_owned()]),
            mounts: Some(tools.into_iter().collect()),
            memory: host.memory,
            nano_cpus: host.nano_cpus,
            pids_limit: host.pids_limit,
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

fn is_ours(found: &ContainerInspectResponse, project: &Project) -> bool {
    found.config.as_ref().and_then(|config| config.labels.as_ref()).is_some_and(|labels| belongs_to(labels, project))
}

/// Whether it runs for this very container. When that ends, so do all processes that share its own.
fn is_up_beside(found: &ContainerInspectResponse, theirs: &ContainerInspectResponse) -> bool {
    let pid_mode = found.host_config.as_ref().and_then(|host| host.pid_mode.as_deref());
    is_running(found) && pid_mode.and_then(|mode| mode.strip_prefix("container:")) == theirs.id.as_deref()
}

fn is_running(found: &ContainerInspectResponse) -> bool {
    status(found) == Some(ContainerStateStatusEnum::RUNNING)
}

fn status(found: &ContainerInspectResponse) -> Option<ContainerStateStatusEnum> {
    found.state.as_ref().and_then(|state| state.status)
}
