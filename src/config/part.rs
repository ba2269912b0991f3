//! What one file says, or the flags: everything is optional.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::keyed::keyed;
use super::machine::Machine;
use super::source::Sourced;
use crate::config::age;
use crate::model::SessionName;
pub use crate::protocol::hooks::Command;

/// One layer of the configuration. What can be written more than once is a list; its entries are told apart by their
/// [`super::keyed::Keyed::key`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Part {
    pub image: Option<Sourced<String>>,
    pub build: Option<Sourced<Build>>,
    pub features: Vec<Sourced<Feature>>,
    /// Features to install first, as far as others allow it.
    pub feature_order: Option<Sourced<Vec<String>>>,
    pub user: Option<Sourced<User>>,
    /// Whether programs of the user may become root's.
    pub sudo: Option<Sourced<bool>>,
    pub workspace: Option<Sourced<String>>,
    pub workspace_source: Option<Sourced<WorkspaceSource>>,
    pub directory: Option<Sourced<String>>,
    pub shell: Option<Sourced<String>>,
    pub sessions: Vec<Sourced<Session>>,
    pub mounts: Vec<Sourced<Mount>>,
    pub volumes: Vec<Sourced<Volume>>,
    pub variables: Vec<Sourced<Variable>>,
    pub session_variables: Vec<Sourced<SessionVariable>>,
    pub ports: Vec<Sourced<Port>>,
    pub ssh: Option<Sourced<Ssh>>,
    pub limits: Limits,
    #[serde(flatten)]
    pub machine: Machine,
    pub network: Option<Sourced<String>>,
    /// Whether the container is no boundary at all; only a devcontainer.json can ask for it.
    pub privileged: Option<Sourced<bool>>,
    pub security: Vec<Sourced<SecurityOption>>,
    /// On the host, before the container starts.
    pub on_host: Vec<Sourced<Command>>,
    pub on_create: Vec<Sourced<Command>>,
    /// Once as well, but nobody waits for it.
    pub after_create: Vec<Sourced<Command>>,
    pub on_start: Vec<Sourced<Command>>,
    pub on_attach: Vec<Sourced<Command>>,
    pub wait_for: Option<Sourced<WaitFor>>,
    pub on_exit: Option<Sourced<OnExit>>,
    pub idle_stop: Option<Sourced<Span>>,
    pub stop_timeout: Option<Sourced<Span>>,
    pub ready: Option<Sourced<Ready>>,
    pub masks: Vec<Sourced<Pattern>>,
    pub allowed: Vec<Sourced<Pattern>>,
    pub attach: Option<Sourced<Way>>,
    pub profiles: Vec<Sourced<Profile>>,
    pub projects: Vec<Sourced<Root>>,
    /// What became of each property of a devcontainer.json.
    pub properties: Vec<Sourced<Property>>,
    /// Where worktrees of branches are, relative to the repository.
    pub worktrees: Option<Sourced<String>>,
    pub dotfiles: Option<Sourced<Dotfiles>>,
}

