//! What of the configuration a container is created with, in the engine's words, and whether this machine has it.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::{self, Config, Gpus, OnExit, PROJECT_FILE, Surroundings, forbidden_mount};
use crate::engine::{Container, Limits, Mount, PortBinding};
use crate::error::{Error, Result};
use crate::project::host_user::HostUser;
use crate::project::{self, Masked, Project};
use crate::protocol::SHELL_VARIABLE;
use crate::quote;

/// How many files that look secret are named.
const MOST_NAMED: usize = 5;
/// The port of this machine that leads to the container's sshd, and to the same one inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SshPort {
    pub port: u16,
    /// Whether nobody has said which.
    pub is_any: bool,
}

impl SshPort {
    pub fn any() -> Result<Self> {
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let address = bound.map_err(|source| Error::io("find a free port", source))?;
        Ok(Self { port: address.port(), is_any: true })
    }
}

#[derive(Debug, Default)]
pub struct Resources {
    /// `NAME=value`
    pub environment: Vec<String>,
    mounts: Vec<config::Mount>,
    volumes: Vec<(String, String)>,
    pub ports: Vec<PortBinding>,
    /// Whether programs of the user may become root's.
    pub sudo: bool,
    pub limits: Limits,
    pub machine: config::Machine,
    /// Paths within the project that the container is not to see.
    masks: Vec<String>,
    /// Those that it may see, whatever they look like.
    allowed: Vec<String>,
    /// In which containers reach each other by name.
    pub network: Option<String>,
    /// Where its sshd is reached.
    pub ssh: Option<SshPort>,
    /// What becomes of the container when its last session ends.
    pub on_exit: OnExit,
    /// How long programs may take to end with it, where that is configured.
    pub stop_timeout: Option<Duration>,
    sources: Vec<PathBuf>,
    surroundings: Surroundings,
}

impl Resources {
    pub fn of(config: &Config, project: &Project, surroundings: Surroundings, variable: impl Fn(&str) -> Option<String>) -> Self {
        let with_source = config.mounts.iter().map(|mount| (mount.value.clone(), on_host(&mount.source, project, &surroundings)));
        // What may be missing and is has no place in the container.
        let there = with_source.filter(|(mount, source)| !mount.optional || source.exists());
        let (mounts, sources): (Vec<config::Mount>, Vec<PathBuf>) = there.unzip();
        // One that the host does not have is none in the container.
        let value = |name: &str, value: &Option<String>| value.clone().or_else(|| variable(name));
        let environment = config.env.iter().filter_map(|it| Some(format!("{}={}", it.name, value(&it.name, &it.value.value)?)));
        let limits = &config.limits;
        let shell = config.shell.iter().map(|shell| format!("{SHELL_VARIABLE}={}", shell.value));
        Self {
            environment: environment.chain(shell).collect(),
            mounts,
            volumes: config.volumes.iter().map(|volume| (volume.name.clone(), volume.target.clone())).collect(),
            ports: config
                .ports
                .iter()
                .map(|port| PortBinding { container: port.container, host: port.host, address: port.address })
                .collect(),
            sudo: config.sudo.value,
            limits: Limits {
                memory: limits.memory.as_ref().and_then(|memory| i64::try_from(memory.value).ok()),
                nano_cpus: limits.cpus.as_ref().map(|cpus| nano(cpus.value)),
                pids: limits.pids.as_ref().map(|pids| pids.value.into()),
                gpus: limits.gpus.as_ref().map(|gpus| match gpus.value {
                    Gpus::All => -1,
                    Gpus::Count(count) => count.into(),
                }),
                shm: limits.shm.as_ref().and_then(|shm| i64::try_from(shm.value).ok()),
            },
            machine: config.machine.clone(),
            masks: config.masks.iter().map(|mask| mask.0.clone()).collect(),
            allowed: config.allowed.iter().map(|allowed| allowed.0.clone()).collect(),
            network: config.network.as_ref().map(|network| network.value.clone()),
            ssh: None,
            on_exit: config.on_exit.value,
            stop_timeout: config.stop_timeout.as_ref().map(|limit| limit.0),
            sources,
            surroundings,
        }
    }

    /// What is mounted from the host, as the engine takes it. `sources` is what [`Self::sources`] has given.
    pub fn mounts(&self, sources: &[PathBuf], user: &HostUser) -> impl Iterator<Item = Mount> {
        self.mounts.iter().zip(sources).map(|(mount, source)| {
            let (source, target) = (source.to_string_lossy().into_owned(), inside(&mount.target, user));
            if mount.readonly { Mount::ReadOnlyBind { source, target } } else { Mount::Bind { source, target } }
        })
    }

