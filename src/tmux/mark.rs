//! What is noted on a pane that shows a session, and when that counts: a pane can be broken out, joined, left dead or
//! given another program, and takes its options along. A window belongs to the projects that its living panes show.

use tmux_interface::{RenameWindow, SetOption, ShowOptions, TmuxCommands};

use super::changes::windows_changed;
use super::{PaneId, TmuxServer};
use crate::error::Result;
use crate::model::SessionName;
use crate::project::Project;

/// On a pane: the path of the project that it shows.
pub const PROJECT: &str = "@wharf_project";
/// On a pane: the container's name, which can stand in a format without quoting.
pub(super) const CONTAINER: &str = "@wharf_container";
/// On a pane: the project's short name, as a window can be called.
const NAME: &str = "@wharf_name";
/// On a pane: the session that it shows.
pub const SESSION: &str = "@wharf_session";
/// On a pane: the process that the pane ran when this was noted.
const PROCESS: &str = "@wharf_pid";
/// On a pane that was opened for a shell: the program that was in the foreground then.
const PROGRAM: &str = "@wharf_program";
const ALL: [&str; 6] = [PROJECT, CONTAINER, NAME, SESSION, PROCESS, PROGRAM];

/// What a window that wharf opens is called: a format.
pub const WINDOW_NAME: &str = "@wharf-window-name";

/// How tmux names a window by itself.
const AUTOMATIC: &str = "automatic-rename-format";
/// What a person has it name windows that show no session.
const THEIR_AUTOMATIC: &str = "@wharf_rename_format";

/// The project, and of another session than the usual one its name.
pub(super) fn default_window_name() -> String {
    let usual = SessionName::default();
    format!("#{{{NAME}}}#{{?#{{==:#{{{SESSION}}},{usual}}},,:#{{{SESSION}}}}}")
}

/// The name of the window whose active pane shows a session.
pub(super) fn window_name() -> String {
    format!("#{{?#{{{WINDOW_NAME}}},#{{E:{WINDOW_NAME}}},{}}}", default_window_name())
}

/// A condition: the pane shows the session that is noted on it.
pub(super) fn is_living() -> String {
    let same_program = format!("#{{?#{{{PROGRAM}}},#{{==:#{{{PROGRAM}}},#{{pane_current_command}}}},1}}");
    format!("#{{?#{{==:#{{{PROCESS}}},#{{pane_pid}}}},#{{?pane_dead,0,{same_program}}},0}}")
}

/// A condition: the pane's program was one that showed the session, and has ended.
pub(super) fn is_dead() -> String {
    format!("#{{?#{{==:#{{{PROCESS}}},#{{pane_pid}}}},#{{pane_dead}},0}}")
}

/// Which pane a note is for, and what tells that it no longer counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum On<'a> {
    /// The pane that the command before has opened for it.
    New,
    /// A pane that was opened for it.
    Opened(&'a PaneId),
    /// A pane that runs a shell, as long as what is in the foreground now is.
    Shell(&'a PaneId),
}

/// Adds the commands that note what a pane shows.
pub(super) fn mark<'a>(mut commands: TmuxCommands<'a>, on: On, project: &Project, session: &SessionName) -> TmuxCommands<'a> {
    let set = |option: &'static str| {
        let set = match on {
            On::New => SetOption::new().pane(),
            On::Opened(pane) | On::Shell(pane) => SetOption::new().pane().target_pane(pane.to_string()),
        };
        set.option(option)
    };
    commands.push(set(PROJECT).value(project.to_string()));
    commands.push(set(CONTAINER).value(project.container_name().to_string()));
    commands.push(set(NAME).value(project.window_name()));
    commands.push(set(SESSION).value(session.to_string()));
    commands.push(set(PROCESS).format().value("#{pane_pid}"));
    if let On::Shell(_) = on {
        commands.push(set(PROGRAM).format().value("#{pane_current_command}"));
    }
    commands.cmd(windows_changed())
}

/// Adds the commands that forget it.
pub(super) fn unmark<'a>(mut commands: TmuxCommands<'a>, pane: &PaneId) -> TmuxCommands<'a> {
    for option in ALL {
        // One that is not set is no error: `-q`.
        commands.push(SetOption::new().pane().quiet().unset().target_pane(pane.to_string()).option(option));
    }
    commands.cmd(windows_changed())
}

/// Names the window that the commands before have opened.
pub(super) fn name_window() -> RenameWindow<'static> {
    RenameWindow::new().new_name(window_name())
}

impl TmuxServer {
    /// Has tmux name windows that it names by itself, as one that a pane was broken out into, for what they show.
    pub fn name_windows(&self) -> Result<()> {
        let action = "name windows";
        let show = ShowOptions::new().global().window().value().option(AUTOMATIC);
        let theirs = self.run(action, &TmuxCommands::new().cmd(show))?;
        let ours = format!("#{{?{},{},#{{E:{THEIR_AUTOMATIC}}}}}", is_living(), window_name());
        let name = SetOption::new().global().quiet().not_overwrite().option(WINDOW_NAME).value(default_window_name());
        let mut commands = TmuxCommands::new().cmd(name);
        if !theirs.contains(THEIR_AUTOMATIC) {
            commands.push(SetOption::new().global().option(THEIR_AUTOMATIC).value(theirs));
        }
        commands.push(SetOption::new().global().window().option(AUTOMATIC).value(ours));
        self.run(action, &commands).map(drop)
    }
}