impl Part {
    /// The paths in the container at which something is mounted.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        let mounts = self.mounts.iter().map(|mount| mount.target.as_str());
        let volumes = self.volumes.iter().map(|volume| volume.target.as_str());
        mounts.chain(volumes).chain(self.machine.tmpfs.iter().map(|tmpfs| tmpfs.target.as_str()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Build {
    /// A Dockerfile, or its directory; relative to the project.
    pub path: String,
    /// The directory whose files the build can see, likewise; by default a Dockerfile's is the project.
    pub context: Option<String>,
    pub target: Option<String>,
    pub arguments: Vec<(String, String)>,
    /// Images whose layers may be used again.
    pub cache_from: Vec<String>,
}

/// A part of an environment that others have packed, to be installed into the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feature {
    /// In a registry (`ghcr.io/…:1`), at an address (`https://…`), or in a directory (`./…`, relative to the project).
    pub id: String,
    pub options: BTreeMap<String, String>,
}

/// Who commands run as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum User {
    /// The host's user.
    Host,
    Root,
    /// One of the image.
    Named(String),
    /// One of the image that gets the host user's uid and gid, so that files belong to the same person on both sides.
    Mapped(String),
    /// Whoever the image says.
    Image {
        /// With the host user's uid and gid, unless it is root.
        is_mapped: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    pub name: SessionName,
    /// A shell where it is empty.
    pub command: Vec<String>,
    pub autostart: bool,
    /// In the container; relative to the project.
    pub directory: Option<String>,
    /// By which signal the command is told that the container stops: one of [`crate::model::stop_signal::NAMES`]; a hangup where `None`.
    pub stop_signal: Option<&'static str>,
    /// Whether the command is run again when it fails.
    pub restarts_on_failure: bool,
    pub ready: Option<Ready>,
}

/// What has to be so until a container, or a session, is ready; all of what is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// A shell line that succeeds in the container.
    pub command: Option<String>,
    /// A port that something in the container listens at.
    pub port: Option<u16>,
    /// A regular expression that matches a line: of what the session has printed, or of the container's log.
    pub line: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// On the host: absolute, below the home directory (`~/…`), or relative to the project.
    pub source: String,
    pub target: String,
    pub readonly: bool,
    /// Whether the container does without it where the host has no such thing.
    #[serde(skip_serializing_if = "is_not")]
    pub optional: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it")]
fn is_not(flag: &bool) -> bool {
    !flag
}

/// A person's own files, put into each new home directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dotfiles {
    /// A directory of the host, or what git clones.
    pub source: String,
    /// What is run where they are, in the container; nothing where it is empty.
    pub install: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// The project's own: no other project has the same volume by the same name, unless it is shared.
    pub name: String,
    pub target: String,
    /// Whether it is the engine's volume of just that name, which other containers may have as well.
    pub is_shared: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    pub name: String,
    /// The host's own where `None`.
    pub value: Option<String>,
    /// How it is written, where the value has something of the host's environment: that is nobody else's to read.
    pub written: Option<String>,
}

/// What sessions and hooks have beyond the container's own environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionVariable {
    pub name: String,
    /// `${containerEnv:NAME}` in it is what the container has by that name. Taken away where `None`.
    pub value: Option<String>,
    /// As of a [`Variable`].
    pub written: Option<String>,
}

/// The port that stands for any that is free.
pub const AUTO: u16 = 0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Port {
    pub container: u16,
    /// [`AUTO`] where the engine is to choose one.
    pub host: u16,
    pub address: std::net::IpAddr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ssh {
    pub port: Option<u16>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Limits {
    /// In bytes.
    pub memory: Option<Sourced<u64>>,
    pub cpus: Option<Sourced<f64>>,
    pub pids: Option<Sourced<u32>>,
    pub gpus: Option<Sourced<Gpus>>,
    /// Of `/dev/shm`, in bytes.
    pub shm: Option<Sourced<u64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gpus {
    All,
    Count(u16),
    /// All there are, if any.
    Optional,
}

/// What of the life cycle has to be done before anybody enters a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitFor {
    OnCreate,
    OnStart,
}

/// What takes the project's place at its mount point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkspaceSource {
    /// Another directory of the host; written as that of a [`Mount`].
    Directory(String),
    /// The engine's volume of this name.
    Volume(String),
    Nothing,
}

/// What becomes of the container when its last session ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnExit {
    #[default]
    Keep,
    Stop,
    Remove,
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

/// Files of the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pattern(pub String);

/// Which way leads into the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    Relay,
    Exec,
}

/// A named set of the same keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    pub name: String,
    #[serde(flatten)]
    pub part: Part,
}

/// A property of a devcontainer.json.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Property {
    /// Its path, as in `build.target`.
    pub name: String,
    /// What wharf does with it.
    pub becomes: String,
    /// Whether people should hear of it when the container is made.
    pub is_notable: bool,
}

/// What a kernel's security module does with the container, as the engine takes it; only a devcontainer.json can ask for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecurityOption(pub String);

/// A directory that projects are in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Root(pub String);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&age::written(self.0))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

keyed! {
    Session: name;
    Mount: target;
    Feature: id;
    SecurityOption: 0;
    Volume: target;
    Variable: name;
    SessionVariable: name;
    Port: container;
    Pattern: 0;
    Profile: name;
    Root: 0;
}
