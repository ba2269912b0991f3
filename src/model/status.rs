//! How a project's container stands, as a window of it says.

use std::fmt;

use super::SessionName;

/// How a container stands, in the words that people read.
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
    /// The sessions that wait for their user.
    pub waiting: Vec<SessionName>,
    /// Whether something has happened in a session since somebody looked at it.
    pub has_activity: bool,
}

impl From<Condition> for Status {
    fn from(condition: Condition) -> Self {
        Self { condition, has_drifted: false, bells: Vec::new(), waiting: Vec::new(), has_activity: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_can_stand_in_the_name_of_an_option_and_in_a_format() {
        for condition in Condition::ALL {
            assert!(condition.word().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{condition}");
        }
    }
}
