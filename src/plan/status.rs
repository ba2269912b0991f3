//! How a project's container stands, as a window of it says.

use std::fmt;

use crate::engine::{Container, Health, State};
use crate::session::SessionName;

/// The exit code of an init whose child was ended by SIGTERM: what a stop leaves.
const TERMINATED: i64 = 128 + 15;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Running,
    Starting,
    Paused,
    Unhealthy,
    Stopped,
    Exited(i64),
    OutOfMemory,
    /// There is no container.
    None,
    /// There is no engine that could say.
    NoEngine,
}

impl Condition {
    /// All of them; `Exited` stands for every exit code.
    pub const ALL: [Self; 9] = [
        Self::Running,
        Self::Starting,
        Self::Paused,
        Self::Unhealthy,
        Self::Stopped,
        Self::Exited(1),
        Self::OutOfMemory,
        Self::None,
        Self::NoEngine,
    ];

    pub fn of(container: &Container) -> Self {
        match (container.state, container.health) {
            (State::Running, Health::Fine) => Self::Running,
            (State::Running, Health::Unhealthy) => Self::Unhealthy,
            (State::Running, Health::Starting) | (State::Created | State::Restarting, _) => Self::Starting,
            (State::Paused, _) => Self::Paused,
            (State::Exited | State::Dead | State::Removing, _) => match container.exit_code {
                _ if container.out_of_memory => Self::OutOfMemory,
                0 | TERMINATED => Self::Stopped,
                code => Self::Exited(code),
            },
        }
    }

    /// One word, which options are named after.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Paused => "paused",
            Self::Unhealthy => "unhealthy",
            Self::Stopped => "stopped",
            Self::Exited(_) => "exited",
            Self::OutOfMemory => "oom",
            Self::None => "none",
            Self::NoEngine => "no-engine",
        }
    }

    /// Whether sessions live in the container.
    pub fn has_sessions(self) -> bool {
        matches!(self, Self::Running | Self::Starting | Self::Unhealthy | Self::Paused)
    }

    pub fn exit_code(self) -> Option<i64> {
        match self {
            Self::Exited(code) => Some(code),
            _ => None,
        }
    }
}

/// For people.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited {code}"),
            Self::OutOfMemory => f.write_str("out of memory"),
            Self::None => f.write_str("no container"),
            Self::NoEngine => f.write_str("no engine"),
            other => f.write_str(other.word()),
        }
    }
}

/// All that a window says of its project's container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub condition: Condition,
    /// Whether `wharf rebuild` would change something.
    pub has_drifted: bool,
    /// The sessions that nobody looks at and that have rung.
    pub bells: Vec<SessionName>,
    /// Whether something has happened in a session since somebody looked at it.
    pub has_activity: bool,
}

impl From<Condition> for Status {
    fn from(condition: Condition) -> Self {
        Self { condition, has_drifted: false, bells: Vec::new(), has_activity: false }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::project::Project;

    #[test]
    fn what_the_engine_says_is_a_condition() {
        let container = |state, exit_code, out_of_memory, health| Container {
            name: Project::from_label("/srv/api").container_name(),
            id: String::new(),
            state,
            exit_code,
            out_of_memory,
            health,
            labels: HashMap::new(),
            working_dir: String::new(),
            user: String::new(),
            read_only: false,
            published: Vec::new(),
            host_dir: None,
            launch: None,
        };
        for (state, exit_code, out_of_memory, health, condition) in [
            (State::Created, 0, false, Health::Fine, Condition::Starting),
            (State::Running, 0, false, Health::Fine, Condition::Running),
            // What it ended with before it was started again.
            (State::Running, 137, true, Health::Fine, Condition::Running),
            (State::Running, 0, false, Health::Starting, Condition::Starting),
            (State::Running, 0, false, Health::Unhealthy, Condition::Unhealthy),
            (State::Restarting, 1, false, Health::Fine, Condition::Starting),
            (State::Paused, 0, false, Health::Unhealthy, Condition::Paused),
            (State::Exited, 143, false, Health::Fine, Condition::Stopped),
            (State::Exited, 0, false, Health::Unhealthy, Condition::Stopped),
            (State::Exited, 137, false, Health::Fine, Condition::Exited(137)),
            (State::Exited, 137, true, Health::Fine, Condition::OutOfMemory),
            (State::Dead, 3, false, Health::Fine, Condition::Exited(3)),
        ] {
            assert_eq!(Condition::of(&container(state, exit_code, out_of_memory, health)), condition, "{state} {exit_code}");
        }
    }

    #[test]
    fn words_can_stand_in_the_name_of_an_option_and_in_a_format() {
        for condition in Condition::ALL {
            assert!(condition.word().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{condition}");
        }
    }
}
