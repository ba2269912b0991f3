//! What was used lately: a file that says nothing about what exists, and that everything works without.

mod entry;
mod file;

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;

use crate::model::SessionName;
use crate::project::Project;
use entry::Entry;

/// When projects were used last, and how often.
#[derive(Debug, Default, PartialEq)]
pub struct History {
    projects: HashMap<Project, Uses>,
}

#[derive(Debug, Clone, PartialEq)]
struct Uses {
    count: f64,
    last: Timestamp,
}

impl History {
    /// Whatever can be read: a history that is missing or damaged is a short one.
    pub fn read(state_dir: &Path) -> Self {
        Self::of(file::read(state_dir))
    }

    fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut projects: HashMap<Project, Uses> = HashMap::new();
        for entry in entries {
            let Some(time) = entry.time() else { continue };
            let uses = projects.entry(Project::from_label(&entry.project)).or_insert(Uses { count: 0.0, last: time });
            uses.count += entry.count();
            uses.last = uses.last.max(time);
        }
        Self { projects }
    }

    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.projects.keys()
    }

    pub fn last_used(&self, project: &Project) -> Option<Timestamp> {
        self.projects.get(project).map(|uses| uses.last)
    }

    /// How much a project is used, and how lately: zoxide's frecency. Zero where it never was.
    pub fn score(&self, project: &Project, now: Timestamp) -> f64 {
        self.projects.get(project).map_or(0.0, |uses| uses.count * recency(uses.last, now))
    }
}

/// What a use is worth by its age, as zoxide has it (`src/db/dir.rs`). A clock that was ahead counts as now.
fn recency(last: Timestamp, now: Timestamp) -> f64 {
    const HOUR: i64 = 60 * 60;
    match now.as_second().saturating_sub(last.as_second()) {
        ..HOUR => 4.0,
        age if age < 24 * HOUR => 2.0,
        age if age < 7 * 24 * HOUR => 0.5,
        _ => 0.25,
    }
}

/// Notes that a project is used now. Where that cannot be written, as on a disk that is full or read-only, it is forgotten:
/// nobody is kept from their work by it.
pub fn record(state_dir: &Path, project: &Project, session: &SessionName, now: Timestamp) {
    let _ = file::append(state_dir, &Entry::new(project, session, now));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn used(path: &str, times: &[i64]) -> Vec<Entry> {
        let project = Project::from_label(path);
        times.iter().map(|&second| Entry::new(&project, &SessionName::default(), at(second))).collect()
    }

    #[test]
    fn frecency_is_the_count_times_what_the_last_use_is_worth() {
        const DAY: i64 = 24 * 60 * 60;
        let now = at(1_700_000_000);
        for (ages, score) in [
            (&[][..], 0.0),
            (&[0], 4.0),
            (&[-1000], 4.0),
            (&[3599], 4.0),
            (&[3600], 2.0),
            (&[DAY], 0.5),
            (&[7 * DAY], 0.25),
            (&[9 * DAY, 8 * DAY, 2 * DAY], 1.5),
            (&[60, 2 * DAY], 8.0),
        ] {
            let times: Vec<i64> = ages.iter().map(|age| now.as_second() - age).collect();
            let history = History::of(used("/srv/api", &times));
            assert!((history.score(&Project::from_label("/srv/api"), now) - score).abs() < 1e-9, "{ages:?}");
        }
    }

    #[test]
    fn the_last_use_is_the_latest_whatever_the_order() {
        let history = History::of([used("/a", &[20, 30, 10]), used("/b", &[5])].concat());
        let last = |path: &str| history.last_used(&Project::from_label(path));
        assert_eq!((last("/a"), last("/b"), last("/c")), (Some(at(30)), Some(at(5)), None));
        assert_eq!(history.projects().count(), 2);
    }
}
