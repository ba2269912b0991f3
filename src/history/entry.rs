//! One line of the history.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::SessionName;
use crate::project::Project;

/// The most that all uses count together: beyond that, each counts for less, and what is not used fades (zoxide's ageing).
const MOST_USES: f64 = 9000.0;
/// What counts for less than this has faded.
const LEAST_COUNT: f64 = 0.05;

/// A use of a project; or, where the file was shortened, all of its uses until then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Seconds since the epoch.
    at: i64,
    /// The path. As JSON it stays in its line, whatever is in it.
    pub project: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<f64>,
}

impl Entry {
    pub fn new(project: &Project, session: &SessionName, now: Timestamp) -> Self {
        Self { at: now.as_second(), project: project.to_string(), session: Some(session.to_string()), count: None }
    }

    /// `None` for what is no entry: a line that was cut, or that somebody else has written.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let entry: Self = serde_json::from_slice(line).ok()?;
        let is_path = entry.project.starts_with('/') && entry.time().is_some();
        (is_path && entry.count().is_finite() && entry.count() >= 0.0).then_some(entry)
    }

    pub fn line(&self) -> String {
        let line = serde_json::to_string(self);
        // Strings and numbers can always be written.
        line.map(|line| line + "\n").unwrap_or_default()
    }

    pub fn time(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.at).ok()
    }

    pub fn count(&self) -> f64 {
        self.count.unwrap_or(1.0)
    }
}

/// The history in fewer lines: one for each project, the latest last, `most` of them.
pub fn shortened(entries: Vec<Entry>, most: usize) -> Vec<Entry> {
    let mut of_project: HashMap<String, Entry> = HashMap::new();
    for entry in entries {
        let count = entry.count();
        match of_project.get_mut(&entry.project) {
            Some(known) => {
                let sum = known.count() + count;
                if entry.at >= known.at {
                    *known = entry;
                }
                known.count = Some(sum);
            }
            None => drop(of_project.insert(entry.project.clone(), Entry { count: Some(count), ..entry })),
        }
    }
    let total: f64 = of_project.values().map(Entry::count).sum();
    let ageing = if total > MOST_USES { 0.9 * MOST_USES / total } else { 1.0 };
    let aged = of_project.into_values().map(|entry| Entry { count: Some(entry.count() * ageing), ..entry });
    let mut entries: Vec<Entry> = aged.filter(|entry| entry.count() >= LEAST_COUNT).collect();
    entries.sort_by(|a, b| (a.at, &a.project).cmp(&(b.at, &b.project)));
    entries.split_off(entries.len().saturating_sub(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(project: &str, at: i64, count: f64) -> Entry {
        Entry { at, project: project.to_owned(), session: None, count: Some(count) }
    }

    #[test]
    fn a_line_reads_back_whatever_the_path_is() {
        for path in ["/srv/api", "/a\nb\t\"c\" #{pid}", "/größe/日本", &format!("/{}", "\u{1}".repeat(255))] {
            let now = Timestamp::from_second(1_700_000_000).unwrap();
            let entry = Entry::new(&Project::from_label(path), &SessionName::default(), now);
            let line = entry.line();
            assert_eq!((line.matches('\n').count(), line.ends_with('\n')), (1, true), "{line:?}");
            assert_eq!(Entry::parse(line.as_bytes()), Some(entry));
        }
    }

    #[test]
    fn what_is_no_entry_is_none() {
        for line in [
            "",
            "{",
            "null",
            "[]",
            "{\"at\":1}",
            "{\"at\":1,\"project\":\"relative\"}",
            "{\"at\":\"1\",\"project\":\"/a\"}",
            "{\"at\":999999999999999,\"project\":\"/a\"}",
            "{\"at\":1,\"project\":\"/a\",\"count\":-1}",
            "{\"at\":1,\"project\":\"/a\"}{\"at\":1,\"project\":\"/b\"}",
            "{\"at\":1,\"project\":\"/\u{0}",
        ] {
            assert_eq!(Entry::parse(line.as_bytes()), None, "{line}");
        }
        // Of a version to come.
        assert!(Entry::parse(b"{\"at\":1,\"project\":\"/a\",\"later\":true}").is_some());
        assert_eq!(Entry::parse(b"{\"at\":1,\"project\":\"/\xff\"}"), None);
    }

    #[test]
    fn shortened_it_says_the_same_of_each_project() {
        let uses = vec![entry("/a", 3, 1.0), entry("/b", 1, 2.5), entry("/a", 2, 1.0), entry("/c", 9, 1.0)];
        let expected = [entry("/b", 1, 2.5), entry("/a", 3, 2.0), entry("/c", 9, 1.0)];
        assert_eq!(shortened(uses.clone(), 10), expected);
        assert_eq!(shortened(uses, 2), expected[1..]);
        assert_eq!(shortened(Vec::new(), 2), []);
    }

    #[test]
    fn what_is_not_used_fades() {
        let mut entries = vec![entry("/often", 2, MOST_USES), entry("/once", 1, LEAST_COUNT)];
        entries = shortened(entries, 10);
        assert_eq!(entries.iter().map(|entry| entry.project.as_str()).collect::<Vec<_>>(), ["/often"]);
        assert!((entries[0].count() - 0.9 * MOST_USES).abs() < 1.0, "{entries:?}");
    }
}
