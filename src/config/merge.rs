//! The layers of the configuration → the one that counts.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::keyed::Keyed;
use super::machine::Machine;
use super::part::{
    Build, Command, Dotfiles, Feature, Limits, Mount, OnExit, Part, Pattern, Port, Profile, Property, Ready, Root,
    SecurityOption, Session, SessionVariable, Span, Ssh, User, Variable, Volume, WaitFor, Way, WorkspaceSource,
};
use super::source::{Source, Sourced};
use crate::model::SessionName;

pub const DEFAULT_IMAGE: &str = "wharf-default:latest";
/// What it is where GPUs are configured.
pub const DEFAULT_GPU_IMAGE: &str = "wharf-default-gpu:latest";

/// How long programs may take to end with their container.
pub const DEFAULT_STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// What counts, of all layers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    pub image: Sourced<Image>,
    pub features: Vec<Sourced<Feature>>,
    pub feature_order: Option<Sourced<Vec<String>>>,
    pub user: Sourced<User>,
    pub sudo: Sourced<bool>,
    /// At the project's own path where `None`.
    pub workspace: Option<Sourced<String>>,
    /// What is mounted there; the project where `None`.
    pub workspace_source: Option<Sourced<WorkspaceSource>>,
    /// Where sessions begin, in the container; where the project is where `None`.
    pub directory: Option<Sourced<String>>,
    pub shell: Option<Sourced<String>>,
    pub sessions: Vec<Sourced<Session>>,
    pub mounts: Vec<Sourced<Mount>>,
    pub volumes: Vec<Sourced<Volume>>,
    pub env: Vec<Sourced<Variable>>,
    pub session_env: Vec<Sourced<SessionVariable>>,
    pub ports: Vec<Sourced<Port>>,
    pub ssh: Option<Sourced<Ssh>>,
    pub limits: Limits,
    #[serde(flatten)]
    pub machine: Machine,
    pub network: Option<Sourced<String>>,
    pub privileged: Option<Sourced<bool>>,
    pub security: Vec<Sourced<SecurityOption>>,
    pub on_host: Vec<Sourced<Command>>,
    pub on_create: Vec<Sourced<Command>>,
    pub after_create: Vec<Sourced<Command>>,
    pub on_start: Vec<Sourced<Command>>,
    pub on_attach: Vec<Sourced<Command>>,
    /// `on-create` where `None`.
    pub wait_for: Option<Sourced<WaitFor>>,
    pub on_exit: Sourced<OnExit>,
    pub idle_stop: Option<Sourced<Span>>,
    /// [`DEFAULT_STOP_TIMEOUT`] where `None`.
    pub stop_timeout: Option<Sourced<Span>>,
    pub ready: Option<Sourced<Ready>>,
    pub masks: Vec<Sourced<Pattern>>,
    pub allowed: Vec<Sourced<Pattern>>,
    pub attach: Sourced<Way>,
    pub profiles: Vec<Sourced<Profile>>,
    pub projects: Vec<Sourced<Root>>,
    pub properties: Vec<Sourced<Property>>,
    pub worktrees: Option<Sourced<String>>,
    pub dotfiles: Option<Sourced<Dotfiles>>,
}

/// Where the image comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Image {
    Named(String),
    Built(Build),
}

