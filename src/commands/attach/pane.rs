//! The pane of the host's tmux that a session is shown in: that it shows it, what it holds beside the screen, and what it
//! says of what runs inside.

use std::cell::{Cell, RefCell};
use std::env;
use std::path::Path;
use std::thread::{self, JoinHandle};

use crate::connection::attach::Observer;
use crate::context::Context;
use crate::model::SessionName;
use crate::project::Project;
use crate::protocol::{Follow, Foreground};
use crate::quote;
use crate::tmux::{PaneId, TmuxServer};

/// The longest name of a program that is passed on, in bytes: what a pane says of it is shown in status lines.
const LONGEST_NAME: usize = 64;
/// The longest path.
const LONGEST_PATH: usize = 1024;

/// The note on a pane that it shows a project; taken back when the attach ends.
pub struct ShownIn<'a> {
    project: &'a Project,
    session: &'a SessionName,
    place: Option<(&'a TmuxServer, &'a PaneId)>,
    /// Whether wharf has opened the pane, and noted on it what it shows.
    is_own: bool,
    /// How much history the pane keeps is asked while the session comes.
    history: RefCell<Option<JoinHandle<Option<u32>>>>,
    /// Whether it was said that what is copied inside is lost.
    has_said: Cell<bool>,
}

impl<'a> ShownIn<'a> {
    pub fn note(project: &'a Project, session: &'a SessionName, context: &'a Context) -> Self {
        let is_own = context.variable("WHARF_PROJECT").as_deref() == Some(project.as_str());
        let place = context.tmux.as_ref().zip(context.pane.as_ref());
        if let (false, Some((tmux, pane))) = (is_own, place) {
            tmux.tag_pane(pane, project, session);
        }
        let asked = place.map(|(tmux, pane)| (tmux.clone(), pane.clone()));
        let history = asked.map(|(tmux, pane)| thread::spawn(move || tmux.history_limit(&pane)));
        Self { project, session, place, is_own, history: RefCell::new(history), has_said: Cell::new(false) }
    }

    /// What the container's side is to follow: nothing where no tmux shows it.
    pub fn follow(&self) -> Option<Follow> {
        let asked = self.history.borrow_mut().take()?;
        let lines = asked.join().ok().flatten()?;
        // Asked once, and known from then on.
        *self.history.borrow_mut() = Some(thread::spawn(move || Some(lines)));
        Some(Follow { session: self.session.clone(), lines, is_own: self.is_own })
    }

    /// What tmux takes for the pane's directory, and opens new panes in: the session's own, where it is the same here.
    fn go_to(&self, directory: &Path) {
        let project = self.project.path();
        let is_inside = directory.canonicalize().is_ok_and(|directory| directory.starts_with(project));
        let _ = env::set_current_dir(if is_inside { directory } else { project });
    }
}

impl Observer for ShownIn<'_> {
    /// Says what runs inside, as far as a pane can: its working directory, the name of this process, the path by OSC 7, and
    /// options. What the container's side says is text that is shown, and nothing more.
    fn runs(&self, foreground: &Foreground) -> Vec<u8> {
        let Some((tmux, pane)) = self.place else { return Vec::new() };
        let command = quote::printable(&foreground.command);
        let directory = &foreground.directory;
        let is_path = directory.starts_with('/') && directory.len() <= LONGEST_PATH && directory.chars().all(quote::is_shown);
        if !is_path || command.len() > LONGEST_NAME {
            return Vec::new();
        }
        self.go_to(Path::new(directory));
        // What `ps` shows beside the terminal; the command line stays what tmux-resurrect can run again.
        let _ = rustix::thread::set_name(&std::ffi::CString::new(command.as_bytes()).unwrap_or_default());
        tmux.say_what_runs(pane, &command, directory, foreground.fills_screen);
        format!("\x1b]7;file://{}{directory}\x1b\\", self.project.container_name()).into_bytes()
    }

    /// Says once that the host's tmux does not take it.
    fn copies(&self) {
        if let (Some((tmux, pane)), false) = (self.place, self.has_said.replace(true)) {
            tmux.say_if_copies_are_lost(pane);
        }
    }
}

impl Drop for ShownIn<'_> {
    fn drop(&mut self) {
        match self.place {
            Some((tmux, pane)) if !self.is_own => tmux.untag_pane(pane),
            Some((tmux, _)) => tmux.say_that_windows_change_soon(),
            None => {}
        }
    }
}
