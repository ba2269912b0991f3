//! What a container is created as, in the engine's words.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, DeviceMapping, DeviceRequest, HealthConfig, HostConfig, PortBinding as EnginePort, ResourcesUlimits,
};
use bollard::query_parameters::CreateContainerOptions;

use super::mount::{Mount, MountedBy};
use super::{Cgroups, Engine, Features, Kind, Membership};
use crate::error::Result;
use crate::model::ContainerName;

/// What root may do in a container beyond what anybody may: enough for package managers and for services that serve low
/// ports. Of docker's own set AUDIT_WRITE, MKNOD, NET_RAW, SETFCAP, SETPCAP and SYS_CHROOT are missing (capabilities(7)).
pub(super) const CAPABILITIES: [&str; 8] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];

/// The option with which no program has rights that its parent lacks.
pub(super) const NO_NEW_PRIVILEGES: &str = "no-new-privileges";

/// What the engine waits longer than the container itself, before it kills what is left.
const SPARE: Duration = Duration::from_secs(7);

/// What to create.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the engine's, and independent of each other")]
pub struct ContainerSpec {
    pub name: ContainerName,
    pub image: String,
    pub labels: HashMap<String, String>,
    pub environment: Vec<String>,
    /// `uid:gid`
    pub user: String,
    /// How its ids are the machine's, in the engine's words; the engine's default where `None`.
    pub user_namespace: Option<String>,
    pub working_dir: String,
    /// What runs beneath the engine's init, in place of whatever the image would run; the first process itself where
    /// `has_own_init`.
    pub command: Vec<String>,
    /// Whether the command does what an init does.
    pub has_own_init: bool,
    pub mounts: Vec<Mount>,
    pub read_only: bool,
    /// Whether the engine removes it, and its anonymous volumes, when it ends.
    pub auto_remove: bool,
    /// Empty directories in memory, by their paths.
    pub tmpfs: HashMap<String, Tmpfs>,
    pub ports: Vec<PortBinding>,
    pub limits: Limits,
    /// How long programs may take to end when it is stopped.
    pub stop_timeout: Duration,
    /// Whether setuid programs work in it.
    pub gains_rights: bool,
    /// Beyond what every container has.
    pub capabilities: Vec<String>,
    /// The engine's default where `None`.
    pub network: Option<Membership>,
    pub machine: Machine,
}

/// What of a machine it gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// Names, soft and hard limits; -1 for none.
    pub ulimits: Vec<(String, i64, i64)>,
    /// Paths of the host's devices, which are the container's.
    pub devices: Vec<String>,
    /// Groups that its user is in beside its own.
    pub groups: Vec<u32>,
    /// Names and addresses for hosts(5).
    pub hosts: Vec<(String, String)>,
    /// Servers that names are asked of; the engine's where there is none.
    pub dns: Vec<String>,
    /// As [`ContainerName::hostname`] has it where `None`.
    pub hostname: Option<String>,
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
    /// Of `/dev/shm`, in bytes.
    pub shm: Option<i64>,
}

impl Limits {
    /// Those that an engine can keep, and the names of the others.
    pub fn kept_by(self, cgroups: Cgroups) -> (Self, Vec<&'static str>) {
        let lost = [
            ("memory", self.memory.is_some() && !cgroups.memory),
            ("cpus", self.nano_cpus.is_some() && !cgroups.cpus),
            ("pids", self.pids.is_some() && !cgroups.pids),
        ];
        let kept = Self {
            memory: self.memory.filter(|_| cgroups.memory),
            nano_cpus: self.nano_cpus.filter(|_| cgroups.cpus),
            pids: self.pids.filter(|_| cgroups.pids),
            ..self
        };
        (kept, lost.into_iter().filter_map(|(name, is_lost)| is_lost.then_some(name)).collect())
    }
}

/// An empty directory in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tmpfs {
    /// Whether it is the container's user's, and not root's.
    pub is_users: bool,
    pub mode: Option<u32>,
    /// In bytes; half of the memory where nobody says.
    pub size: Option<u64>,
    pub read_only: bool,
    /// Whether programs may be run from there.
    pub exec: bool,
}

