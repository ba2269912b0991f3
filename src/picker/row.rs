//! A line of the list: a project, or one of its sessions.

use nucleo_matcher::Utf32String;

use crate::model::{SessionName, State};
use crate::project::Project;
use crate::quote;

/// How a project or a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// For its user.
    Waiting,
    /// A pane of the host's shows it.
    Open,
    Running,
    /// Its container does not run.
    Idle(State),
    /// It has no container that is known of.
    New,
}

impl Standing {
    /// What comes first among what is used alike.
    pub fn rank(self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Open => 1,
            Self::Running => 2,
            Self::Idle(_) => 3,
            Self::New => 4,
        }
    }

    pub fn word(self) -> String {
        match self {
            Self::Waiting => "waiting".to_owned(),
            Self::Open => "open".to_owned(),
            Self::Running => "running".to_owned(),
            Self::Idle(state) => state.to_string(),
            Self::New => String::new(),
        }
    }

    pub fn mark(self) -> char {
        match self {
            Self::Waiting => '?',
            Self::Open | Self::Running => '●',
            Self::Idle(_) => '○',
            Self::New => ' ',
        }
    }
}

#[derive(Debug)]
pub struct Row {
    /// Where the catalog has its project.
    pub known: usize,
    pub session: Option<SessionName>,
    pub standing: Standing,
    /// The project's name, its session's with a space before it, and its path with another, all as they can be shown.
    pub name: String,
    pub path: String,
    /// All three: what is searched.
    pub haystack: Utf32String,
}

impl Row {
    pub fn new(known: usize, project: &Project, session: Option<&SessionName>, standing: Standing, home: Option<&str>) -> Self {
        let name = quote::visible(project.short_name());
        let below_home = home.and_then(|home| project.as_str().strip_prefix(home)).filter(|rest| rest.starts_with('/'));
        let path = match below_home {
            Some(rest) => format!("~{}", quote::visible(rest)),
            None => quote::visible(project.as_str()),
        };
        let session_word = session.map(|session| format!(" {session}")).unwrap_or_default();
        let text = format!("{name}{session_word} {path}");
        // By characters, not by what is drawn in one cell, so that a hit's index is a character's.
        let haystack = if text.is_ascii() {
            Utf32String::Ascii(text.into_boxed_str())
        } else {
            Utf32String::Unicode(text.chars().collect())
        };
        Self { known, session: session.cloned(), standing, name, path, haystack }
    }

    /// Of the haystack's characters, how many come before the path.
    pub fn path_offset(&self) -> usize {
        self.session_offset() + self.session.as_ref().map_or(0, |session| session.as_str().len() + 1)
    }

    /// How many cells are before the session's name.
    pub fn session_offset(&self) -> usize {
        self.name.chars().count() + 1
    }

    #[cfg(test)]
    pub fn text(&self) -> String {
        format!("{} {}", self.haystack, self.standing.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_line_whatever_the_directory_is_called() {
        let row = |path: &str| Row::new(0, &Project::from_label(path), None, Standing::New, Some("/home/ada")).text();
        for (path, text) in [
            ("/home/ada/src/api", "api ~/src/api "),
            ("/home/adam/api", "api /home/adam/api "),
            ("/p/a\nb\u{1b}[31m", "a\\nb\\u{1b}[31m /p/a\\nb\\u{1b}[31m "),
            ("/p/#(touch x)#[fg=red]", "#(touch x)#[fg=red] /p/#(touch x)#[fg=red] "),
            ("/p/to\u{202e}ward", "to\\u{202e}ward /p/to\\u{202e}ward "),
            ("/p/größe 日本", "größe 日本 /p/größe 日本 "),
        ] {
            assert_eq!(row(path), text);
        }
    }

    #[test]
    fn a_hit_is_found_again_in_its_column() {
        let session: SessionName = "claude".parse().unwrap();
        let row = Row::new(0, &Project::from_label("/p/größe"), Some(&session), Standing::New, None);
        let text: Vec<char> = row.text().chars().collect();
        assert_eq!((text[row.session_offset()], text[row.path_offset()]), ('c', '/'));
    }
}
