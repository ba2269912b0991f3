//! What a container is created as, in the engine's words.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, DeviceRequest, HealthConfig, HostConfig, Mount as EngineMount, MountType, MountVolumeOptions,
    PortBinding as EnginePort,
};
use bollard::query_parameters::CreateContainerOptions;

use super::{Engine, Membership};
use crate::error::Result;
use crate::model::ContainerName;

/// What root may do in a container beyond what anybody may: enough for package managers and for services that serve low
/// ports. Of docker's own set AUDIT_WRITE, MKNOD, NET_RAW, SETFCAP, SETPCAP and SYS_CHROOT are missing (capabilities(7)).
const CAPABILITIES: [&str; 8] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];

/// What docker gives root beside these.
const USUAL_CAPABILITIES: [&str; 6] = ["AUDIT_WRITE", "MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT"];

/// What the engine waits longer than the container itself, before it kills what is left.
const SPARE: Duration = Duration::from_secs(7);

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
    /// What runs beneath the init, in place of whatever the image would run.
    pub command: Vec<String>,
    pub mounts: Vec<Mount>,
    pub read_only: bool,
    /// Whether the engine removes it, and its anonymous volumes, when it ends.
    pub auto_remove: bool,
    /// Empty directories in memory: their paths and mount options.
    pub tmpfs: HashMap<String, String>,
    pub ports: Vec<PortBinding>,
    pub limits: Limits,
    /// How long programs may take to end when it is stopped.
    pub stop_timeout: Duration,
    /// Beyond what every container has.
    pub capabilities: Vec<String>,
    /// Whether programs may gain rights, as `sudo` does, and root has what the engine usually gives it.
    pub may_gain_rights: bool,
    /// The engine's default where `None`.
    pub network: Option<Membership>,
}

/// A TCP port of the container that is reached by one of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortBinding {
    pub container: u16,
    pub host: u16,
    pub address: IpAddr,
}

/// What a container may use at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// In bytes.
    pub memory: Option<i64>,
    pub nano_cpus: Option<i64>,
    pub pids: Option<i64>,
    /// How many, -1 for all there are.
    pub gpus: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    Bind {
        source: String,
        target: String,
    },
    ReadOnlyBind {
        source: String,
        target: String,
    },
    Volume {
        name: String,
        target: String,
        labels: HashMap<String, String>,
        /// Whether it has been used before. The engine fills others from the image, and gives even a full one, each time, the
        /// owner and mode of what the image has there.
        is_kept: bool,
    },
    AnonymousVolume {
        target: String,
    },
    ReadOnlyVolume {
        name: String,
        target: String,
    },
}

impl Engine {
    /// Creates a container under its own name, or under another until it can have that.
    pub async fn create_container(&self, spec: ContainerSpec, name: Option<String>) -> Result<()> {
        let name = name.unwrap_or_else(|| spec.name.to_string());
        let options = CreateContainerOptions { name: Some(name), ..CreateContainerOptions::default() };
        let action = format!("create container `{}`", spec.name);
        self.work(action, self.docker.create_container(Some(options), create_body(spec))).await.map(drop)
    }
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
        networking_config: spec.network.as_ref().map(Membership::config),
        exposed_ports: Some(spec.ports.iter().map(|port| engine_port(port).0).collect()),
        entrypoint: Some(spec.command),
        cmd: Some(Vec::new()),
        // An image may ask for a signal that `sleep` ignores, and check the health of a service that does not run here.
        stop_signal: Some("SIGTERM".to_owned()),
        stop_timeout: i64::try_from((spec.stop_timeout + SPARE).as_secs()).ok(),
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        host_config: Some(HostConfig {
            // Reaps zombies, and stops in 0.1 s where `sleep` as the first process takes the full ten.
            init: Some(true),
            auto_remove: Some(spec.auto_remove),
            readonly_rootfs: Some(spec.read_only),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(capabilities(spec.may_gain_rights).chain(spec.capabilities).collect()),
            // A setuid program gains nothing: nobody becomes root who was not.
            security_opt: Some(if spec.may_gain_rights { Vec::new() } else { vec!["no-new-privileges".to_owned()] }),
            mounts: Some(spec.mounts.into_iter().map(engine_mount).collect()),
            tmpfs: Some(spec.tmpfs),
            port_bindings: Some(spec.ports.iter().map(engine_port).collect()),
            network_mode: spec.network.as_ref().map(Membership::engine_name),
            memory: spec.limits.memory,
            nano_cpus: spec.limits.nano_cpus,
            pids_limit: spec.limits.pids,
            device_requests: spec.limits.gpus.map(|count| {
                let capabilities = Some(vec![vec!["gpu".to_owned()]]);
                vec![DeviceRequest { count: Some(count), capabilities, ..DeviceRequest::default() }]
            }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

fn capabilities(may_gain_rights: bool) -> impl Iterator<Item = String> {
    let usual: &[&str] = if may_gain_rights { &USUAL_CAPABILITIES } else { &[] };
    CAPABILITIES.iter().chain(usual).map(|&name| name.to_owned())
}

fn engine_port(port: &PortBinding) -> (String, Option<Vec<EnginePort>>) {
    let binding = EnginePort { host_ip: Some(port.address.to_string()), host_port: Some(port.host.to_string()) };
    (format!("{}/tcp", port.container), Some(vec![binding]))
}

pub(super) fn engine_mount(mount: Mount) -> EngineMount {
    match mount {
        Mount::Bind { source, target } => {
            EngineMount { typ: Some(MountType::BIND), source: Some(source), target: Some(target), ..EngineMount::default() }
        }
        Mount::ReadOnlyBind { source, target } => {
            EngineMount { read_only: Some(true), ..engine_mount(Mount::Bind { source, target }) }
        }
        Mount::Volume { name, target, labels, is_kept } => EngineMount {
            typ: Some(MountType::VOLUME),
            source: Some(name),
            target: Some(target),
            volume_options: Some(MountVolumeOptions {
                labels: Some(labels),
                no_copy: Some(is_kept),
                ..MountVolumeOptions::default()
            }),
            ..EngineMount::default()
        },
        Mount::AnonymousVolume { target } => {
            EngineMount { typ: Some(MountType::VOLUME), target: Some(target), ..EngineMount::default() }
        }
        Mount::ReadOnlyVolume { name, target } => EngineMount {
            typ: Some(MountType::VOLUME),
            source: Some(name),
            target: Some(target),
            read_only: Some(true),
            ..EngineMount::default()
        },
    }
}