impl Tmpfs {
    /// As mount options, of which each engine has its own. `user` is the container's, `uid:gid`.
    fn options(self, kind: Kind, user: &str) -> String {
        let owner = self.is_users.then(|| match (kind, user.split_once(':')) {
            // It takes no ids, and gives what has this option to the container's user.
            (Kind::Podman, _) => "U".to_owned(),
            (Kind::Docker, Some((uid, gid))) => format!("uid={uid},gid={gid}"),
            (Kind::Docker, None) => format!("uid={user}"),
        });
        let mode = self.mode.map(|mode| format!("mode={mode:04o}"));
        let size = self.size.map(|size| format!("size={size}"));
        let flags = [(self.read_only, "ro"), (self.exec, "exec")];
        let flags = flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag.to_owned());
        // It would fill it with what the directory below has, which may be what nobody is to see.
        let empty = (kind == Kind::Podman).then(|| "notmpcopyup".to_owned());
        flags.chain(owner).chain(mode).chain(size).chain(empty).collect::<Vec<_>>().join(",")
    }
}

impl Engine {
    /// Creates a container under its own name, or under another until it can have that.
    pub async fn create_container(&self, spec: ContainerSpec, name: Option<String>) -> Result<()> {
        let name = name.unwrap_or_else(|| spec.name.to_string());
        let options = CreateContainerOptions { name: Some(name), ..CreateContainerOptions::default() };
        let action = format!("create container `{}`", spec.name);
        let features = self.features().await?;
        let mounted = self.mounted(spec.mounts.clone(), features).await?;
        let body = create_body(spec, mounted, features);
        self.work(action, self.docker.create_container(Some(options), body)).await.map(drop)
    }
}

fn create_body(spec: ContainerSpec, mounted: MountedBy, features: &Features) -> ContainerCreateBody {
    let own_name = || Some(spec.name.hostname().to_owned()).filter(|name| !name.is_empty());
    let Machine { ulimits, devices, groups, hosts, dns, hostname } = spec.machine;
    let hostname = hostname.or_else(own_name);
    let tmpfs = spec.tmpfs.into_iter().map(|(path, tmpfs)| (path, tmpfs.options(features.kind, &spec.user))).collect();
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
            init: Some(!spec.has_own_init),
            userns_mode: spec.user_namespace,
            auto_remove: Some(spec.auto_remove),
            readonly_rootfs: Some(spec.read_only),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(CAPABILITIES.map(str::to_owned).into_iter().chain(spec.capabilities).collect()),
            // A setuid program gains nothing then: nobody becomes root who was not.
            security_opt: Some(if spec.gains_rights { Vec::new() } else { vec![NO_NEW_PRIVILEGES.to_owned()] }),
            binds: Some(mounted.binds),
            mounts: Some(mounted.mounts),
            tmpfs: Some(tmpfs),
            port_bindings: Some(spec.ports.iter().map(engine_port).collect()),
            network_mode: spec.network.as_ref().map(Membership::engine_name),
            memory: spec.limits.memory,
            nano_cpus: spec.limits.nano_cpus,
            pids_limit: spec.limits.pids,
            shm_size: spec.limits.shm,
            ulimits: Some(ulimits.into_iter().map(engine_limit).collect()),
            devices: Some(devices.into_iter().map(engine_device).collect()),
            group_add: Some(groups.iter().map(u32::to_string).collect()),
            extra_hosts: Some(hosts.into_iter().map(|(name, address)| format!("{name}:{address}")).collect()),
            dns: Some(dns),
            device_requests: spec.limits.gpus.map(|count| {
                let capabilities = Some(vec![vec!["gpu".to_owned()]]);
                vec![DeviceRequest { count: Some(count), capabilities, ..DeviceRequest::default() }]
            }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

fn engine_limit((name, soft, hard): (String, i64, i64)) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name), soft: Some(soft), hard: Some(hard) }
}

fn engine_device(path: String) -> DeviceMapping {
    let rights = Some("rwm".to_owned());
    DeviceMapping { path_on_host: Some(path.clone()), path_in_container: Some(path), cgroup_permissions: rights }
}

fn engine_port(port: &PortBinding) -> (String, Option<Vec<EnginePort>>) {
    let binding = EnginePort { host_ip: Some(port.address.to_string()), host_port: Some(port.host.to_string()) };
    (format!("{}/tcp", port.container), Some(vec![binding]))
}
