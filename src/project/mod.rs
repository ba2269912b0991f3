//! A project: the directory that a container belongs to, and the names that follow from it.

mod git;
pub mod host_user;
mod root;
mod secrets;

use std::fmt;
use std::path::{Path, PathBuf};

pub use git::{git_directory, outside_git_directory};
pub use root::{Asked, find_root, normal};
pub use secrets::{Masked, exposed, masked};

use crate::error::{Error, Result};
use crate::model::{ContainerName, slug};

/// A project, known by the canonical path of its directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Project {
    path: String,
}

impl Project {
    /// The project of exactly this directory: symbolic links are resolved and a trailing slash is dropped; where the
    /// directory no longer exists, the text counts as it was given.
    pub fn at(path: &Path) -> Result<Self> {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let text = canonical
            .into_os_string()
            .into_string()
            // The engine's API speaks JSON, which has no way to say other bytes.
            .map_err(|path| Error::PathNotUtf8 { path: path.into() })?;
        Ok(Self::from_label(&text))
    }

    /// The project that a container's label names.
    pub fn from_label(path: &str) -> Self {
        let trimmed = path.trim_end_matches('/');
        let path = if trimmed.is_empty() { "/" } else { trimmed };
        Self { path: path.to_owned() }
    }

    pub fn path(&self) -> &Path {
        Path::new(&self.path)
    }

    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// The directory's own name, as people say it; `/` for the root directory.
    pub fn short_name(&self) -> &str {
        self.path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("/")
    }

    /// `parent/base`, for telling projects of one short name apart.
    pub fn parent_and_base(&self) -> Option<&str> {
        let (parents, _) = self.path.rsplit_once('/')?;
        let start = parents.rfind('/')? + 1;
        Some(&self.path[start..])
    }

    pub fn container_name(&self) -> ContainerName {
        ContainerName::of(&self.path)
    }

    /// Whether `name` means this project: its short name (or the slug of it) or `parent/base`.
    pub fn is_called(&self, name: &str) -> bool {
        name == self.short_name() || name == slug(self.short_name()) || Some(name) == self.parent_and_base()
    }

    /// The engine's name for a volume that the configuration calls `name`.
    pub fn volume(&self, name: &str) -> String {
        format!("{}-{name}", self.container_name())
    }

    /// Whether a name of a host means this project: its short name, or `base.parent`, which is what can be said of
    /// `parent/base` there.
    pub fn is_host(&self, name: &str) -> bool {
        let parts = self.parent_and_base().and_then(|both| both.split_once('/'));
        let with_parent = parts.map(|(parent, base)| format!("{}.{}", slug(base), slug(parent)));
        self.is_called(name) || self.short_name().eq_ignore_ascii_case(name) || with_parent.as_deref() == Some(name)
    }

    /// A name for a tmux window: control characters and what a format or a style would act on become `_`.
    pub fn window_name(&self) -> String {
        let unsafe_in_tmux = |c: char| c.is_control() || matches!(c, '#' | ':' | '.' | '%' | '\\' | '"' | '\'' | '$' | ';');
        self.short_name().chars().map(|c| if unsafe_in_tmux(c) { '_' } else { c }).take(MAX_WINDOW_NAME).collect()
    }

    /// Whether the directory is gone from this machine.
    pub fn is_orphaned(&self) -> bool {
        matches!(self.path().try_exists(), Ok(false))
    }

    pub fn path_buf(&self) -> PathBuf {
        PathBuf::from(&self.path)
    }
}

/// The longest window name, in characters: a status line holds several windows.
const MAX_WINDOW_NAME: usize = 32;

impl fmt::Display for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_is_dropped() {
        assert_eq!(Project::from_label("/src/api/"), Project::from_label("/src/api"));
        assert_eq!(Project::from_label("/").as_str(), "/");
    }

    #[test]
    fn a_project_answers_to_its_short_name_slug_and_parent() {
        let project = Project::from_label("/home/ada/work/My App");
        for name in ["My App", "my-app", "work/My App"] {
            assert!(project.is_called(name), "{name}");
        }
        for name in ["App", "my", "ada/work/My App", ""] {
            assert!(!project.is_called(name), "{name}");
        }
    }

    #[test]
    fn a_host_can_be_called_by_its_parent() {
        let project = Project::from_label("/home/ada/My Work/My.App");
        for name in ["my-app", "my.app", "my-app.my-work"] {
            assert!(project.is_host(name), "{name}");
        }
        for name in ["my", "my-app.work", "my-work.my-app", ""] {
            assert!(!project.is_host(name), "{name}");
        }
    }

    #[test]
    fn a_window_name_holds_nothing_that_tmux_acts_on() {
        let project = Project::from_label("/p/#(touch x)#{pid}#[fg=red];%H\n$HOME");
        assert_eq!(project.window_name(), "_(touch x)_{pid}_[fg=red]__H__HO");
        assert_eq!(Project::from_label("/p/größe").window_name(), "größe");
    }
}
