//! What became of a project's hooks, as the container's side keeps it and the host's side asks for it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::protocol::Program;

/// A program and its arguments, or one line for a shell.
pub type Words = Vec<String>;

/// What a hook runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Command {
    One(Words),
    /// Several at once, each by its name.
    Parallel(BTreeMap<String, Words>),
}

impl Default for Command {
    fn default() -> Self {
        Self::One(Vec::new())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(words) => f.write_str(&words.join(" ")),
            Self::Parallel(commands) => {
                let each: Vec<String> = commands.iter().map(|(name, words)| format!("{name}: {}", words.join(" "))).collect();
                f.write_str(&each.join(", "))
            }
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hooks {
    /// Once for each container.
    #[serde(default)]
    pub on_create: Option<Outcome>,
    /// Likewise, behind those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_create: Option<Outcome>,
    /// Of the container's last start.
    #[serde(default)]
    pub on_start: Option<Outcome>,
    /// Of the last attach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_attach: Option<Outcome>,
}

impl Hooks {
    /// Those for which nobody waits, by name.
    pub fn in_background(self) -> Vec<(&'static str, Outcome)> {
        let named = [("after-create", self.after_create), ("on-start", self.on_start), ("on-attach", self.on_attach)];
        named.into_iter().filter_map(|(name, outcome)| Some((name, outcome?))).collect()
    }
}

/// What runs behind `on-create`, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    pub after_create: Vec<Command>,
    pub on_start: Vec<Command>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub state: State,
    /// The one that ran last.
    pub command: Command,
    /// 128 and the signal's number where a signal ended it.
    #[serde(default)]
    pub exit_code: Option<i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Running,
    Succeeded,
    Failed,
    /// It was ended before its time: by a person, or with the container.
    Interrupted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = &self.command;
        match (self.state, self.exit_code) {
            (State::Running, _) => write!(f, "running: {command}"),
            (State::Succeeded, _) => f.write_str("succeeded"),
            (State::Interrupted, _) => write!(f, "was interrupted: {command}"),
            (State::Failed, Some(code)) => write!(f, "failed with exit code {code}: {command}"),
            (State::Failed, None) => write!(f, "failed: {command}"),
        }
    }
}

/// Runs the hooks of a new container, unless they have succeeded in it already; ends with the exit code of the one that fails.
pub fn create(commands: &[Command]) -> Program {
    program("create", Some(&commands))
}

/// Starts what follows in the background, unless somebody has done so. With `waits`, it ends when they have, with the exit
/// code of the one that fails.
pub fn start(later: &Later, waits: bool) -> Program {
    program(if waits { "start-and-wait" } else { "start" }, Some(later))
}

/// Starts the hooks of an attach in the background.
pub fn attach(commands: &[Command]) -> Program {
    program("attach", Some(&commands))
}

/// Prints [`Hooks`] as JSON.
pub fn state() -> Program {
    program("state", None::<&()>)
}

fn program(verb: &str, commands: Option<&impl Serialize>) -> Program {
    let commands = commands.map(|commands| serde_json::json!(commands).to_string());
    Program::Own(["hooks", verb].map(str::to_owned).into_iter().chain(commands).collect())
}