/// Merges the layers, the farthest first. Of what can be written once the nearest layer's counts, each limit by itself, and
/// `image` and `build` are one, and what they are by default is up to `limits gpus=`. In a list, an entry replaces the one with the same key; what is new comes behind. Hooks have no
/// key: all of them run, the farthest layer's first.
pub fn merge(layers: impl IntoIterator<Item = Part>) -> Config {
    let mut config = Config::default();
    for part in layers {
        let targets: BTreeSet<String> = part.targets().map(str::to_owned).collect();
        let image = part.image.map(|image| Sourced { value: Image::Named(image.value), from: image.from });
        let build = part.build.map(|build| Sourced { value: Image::Built(build.value), from: build.from });
        replace(&mut config.image, image.or(build));
        replace(&mut config.user, part.user);
        replace(&mut config.sudo, part.sudo);
        replace(&mut config.on_exit, part.on_exit);
        replace(&mut config.attach, part.attach);
        config.privileged = part.privileged.or(config.privileged);
        replace_entries(&mut config.security, part.security);
        if part.workspace.is_some() {
            (config.workspace, config.workspace_source) = (part.workspace, part.workspace_source);
        }
        config.directory = part.directory.or(config.directory);
        config.shell = part.shell.or(config.shell);
        config.dotfiles = part.dotfiles.or(config.dotfiles);
        config.ssh = part.ssh.or(config.ssh);
        config.worktrees = part.worktrees.or(config.worktrees);
        config.network = part.network.or(config.network);
        config.idle_stop = part.idle_stop.or(config.idle_stop);
        config.stop_timeout = part.stop_timeout.or(config.stop_timeout);
        config.ready = part.ready.or(config.ready);
        config.limits.memory = part.limits.memory.or(config.limits.memory);
        config.limits.cpus = part.limits.cpus.or(config.limits.cpus);
        config.limits.pids = part.limits.pids.or(config.limits.pids);
        config.limits.gpus = part.limits.gpus.or(config.limits.gpus);
        config.limits.shm = part.limits.shm.or(config.limits.shm);
        // There is one thing at a path.
        config.volumes.retain(|volume| !targets.contains(&volume.target));
        config.mounts.retain(|mount| !targets.contains(&mount.target));
        config.machine.tmpfs.retain(|tmpfs| !targets.contains(&tmpfs.target));
        merge_machine(&mut config.machine, part.machine);
        config.feature_order = part.feature_order.or(config.feature_order);
        replace_entries(&mut config.features, part.features);
        replace_entries(&mut config.sessions, part.sessions);
        replace_entries(&mut config.mounts, part.mounts);
        replace_entries(&mut config.volumes, part.volumes);
        replace_entries(&mut config.env, part.variables);
        replace_entries(&mut config.session_env, part.session_variables);
        replace_entries(&mut config.ports, part.ports);
        replace_entries(&mut config.masks, part.masks);
        replace_entries(&mut config.allowed, part.allowed);
        replace_entries(&mut config.profiles, part.profiles);
        replace_entries(&mut config.projects, part.projects);
        config.on_host.extend(part.on_host);
        config.on_create.extend(part.on_create);
        config.after_create.extend(part.after_create);
        config.on_attach.extend(part.on_attach);
        config.wait_for = part.wait_for.or(config.wait_for);
        config.on_start.extend(part.on_start);
        config.properties.extend(part.properties);
    }
    if config.image.from == Source::Default && config.limits.gpus.is_some() {
        config.image = Sourced::default(Image::Named(DEFAULT_GPU_IMAGE.to_owned()));
    }
    config
}

fn merge_machine(machine: &mut Machine, nearer: Machine) {
    replace_entries(&mut machine.ulimits, nearer.ulimits);
    replace_entries(&mut machine.tmpfs, nearer.tmpfs);
    replace_entries(&mut machine.devices, nearer.devices);
    replace_entries(&mut machine.capabilities, nearer.capabilities);
    replace_entries(&mut machine.hosts, nearer.hosts);
    replace_entries(&mut machine.dns, nearer.dns);
    machine.hostname = nearer.hostname.or(machine.hostname.take());
    machine.host_access = nearer.host_access.or(machine.host_access.take());
}

fn replace<T>(value: &mut T, nearer: Option<T>) {
    if let Some(nearer) = nearer {
        *value = nearer;
    }
}

fn replace_entries<T: Keyed>(entries: &mut Vec<Sourced<T>>, nearer: Vec<Sourced<T>>) {
    for entry in nearer {
        match entries.iter_mut().find(|earlier| earlier.key() == entry.key()) {
            Some(earlier) => *earlier = entry,
            None => entries.push(entry),
        }
    }
}

impl Config {
    /// What is written about a session of this name.
    pub fn session(&self, name: &SessionName) -> Option<&Session> {
        self.sessions.iter().find(|session| session.name == *name).map(|session| &session.value)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            image: Sourced::default(Image::Named(DEFAULT_IMAGE.to_owned())),
            features: Vec::new(),
            feature_order: None,
            user: Sourced::default(User::Host),
            sudo: Sourced::default(false),
            workspace: None,
            workspace_source: None,
            directory: None,
            shell: None,
            sessions: Vec::new(),
            mounts: Vec::new(),
            volumes: Vec::new(),
            env: Vec::new(),
            session_env: Vec::new(),
            ports: Vec::new(),
            ssh: None,
            limits: Limits::default(),
            machine: Machine::default(),
            network: None,
            privileged: None,
            security: Vec::new(),
            on_host: Vec::new(),
            on_create: Vec::new(),
            after_create: Vec::new(),
            on_start: Vec::new(),
            on_attach: Vec::new(),
            wait_for: None,
            on_exit: Sourced::default(OnExit::Keep),
            idle_stop: None,
            stop_timeout: None,
            ready: None,
            masks: Vec::new(),
            allowed: Vec::new(),
            attach: Sourced::default(Way::Relay),
            profiles: Vec::new(),
            projects: Vec::new(),
            properties: Vec::new(),
            worktrees: None,
            dotfiles: None,
        }
    }
}