    /// Where in the container something is mounted that is no volume.
    pub fn targets(&self, user: &HostUser) -> impl Iterator<Item = String> {
        let tmpfs = self.machine.tmpfs.iter().map(|tmpfs| &tmpfs.target);
        self.mounts.iter().map(|mount| &mount.target).chain(tmpfs).map(|target| inside(target, user))
    }

    /// The directories in memory: their paths and sizes in bytes.
    pub fn tmpfs(&self, user: &HostUser) -> impl Iterator<Item = (String, Option<u64>)> {
        self.machine.tmpfs.iter().map(|tmpfs| (inside(&tmpfs.target, user), tmpfs.size))
    }

    /// Refuses what is no device of this machine, or a disk, before anything is made.
    pub fn check_devices(&self) -> Result<()> {
        // Who has a disk has all files of the host.
        let is_device = |path: &str| fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_char_device());
        match self.machine.devices.iter().find(|device| !is_device(&device.path)) {
            Some(device) => Err(Error::NoDevice { path: device.path.clone() }),
            None => Ok(()),
        }
    }

    /// The project's own volumes: their names within the project, and where they are mounted.
    pub fn volumes(&self, user: &HostUser) -> impl Iterator<Item = (&str, String)> {
        self.volumes.iter().map(|(name, target)| (name.as_str(), inside(target, user)))
    }

    /// The canonical paths of what is mounted from the host. Refuses what this machine can't give: a link that leads to the
    /// engine's socket is as forbidden as the socket, and one of the project's own, which a program in the container may have
    /// put there, does not lead out of the project.
    pub fn sources(&self, project: &Project) -> Result<Vec<PathBuf>> {
        let sockets = self.surroundings.sockets.iter();
        let sockets: Vec<PathBuf> =
            sockets.flat_map(|socket| [socket.canonicalize().ok(), Some(socket.clone())]).flatten().collect();
        let resolve = |source: &PathBuf| {
            let canonical = source.canonicalize().map_err(|_| Error::NoMountSource { path: source.clone() })?;
            if let Some(reason) = forbidden_mount(&canonical, &sockets) {
                return Err(Error::ForbiddenMount { path: source.clone(), reason });
            }
            if project::normal(source).starts_with(project.path()) && !canonical.starts_with(project.path()) {
                return Err(Error::MountLeadsOut { path: source.clone(), to: canonical });
            }
            Ok(canonical)
        };
        self.sources.iter().map(resolve).collect()
    }

    /// What of the project the container is not to see, as far as it is there.
    pub fn masked(&self, project: &Project) -> Vec<Masked> {
        project::masked(project.path(), &self.masks)
    }

    /// What people should know before the container sees it; `None` where nothing of the project looks like a secret.
    pub fn exposure(&self, project: &Project) -> Option<String> {
        let known: Vec<&str> = self.masks.iter().chain(&self.allowed).map(String::as_str).collect();
        let exposed = project::exposed(project.path(), &known);
        if exposed.is_empty() {
            return None;
        }
        let shown: Vec<String> = exposed.iter().take(MOST_NAMED).map(|path| format!("`{}`", quote::printable(path))).collect();
        let more = exposed.len().checked_sub(MOST_NAMED).filter(|more| *more > 0);
        let more = more.map(|more| format!(" and {more} more")).unwrap_or_default();
        Some(format!("{}{more} can be read in the container; `mask` or `allow` in {PROJECT_FILE}", shown.join(", ")))
    }

    /// Refuses ports that somebody listens at, before anything is made. What the container has that this one is to replace will
    /// be free by then.
    pub fn check_ports(&self, replaced: Option<&Container>) -> Result<()> {
        let ssh = self.ssh.filter(|ssh| !ssh.is_any).map(|ssh| (IpAddr::from(Ipv4Addr::LOCALHOST), ssh.port));
        let ports = self.ports.iter().map(|port| (port.address, port.host)).chain(ssh);
        for (address, port) in ports.filter(|&(address, port)| replaced.is_none_or(|old| !old.publishes(address, port))) {
            // What else can be wrong with one is the engine's to say: it may listen where this user can't.
            if TcpListener::bind((address, port)).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse) {
                return Err(Error::PortTaken { port, address });
            }
        }
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be at most 8192 CPUs")]
fn nano(cpus: f64) -> i64 {
    (cpus * 1e9).round() as i64
}

fn on_host(path: &str, project: &Project, surroundings: &Surroundings) -> PathBuf {
    project.path().join(surroundings.expand(path))
}

/// A path of the container, with `~` for the home directory there.
fn inside(path: &str, user: &HostUser) -> String {
    match path.strip_prefix("~/") {
        Some(below) => format!("{}/{below}", user.home()),
        None => path.to_owned(),
    }
}
