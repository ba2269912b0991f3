//! What one file says, or the flags: everything is optional.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::keyed::keyed;
use super::machine::Machine;
use super::source::Sourced;
use crate::config::age;
use crate::model::SessionName;

/// One layer of the configuration. What can be written more than once is a list; its entries are told apart by their
/// [`super::keyed::Keyed::key`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Part {
    pub image: Option<Sourced<String>>,
    pub build: Option<Sourced<Build>>,
    pub user: Option<Sourced<User>>,
    /// Whether programs of the user may become root's.
    pub sudo: Option<Sourced<bool>>,
    pub workspace: Option<Sourced<String>>,
    pub shell: Option<Sourced<String>>,
    pub sessions: Vec<Sourced<Session>>,
    pub mounts: Vec<Sourced<Mount>>,
    pub volumes: Vec<Sourced<Volume>>,
    pub variables: Vec<Sourced<Variable>>,
    pub ports: Vec<Sourced<Port>>,
    pub ssh: Option<Sourced<Ssh>>,
    pub limits: Limits,
    #[serde(flatten)]
    pub machine: Machine,
    pub network: Option<Sourced<String>>,
    pub on_create: Vec<Sourced<Command>>,
    pub on_start: Vec<Sourced<Command>>,
    pub on_exit: Option<Sourced<OnExit>>,
    pub idle_stop: Option<Sourced<Span>>,
    pub stop_timeout: Option<Sourced<Span>>,
    pub ready: Option<Sourced<Ready>>,
    pub masks: Vec<Sourced<Pattern>>,
    pub allowed: Vec<Sourced<Pattern>>,
    pub attach: Option<Sourced<Way>>,
    pub profiles: Vec<Sourced<Profile>>,
    pub projects: Vec<Sourced<Root>>,
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
    pub target: Option<String>,
    pub arguments: Vec<(String, String)>,
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
    /// The project's own: no other project has the same volume by the same name.
    pub name: String,
    pub target: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    pub name: String,
    /// The host's own where `None`.
    pub value: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Port {
    pub container: u16,
    /// Any that is free where it is 0.
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
}

/// A program and its arguments, or one line for a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Command(pub Vec<String>);

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
    Volume: target;
    Variable: name;
    Port: container;
    Pattern: 0;
    Profile: name;
    Root: 0;
}
