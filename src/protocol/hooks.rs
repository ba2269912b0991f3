//! What became of a project's hooks, as the container's side keeps it and the host's side asks for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::protocol::Program;

/// A program and its arguments, or one line for a shell.
pub type Command = Vec<String>;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hooks {
    /// Once for each container.
    #[serde(default)]
    pub on_create: Option<Outcome>,
    /// Of the container's last start.
    #[serde(default)]
    pub on_start: Option<Outcome>,
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
        let command = self.command.join(" ");
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
    program("create", Some(commands))
}

/// Starts the hooks of this start in the background, unless somebody has done so.
pub fn start(commands: &[Command]) -> Program {
    program("start", Some(commands))
}

/// Prints [`Hooks`] as JSON.
pub fn state() -> Program {
    program("state", None)
}

fn program(verb: &str, commands: Option<&[Command]>) -> Program {
    let commands = commands.map(|commands| serde_json::json!(commands).to_string());
    Program::Own(["hooks", verb].map(str::to_owned).into_iter().chain(commands).collect())
}
