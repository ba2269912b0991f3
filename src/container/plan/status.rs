//! What the engine says of a container, as the condition that people read.

use crate::engine::{Container, Health};
use crate::model::{Condition, State};

/// The exit code of an init whose child was ended by SIGTERM: what a stop leaves.
const TERMINATED: i64 = 128 + 15;

impl Condition {
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
}
