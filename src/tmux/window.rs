//! The window map: which window shows which project. The window's own options hold it.

use std::path::PathBuf;

use tmux_interface::{
    DisplayMessage, LinkWindow, NewWindow as NewWindowCommand, RunShell, SelectWindow, SetOption, TmuxCommand, TmuxCommands,
};

use super::{PaneId, SessionId, TmuxServer, WindowId};
use crate::error::{Error, Result};
use crate::project::{ContainerName, Project};
use crate::session::SessionName;

/// On a window: the project's path.
const PROJECT: &str = "@wharf_project";
/// On a window: the container's name, which can stand in a format without quoting.
const CONTAINER: &str = "@wharf_container";
/// On a pane: the session that it shows.
const SESSION: &str = "@wharf_session";

/// Where a key was pressed.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// The project that the window belongs to.
    pub project: Option<Project>,
    /// The directory that the pane's program is in.
    pub directory: PathBuf,
}

/// How a switch to a project's window ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Switch {
    Done,
    /// No window shows the project; a new one belongs into this session.
    NoWindow(SessionId),
}

/// A window to open.
#[derive(Debug)]
pub struct NewWindow<'a> {
    pub project: &'a Project,
    pub session: &'a SessionName,
    /// The program and its arguments, which no shell sees.
    pub command: Vec<String>,
    /// `NAME=value`
    pub environment: String,
}

impl TmuxServer {
    /// What belongs to a pane: its window's project, and its directory.
    pub fn place(&self, pane: &PaneId) -> Result<Place> {
        // Any byte can be part of a path, so the first one's length is given.
        let format = format!("#{{n:{PROJECT}}}:#{{{PROJECT}}}#{{pane_current_path}}");
        let printed = self.run("look at the pane", &TmuxCommands::new().cmd(ask(Some(pane), format)))?;
        let parsed = printed.split_once(':').and_then(|(length, rest)| rest.split_at_checked(length.parse().ok()?));
        let (project, directory) = parsed.ok_or_else(|| unexpected("look at the pane", &printed))?;
        let project = (!project.is_empty()).then(|| Project::from_label(project));
        Ok(Place { project, directory: directory.into() })
    }

    /// Selects the project's window, one that shows `session` where one is named. A window of another session is linked
    /// into the one at hand. One process where the window is in this session, which is what switching mostly is.
    pub fn switch_to(&self, from: Option<&PaneId>, container: &ContainerName, session: Option<&SessionName>) -> Result<Switch> {
        let of_project = format!("#{{==:#{{{CONTAINER}}},{container}}}");
        let matches = match session {
            Some(session) => format!("#{{&&:{of_project},#{{==:#{{{SESSION}}},{session}}}}}"),
            None => of_project,
        };
        // The first of the windows that match, as `$session:@window`; nothing where none does.
        let here = format!("#{{s/ .*//:#{{W:#{{?{matches},#{{session_id}}:#{{window_id}} ,}}}}}}");
        let anywhere = format!("#{{s/ .*//:#{{S:#{{W:#{{?{matches},#{{window_id}} ,}}}}}}}}");
        let select = format!("#{{?{here},select-window -t '{here}',}}");
        let mut run = RunShell::new().tmux_command().shell_command(select);
        if let Some(pane) = from {
            run = run.target_pane(pane.to_string());
        }
        let action = "switch to the project's window";
        let commands = TmuxCommands::new().cmd(ask(from, format!("#{{session_id}} {here} {anywhere}"))).cmd(run);
        let printed = self.run(action, &commands)?;
        let words: Vec<&str> = printed.split(' ').collect();
        let [at, here, anywhere] = words[..] else {
            return Err(unexpected(action, &printed));
        };
        let at: SessionId = at.parse().map_err(|_| unexpected(action, &printed))?;
        if !here.is_empty() {
            return Ok(Switch::Done);
        }
        let Ok(window) = anywhere.parse::<WindowId>() else {
            return Ok(Switch::NoWindow(at));
        };
        let link = LinkWindow::new().src_window(window.to_string()).dst_window(format!("{at}:"));
        let select = SelectWindow::new().target_window(format!("{at}:{window}"));
        self.run(action, &TmuxCommands::new().cmd(link).cmd(select))?;
        Ok(Switch::Done)
    }

    /// Opens a window that belongs to its project from the first moment on.
    pub fn open_window(&self, at: &SessionId, window: NewWindow) -> Result<()> {
        let mut open = NewWindowCommand::new()
            .target_window(format!("{at}:"))
            .window_name(window.project.window_name())
            .environment(window.environment)
            .build();
        for word in window.command {
            open.push_param(word);
        }
        let commands = TmuxCommands::new().cmd(open);
        self.run("open a window", &tag(commands, None, window.project, window.session)).map(drop)
    }

    /// Notes that a pane, which was not opened for it, now shows a project.
    pub fn tag_pane(&self, pane: &PaneId, project: &Project, session: &SessionName) {
        self.run_aside(&tag(TmuxCommands::new(), Some(pane), project, session));
    }

    /// Takes the note back, and the window's with it where no other pane there shows a session.
    pub fn untag_pane(&self, pane: &PaneId) {
        let unset = SetOption::new().pane().unset().target_pane(pane.to_string()).option(SESSION);
        let others = ask(Some(pane), format!("#{{P:#{{{SESSION}}}}}"));
        let left = self.run("look at the pane", &TmuxCommands::new().cmd(unset).cmd(others));
        if left.is_ok_and(|others| others.is_empty()) {
            let unset = |name| SetOption::new().window().unset().target_pane(pane.to_string()).option(name);
            let _ = self.run("forget the project", &TmuxCommands::new().cmd(unset(PROJECT)).cmd(unset(CONTAINER)));
        }
    }

    /// Whether this process is what the pane was opened for, so that the pane ends with it.
    pub fn is_panes_program(&self, pane: &PaneId, process: u32) -> bool {
        let printed = self.run("look at the pane", &TmuxCommands::new().cmd(ask(Some(pane), "#{pane_pid}".to_owned())));
        printed.is_ok_and(|pid| pid == process.to_string())
    }
}

/// Without a pane, the options go to the window that the command before has opened.
fn tag<'a>(commands: TmuxCommands<'a>, pane: Option<&PaneId>, project: &Project, session: &SessionName) -> TmuxCommands<'a> {
    let on = |set: SetOption<'a>| match pane {
        Some(pane) => set.target_pane(pane.to_string()),
        None => set,
    };
    commands
        .cmd(on(SetOption::new().window()).option(PROJECT).value(project.to_string()))
        .cmd(on(SetOption::new().window()).option(CONTAINER).value(project.container_name().to_string()))
        .cmd(on(SetOption::new().pane()).option(SESSION).value(session.to_string()))
}

fn ask<'a>(pane: Option<&PaneId>, format: String) -> TmuxCommand<'a> {
    let ask = DisplayMessage::new().print().message(format);
    match pane {
        Some(pane) => ask.target_pane(pane.to_string()).build(),
        None => ask.build(),
    }
}

fn unexpected(action: &'static str, printed: &str) -> Error {
    Error::Tmux { action, message: format!("`{printed}`, which wharf does not understand") }
}
