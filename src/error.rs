//! What failed, on what, why, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::engine::State;
use crate::project::ContainerName;
use crate::session::SessionName;

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
    UnknownTarget { target: String },
    #[error("`{target}` could be any of: {}", candidates.join(", "))]
    AmbiguousTarget { target: String, candidates: Vec<String> },
    #[error("`{name}` is not a name for a session: {reason}")]
    BadSessionName { name: String, reason: &'static str },

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

    #[error("there is no image `{image}` on this engine")]
    NoImage { image: String, default: bool },
    #[error("`{image}` is not the name of an image")]
    BadImageName { image: String },
    #[error("a container `{container}` exists that wharf did not make for `{project}`")]
    ForeignContainer { container: ContainerName, project: String },
    #[error("container `{container}` is not wharf's")]
    NotOurs { container: ContainerName },
    #[error("`{project}` has no container")]
    NoContainer { project: String },
    #[error("container `{container}` is {state}")]
    NotRunning { container: ContainerName, state: State },
    #[error("container `{container}` {}{}", death(*exit_code, *out_of_memory), quoted_log(log))]
    Died { container: ContainerName, exit_code: i64, out_of_memory: bool, log: Vec<String> },
    #[error("container `{container}` is gone")]
    Gone { container: ContainerName },
    #[error("there is no tmux in the image of container `{container}`")]
    NoTmux { container: ContainerName },
    #[error("no session `{session}` runs in container `{container}`{}", others(running))]
    NoSession { container: ContainerName, session: SessionName, running: Vec<SessionName> },
    #[error("session `{session}` already runs in container `{container}`, so the command was not started")]
    SessionRuns { container: ContainerName, session: SessionName },
    #[error("the session's client in container `{container}` ended with exit code {exit_code}")]
    ClientFailed { container: ContainerName, exit_code: i64 },
    #[error("container `{container}` has live sessions: {}", join(sessions))]
    LiveSessions { container: ContainerName, sessions: Vec<SessionName> },

    #[error("container `{container}` is {state}, so nobody can say whether sessions live in it")]
    UnknownSessions { container: ContainerName, state: State },

    #[error("could not {action}: tmux says: {message}")]
    Tmux { action: &'static str, message: String },
    #[error("`wharf {verb}` needs a {needs}")]
    Needs { verb: &'static str, needs: &'static str },
    #[error("{}", problems.join("\n       "))]
    Options { problems: Vec<String> },
    #[error("could not {action}: {source}")]
    Io { action: String, source: io::Error },
    #[error("cancelled")]
    Cancelled,
    #[error("{} of {total} failed", failures.len())]
    Several { failures: Vec<Error>, total: usize },
}

impl Error {
    pub fn io(action: impl Into<String>, source: io::Error) -> Self {
        Self::Io { action: action.into(), source }
    }

    /// One thing to do about it, with a command to run.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoSuchDirectory { .. } => "`wharf list` shows the projects that have a container".to_owned(),
            Self::TooWide { path } => format!("to open all of it, name it: `wharf open {}`", path.display()),
            Self::UnknownTarget { .. } => "`wharf list` shows every name; a directory works as well".to_owned(),
            Self::AmbiguousTarget { .. } => "write its parent too (`parent/base`), or the container's name".to_owned(),
            Self::EngineUnreachable { .. } => {
                "start it (`sudo systemctl start docker`), or name another in DOCKER_HOST".to_owned()
            }
            Self::EngineForbidden { .. } => "join its group (`sudo usermod -aG docker $USER`) and log in again".to_owned(),
            Self::EngineSilent { .. } => "it hangs or is overloaded; `docker version` shows whether it answers".to_owned(),
            Self::EngineAddress { .. } => "unset DOCKER_HOST, or point it at a `unix://` socket".to_owned(),
            Self::NoSuchContext { .. } => "`docker context ls` shows which there are".to_owned(),
            Self::NoImage { default: true, .. } => {
                "make it with `scripts/default-image`, or name another with `--image`".to_owned()
            }
            Self::NoImage { image, .. } => format!("get it with `docker pull {image}`, or name another with `--image`"),
            Self::ForeignContainer { container, .. } => {
                format!("look at it (`docker inspect {container}`); if you can spare it, `docker rm {container}`")
            }
            Self::NoContainer { .. } => "`wharf open` makes one".to_owned(),
            Self::NotRunning { .. } => "`wharf open` starts it".to_owned(),
            Self::Died { container, .. } => {
                format!("`docker logs {container}` has the rest; `wharf open --image` tries another image")
            }
            Self::Gone { .. } => "`wharf open` makes a new one".to_owned(),
            Self::NoTmux { .. } => "use an image with tmux 3.2 or newer: `wharf rm`, then `wharf open --image NAME`".to_owned(),
            Self::NoSession { session, .. } => format!("`wharf open --session {session}` starts it"),
            Self::SessionRuns { .. } => "name another: `wharf open --session NAME -- CMD`".to_owned(),
            Self::LiveSessions { container, .. } => format!("`wharf rm --force {container}` ends them"),
            Self::UnknownSessions { container, .. } => format!("`wharf rm --force {container}` removes it all the same"),
            Self::Needs { needs: "terminal", .. } => "`wharf open --detach` starts a session without one".to_owned(),
            Self::Needs { needs: "tmux server", .. } => "run it inside tmux, or by `run-shell` in `.tmux.conf`".to_owned(),
            _ => return None,
        };
        Some(hint)
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

fn quoted_log(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  | {line}")).collect()
}

fn others(running: &[SessionName]) -> String {
    if running.is_empty() { String::new() } else { format!(" (running: {})", join(running)) }
}

fn join(sessions: &[SessionName]) -> String {
    sessions.iter().map(SessionName::as_str).collect::<Vec<_>>().join(", ")
}
