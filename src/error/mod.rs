//! What failed, on what, why, and what to do about it.

mod hint;
mod problem;

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use problem::{Problem, Problems, place};

use crate::model::{BadSessionName, ContainerName, SessionName, State, native_architecture};

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no directory `{}`", path.display())]
    NoSuchDirectory { path: PathBuf },
    #[error("`{}` is not a directory", path.display())]
    NotADirectory { path: PathBuf },
    #[error("the path `{}` is not UTF-8, and the engine's API takes no other", path.display())]
    PathNotUtf8 { path: PathBuf },
    #[error("`{}` is too much for one project", path.display())]
    TooWide { path: PathBuf },
    #[error("no project or container is called `{target}`")]
    UnknownTarget { target: String, nearest: Option<String> },
    #[error("`{target}` could be any of: {}", candidates.join(", "))]
    AmbiguousTarget { target: String, candidates: Vec<String> },
    #[error("`{host}` could be any of: {}", candidates.join(", "))]
    AmbiguousHost { host: String, candidates: Vec<String> },
    #[error(transparent)]
    BadSessionName(#[from] BadSessionName),

    #[error("{}", files.iter().map(Problems::to_string).collect::<Vec<_>>().join("\n"))]
    Configuration { files: Vec<Problems> },
    #[error("there is no profile `{name}`")]
    NoProfile { name: String, nearest: Option<String> },
    #[error("`limits gpus=` is configured, and this engine has no way to give a container GPUs")]
    NoGpus,
    #[error("there is nothing to mount at `{}`", path.display())]
    NoMountSource { path: PathBuf },
    #[error("you may not read `{}`", path.display())]
    MayNotRead { path: PathBuf },
    #[error("there is no character device `{path}` on this machine")]
    NoDevice { path: String },
    #[error("`{}` can't be mounted: {reason}", path.display())]
    ForbiddenMount { path: PathBuf, reason: &'static str },
    #[error("this engine can't be told to mount `{}`: it has a colon, and a comma, a quotation mark or a line's end", path.display())]
    UnsayablePath { path: PathBuf },
    #[error("`{}` leads out of the project, to `{}`", path.display(), to.display())]
    MountLeadsOut { path: PathBuf, to: PathBuf },
    #[error("`{}`, which container `{container}` mounts, {}", path.display(), became(to.as_deref()))]
    MountMoved { container: ContainerName, path: PathBuf, to: Option<PathBuf> },
    #[error("`{}`, which container `{container}` is not to see, is not where it was", path.display())]
    MaskMoved { container: ContainerName, path: PathBuf },
    #[error("port {port} of {address} is in use")]
    PortTaken { port: u16, address: IpAddr },
    #[error("a network `{name}` exists that wharf did not make")]
    ForeignNetwork { name: String },
    #[error("nothing was copied: {sides}")]
    OneSide { sides: &'static str },
    #[error("there is no `{path}` in container `{container}`")]
    NoSuchPlace { container: ContainerName, path: String },
    #[error("there is no `{}`", path.display())]
    NoProjectFile { path: PathBuf },
    #[error("there is no devcontainer.json called `{name}`")]
    NoDevcontainer { name: String, known: Vec<String> },
    #[error("the project has several devcontainer.json files, and none of them is the usual one")]
    SeveralDevcontainers { names: Vec<String> },

    #[error("`{}` is in no git repository", path.display())]
    NotARepository { path: PathBuf },
    #[error("git {verb}: {message}")]
    Git { verb: String, message: String },
    #[error("branch `{branch}` has no worktree")]
    NoBranchHere { branch: String },
    #[error(
        "branch `{branch}` has work that is nowhere else{}{}",
        named_lines("uncommitted", uncommitted),
        named_lines("unmerged", unmerged)
    )]
    UnfinishedBranch { branch: String, uncommitted: Vec<String>, unmerged: Vec<String> },
    #[error("there is no command to give the prompt to")]
    PromptWithoutCommand,

    #[error("no container engine at `{}`: {source}", socket.display())]
    EngineUnreachable { socket: PathBuf, source: io::Error },
    #[error("no permission to use the container engine at `{}`", socket.display())]
    EngineForbidden { socket: PathBuf },
    #[error("the container engine at `{}` did not answer within {} ms", socket.display(), within.as_millis())]
    EngineSilent { socket: PathBuf, within: Duration },
    #[error("cannot reach an engine at `{address}`: only unix sockets are supported")]
    EngineAddress { address: String },
    #[error("there is no Docker context `{context}`")]
    NoSuchContext { context: String },
    #[error("could not {action}: {message}")]
    Engine { action: String, message: String, status: Option<u16> },
    #[error("could not {action}: the engine did not finish within {} s", within.as_secs())]
    EngineSlow { action: String, within: Duration },

    #[error("could not {action}: nothing was heard of it for {} s", within.as_secs())]
    Stalled { action: String, within: Duration },

    #[error("could not pull image `{image}`: {message}")]
    Pull { image: String, registry: Option<String>, message: String },
    #[error("there is no Dockerfile `{}`", path.display())]
    NoDockerfile { path: PathBuf },
    #[error("`{}` has no pattern in line {line}: `{pattern}`", path.display())]
    BadIgnorePattern { path: PathBuf, line: usize, pattern: String },
    #[error("could not read `{}`, which is part of what the image is built of: {source}", path.display())]
    BuildContext { path: PathBuf, source: io::Error },
    #[error("could not build image `{image}`{}: {message}{}", in_step(step.as_deref()), quoted_log(output))]
    Build { image: String, dockerfile: PathBuf, step: Option<String>, message: String, output: Vec<String> },
    #[error("could not build image `{image}`{}: {message}{}", in_step(step.as_deref()), quoted_log(output))]
    DefaultImage { image: &'static str, step: Option<String>, message: String, output: Vec<String> },
    #[error("could not get feature `{id}`: {message}")]
    Feature { id: String, message: String },
    #[error("could not install feature `{id}`: {message}{}", quoted_log(output))]
    FeatureFailed { id: String, message: String, output: Vec<String> },
    #[error("could not make a root file system: {message}{}", quoted_log(output))]
    Rootfs { message: String, output: Vec<String> },
    #[error("{source}")]
    NoBase { source: Box<Error> },
    #[error("there is no image `{image}` on this engine")]
    NoImage { image: String },
    #[error("image `{image}` has no user `{name}`")]
    NoUser { image: String, name: String, users: Vec<String> },
    #[error("`{image}` is not the name of an image")]
    BadImageName { image: String },
    #[error("a container `{container}` exists that wharf did not make for `{project}`")]
    ForeignContainer { container: ContainerName, project: String },
    #[error("a container `{container}` exists that wharf did not make")]
    NameTaken { container: String },
    #[error("container `{container}` exists already, and is not removed when its last session ends")]
    IsKept { container: ContainerName },
    #[error("container `{container}` is removed when it ends, so it can't be started again")]
    GoesWithItsEnd { container: ContainerName },
    #[error("container `{container}` is not wharf's")]
    NotOurs { container: ContainerName },
    #[error("`{project}` has no container")]
    NoContainer { project: String },
    #[error("container `{container}` is {state}")]
    NotRunning { container: ContainerName, state: State },
    #[error("container `{container}` {}{}", death(*exit_code, *out_of_memory), quoted_log(log))]
    Died { container: ContainerName, exit_code: i64, out_of_memory: bool, log: Vec<String> },
    #[error("container `{container}` runs, and was not ready within {} s{}", within.as_secs(), quoted_log(log))]
    NeverReady { container: ContainerName, within: Duration, log: Vec<String> },
    #[error("image `{image}` is for {architecture}, and this machine is {}{}", native_architecture(), quoted_log(log))]
    OtherArchitecture { image: String, architecture: String, log: Vec<String> },
    #[error("container `{container}` is gone")]
    Gone { container: ContainerName },
    #[error("there is no tmux that works in container `{container}`")]
    NoTmux { container: ContainerName },
    #[error("there is no wharf-guest for {architecture} on this machine; looked for {}", quoted_paths(looked_for))]
    NoGuest { architecture: String, looked_for: Vec<PathBuf> },
    #[error("there is no tmux on this machine that could be put into a container")]
    NoTmuxOnHost,
    #[error("`{}` can't be put into a container: {reason}", path.display())]
    NotPortable { path: PathBuf, reason: String },
    #[error("`{hook}` failed in container `{container}` with exit code {exit_code}: {command}{}", quoted_log(log))]
    HookFailed { container: ContainerName, hook: &'static str, command: String, exit_code: i32, log: Vec<String> },
    #[error("there is no sshd in container `{container}`")]
    NoSshd { container: ContainerName },
    #[error("container `{container}` was made without what an sshd of root's needs")]
    SshdOfRoot { container: ContainerName },
    #[error("there is no public key in `~/.ssh`, and none in the ssh agent")]
    NoPublicKey,
    #[error("`--ssh-port` was given, and `ssh` is not configured")]
    NoSsh,
    #[error("`{port}` in WHARF_SSH_PORT is not a port")]
    BadSshPort { port: String },
    #[error("there is no shell in the image of container `{container}`")]
    NoShell { container: ContainerName },
    #[error("could not get into container `{container}`: {message}")]
    NoWayIn { container: ContainerName, message: String },
    #[error(
        "could not get into container `{container}`: its relay speaks version {theirs} of the protocol, and this wharf {ours}"
    )]
    OtherVersion { container: ContainerName, theirs: u16, ours: u16 },
    #[error("could not {action} in container `{container}`: {message}")]
    Inside { container: ContainerName, action: String, message: String },
    #[error("container `{container}` was made by an older wharf, without the volume of tools")]
    NoTools { container: ContainerName },
    #[error("lost the connection to container `{container}`: {source}")]
    Lost { container: ContainerName, source: io::Error },
    #[error("no session `{session}` runs in container `{container}`{}", others(running))]
    NoSession { container: ContainerName, session: SessionName, running: Vec<SessionName> },
    #[error("session `{session}` of container `{container}` has ended with exit code {exit_code}{}", quoted_log(lines))]
    SessionEnded { container: ContainerName, session: SessionName, exit_code: i32, lines: Vec<String> },
    #[error("it was not so within {} s", limit.as_secs_f64())]
    WaitedTooLong { limit: Duration },
    #[error("session `{session}` of container `{container}` is gone")]
    SessionGone { container: ContainerName, session: SessionName },
    #[error("`{target}` names a session, and `--session {session}` another")]
    TwoSessions { target: String, session: SessionName },
    #[error("session `{session}` already runs in container `{container}`, so the command was not started")]
    SessionRuns { container: ContainerName, session: SessionName },
    #[error("the session's client in container `{container}` ended with exit code {exit_code}")]
    ClientFailed { container: ContainerName, exit_code: i64 },
    #[error("container `{container}` has live sessions: {}", sessions.join(", "))]
    LiveSessions { container: ContainerName, sessions: Vec<String>, verb: &'static str },

    #[error("container `{container}` is {state}, so nobody can say whether sessions live in it")]
    UnknownSessions { container: ContainerName, state: State, verb: &'static str },

    #[error("could not {action}: tmux says: {message}")]
    Tmux { action: &'static str, message: String },
    #[error("`wharf {verb}` needs a {needs}")]
    Needs { verb: &'static str, needs: &'static str },
    #[error("{}", problems.join("\n       "))]
    Options { problems: Vec<String> },
    #[error("could not {action}: {source}")]
    Io { action: String, source: io::Error },
    #[error("nobody can be asked whether to remove {}", what.join(", "))]
    NobodyToAsk { what: Vec<String> },
    #[error("cancelled")]
    Cancelled,
    #[error("{} of {total} failed", failures.len())]
    Several { failures: Vec<Error>, total: usize },
}

impl Error {
    pub fn io(action: impl Into<String>, source: io::Error) -> Self {
        Self::Io { action: action.into(), source }
    }

    pub fn lost(container: &ContainerName, source: io::Error) -> Self {
        Self::Lost { container: container.clone(), source }
    }

    /// All that is wrong with the configuration, of several errors; the first that is about something else comes first.
    pub fn all_of_configuration(errors: impl IntoIterator<Item = Self>) -> Self {
        let mut files = Vec::new();
        for error in errors {
            match error {
                Self::Configuration { files: more } => files.extend(more),
                other => return other,
            }
        }
        Self::Configuration { files }
    }

    /// Whether there is no engine any more that could be asked for anything else.
    pub fn is_engine_lost(&self) -> bool {
        matches!(self, Self::EngineUnreachable { .. } | Self::EngineSilent { .. } | Self::EngineForbidden { .. })
    }

    /// Whether nothing runs in the container any more, or there is none.
    pub fn is_stopped(&self) -> bool {
        match self {
            Self::NotRunning { state, .. } => !state.is_up(),
            Self::NoContainer { .. } | Self::Gone { .. } | Self::Died { .. } => true,
            _ => false,
        }
    }

    /// Whether the engine refused to write, since the container is to be read-only.
    pub fn says_read_only(&self) -> bool {
        matches!(self, Self::Engine { status: Some(_), message, .. } if message.contains("read-only"))
    }

    /// Whether another launch was first: the name is taken, or what was seen is gone or has changed since.
    pub fn is_lost_race(&self) -> bool {
        self.is_status(404) || self.is_status(409)
    }

    /// The id of a container that the engine was killed in the middle of starting or ending: its runtime holds on to it, and the
    /// engine, which does not know, can't start it from then on (seen with Engine 20.10).
    pub fn held_container(&self) -> Option<&str> {
        let Self::Engine { message, .. } = self else { return None };
        let (_, said) = message.split_once("task ")?;
        let (id, _) = said.split_once(": already exists")?;
        (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
    }

    /// Whether the engine answered with this HTTP status.
    pub fn is_status(&self, status: u16) -> bool {
        matches!(self, Self::Engine { status: Some(s), .. } if *s == status)
    }
}

fn death(exit_code: i64, out_of_memory: bool) -> String {
    if out_of_memory {
        format!("ran out of memory and was killed (exit code {exit_code})")
    } else {
        format!("ended with exit code {exit_code}")
    }
}

fn in_step(step: Option<&str>) -> String {
    step.map(|step| format!(" in step {step}")).unwrap_or_default()
}

fn became(to: Option<&Path>) -> String {
    to.map_or_else(|| "can't be looked at".to_owned(), |to| format!("leads to `{}` now", to.display()))
}

fn quoted_paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>().join(", ")
}

fn quoted_log(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  | {line}")).collect()
}

fn named_lines(what: &str, lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  {what}: {line}")).collect()
}

fn others(running: &[SessionName]) -> String {
    if running.is_empty() { String::new() } else { format!(" (running: {})", join(running)) }
}

fn join(sessions: &[SessionName]) -> String {
    sessions.iter().map(SessionName::as_str).collect::<Vec<_>>().join(", ")
}
