//! Where the picker hears of projects. What takes a moment is asked beside it, and says what it has found as news.

mod engine;
mod remembered;
mod roots;
mod zoxide;

pub use engine::{containers, sessions};
pub use remembered::Remembered;
pub use zoxide::directories;

use std::path::{Path, PathBuf};
use std::thread;

use tokio::sync::mpsc::UnboundedSender;

use crate::project::{Asked, Project, find_root};

/// What a thread has found.
#[derive(Debug)]
pub enum Found {
    Directories(Vec<Project>),
    /// Of what was remembered, what is not there any more.
    Gone(Vec<Project>),
}

/// What is looked for on the disk.
#[derive(Debug)]
pub struct Search {
    pub roots: Vec<PathBuf>,
    pub home: Option<PathBuf>,
    /// What was heard of without looking.
    pub known: Vec<Project>,
    pub remembered: Remembered,
}

/// Looks for directories until it has seen all, or until nobody listens.
pub fn search(search: Search, found: UnboundedSender<Found>) {
    let Search { roots, home, known, remembered } = search;
    thread::spawn(move || {
        let gone = known.into_iter().filter(Project::is_orphaned).collect();
        if found.send(Found::Gone(gone)).is_err() {
            return;
        }
        let mut all = Vec::new();
        let found_some = |projects: Vec<Project>| {
            all.extend(projects.iter().cloned());
            found.send(Found::Directories(projects)).is_ok()
        };
        if roots::search(&roots, home.as_deref(), found_some) {
            remembered.write(&roots, &all);
        }
    });
}

/// Tells of the projects that these directories belong to.
pub fn look_up(directories: Vec<PathBuf>, home: Option<PathBuf>, found: UnboundedSender<Found>) {
    thread::spawn(move || {
        let projects = directories.iter().filter_map(|directory| project_of(directory, home.as_deref()));
        let _ = found.send(Found::Directories(projects.collect()));
    });
}

/// The project that a directory belongs to.
fn project_of(directory: &Path, home: Option<&Path>) -> Option<Project> {
    let canonical = directory.canonicalize().ok().filter(|path| path.is_dir())?;
    Project::at(&find_root(&canonical, home, Asked::Implied)?).ok()
}
