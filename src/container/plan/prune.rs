//! What nobody needs any more, of what belongs to projects.

use std::time::Duration;

use crate::engine::Idle;
use crate::model::State;
use crate::project::Project;

/// What to prune besides what is orphaned.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Every container that does not run.
    pub all: bool,
    /// Nothing that was used since.
    pub older_than: Option<Duration>,
}

/// What the engine has of one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belongings {
    pub project: Project,
    /// Whether the project's directory is gone.
    pub is_orphaned: bool,
    pub container: Option<Idle>,
    /// The container that a rebuild has set aside, and was killed.
    pub has_aside: bool,
    /// Names, and how long ago they were made.
    pub volumes: Vec<(String, Duration)>,
}

/// What goes of one project: its container, then its volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    pub project: Project,
    pub is_orphaned: bool,
    pub container: Option<Idle>,
    pub aside: bool,
    pub volumes: Vec<String>,
}

/// What goes. The volumes of a project that exists are never among it.
pub fn prune(belongings: Vec<Belongings>, rules: Rules) -> Vec<Pruned> {
    let is_old = |age: Duration| rules.older_than.is_none_or(|limit| age >= limit);
    let goes = |idle: &Idle, is_orphaned: bool| {
        let is_stopped = matches!(idle.state, State::Created | State::Exited | State::Dead);
        is_old(idle.since) && (is_orphaned || rules.all && is_stopped)
    };
    let of_one = |had: Belongings| {
        let is_left = had.container.as_ref().is_some_and(|idle| !goes(idle, had.is_orphaned));
        let has_none = had.container.is_none();
        let container = had.container.filter(|_| !is_left);
        // They are a container's for as long as there is one.
        let volumes = had.volumes.into_iter().filter(|(_, age)| had.is_orphaned && !is_left && (!has_none || is_old(*age)));
        Pruned {
            aside: had.has_aside && had.is_orphaned && !is_left,
            volumes: volumes.map(|(name, _)| name).collect(),
            container,
            is_orphaned: had.is_orphaned,
            project: had.project,
        }
    };
    let pruned = belongings.into_iter().map(of_one);
    pruned.filter(|pruned| pruned.container.is_some() || pruned.aside || !pruned.volumes.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    /// Whether the container goes, and how many of its two volumes, of which one was made yesterday.
    fn goes(is_orphaned: bool, container: Option<(State, u32)>, rules: Rules) -> (bool, usize) {
        let project = Project::from_label("/srv/api");
        let container = container.map(|(state, days)| Idle { id: "1".to_owned(), state, since: DAY * days });
        let volumes = vec![("old".to_owned(), DAY * 50), ("new".to_owned(), DAY)];
        let had = Belongings { project, is_orphaned, container, has_aside: false, volumes };
        let pruned = prune(vec![had], rules);
        pruned.first().map_or((false, 0), |pruned| (pruned.container.is_some(), pruned.volumes.len()))
    }

    #[test]
    fn what_is_orphaned_goes_and_with_all_what_is_stopped() {
        use State::{Created, Dead, Exited, Paused, Removing, Restarting, Running};
        let [orphaned, all] = [false, true].map(|all| Rules { all, older_than: None });
        for state in [Created, Exited, Dead, Running, Paused, Restarting, Removing] {
            assert_eq!(goes(true, Some((state, 0)), orphaned), (true, 2), "{state}");
            assert_eq!(goes(true, Some((state, 0)), all), (true, 2), "{state}");
            assert_eq!(goes(false, Some((state, 0)), orphaned), (false, 0), "{state}");
        }
        for state in [Created, Exited, Dead] {
            assert_eq!(goes(false, Some((state, 0)), all), (true, 0), "{state}");
        }
        for state in [Running, Paused, Restarting, Removing] {
            assert_eq!(goes(false, Some((state, 0)), all), (false, 0), "{state}");
        }
        assert_eq!(goes(true, None, orphaned), (false, 2));
        assert_eq!(goes(false, None, all), (false, 0));
    }

    #[test]
    fn what_was_used_of_late_stays() {
        use State::{Exited, Running};
        let rules = Rules { all: true, older_than: Some(DAY * 30) };
        for is_orphaned in [false, true] {
            assert_eq!(goes(is_orphaned, Some((Exited, 29)), rules), (false, 0));
            assert_eq!(goes(is_orphaned, Some((Running, 0)), rules), (false, 0));
        }
        assert_eq!(goes(true, Some((Exited, 30)), rules), (true, 2));
        assert_eq!(goes(false, Some((Exited, 30)), rules), (true, 0));
        assert_eq!(goes(true, None, rules), (false, 1));
    }

    #[test]
    fn what_was_set_aside_goes_with_an_orphaned_project() {
        for (is_orphaned, expected) in [(true, true), (false, false)] {
            let project = Project::from_label("/srv/api");
            let had = Belongings { project, is_orphaned, container: None, has_aside: true, volumes: vec![] };
            let pruned = prune(vec![had], Rules { all: true, older_than: None });
            assert_eq!(pruned.first().is_some_and(|pruned| pruned.aside), expected);
        }
    }
}
