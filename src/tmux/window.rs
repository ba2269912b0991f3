//! The window map: which window shows which project. The window's own options hold it.

use std::path::PathBuf;

use clap::ValueEnum;
use tmux_interface::{
    DisplayMessage, LinkWindow, NewWindow, RunShell, SelectWindow, SetOption, SplitWindow, TmuxCommand, TmuxCommands,
};

use super::watched::windows_changed;
use super::{PaneId, SessionId, TmuxServer, WindowId};
use crate::error::{Error, Result};
use crate::model::{ContainerName, SessionName};
use crate::project::Project;

/// On a window, or on a pane that shows another project than its window: the project's path.
pub const PROJECT: &str = "@wharf_project";
/// Beside it: the container's name, which can stand in a format without quoting.
pub(super) const CONTAINER: &str = "@wharf_container";
/// On a pane: the session that it shows.
pub const SESSION: &str = "@wharf_session";

/// What a pane's program runs below. tmux-resurrect saves the command line of a child of what the pane was opened for, as
/// it is in a shell, and nothing where there is none. With job control, so that the child is what tmux shows as the pane's
/// current command.
const PARENT: [&str; 4] = ["sh", "-mc", r#""$@"; exit "$?""#, "sh"];

/// Where a key was pressed.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    pub window: WindowId,
    /// The project that the window belongs to.
    pub project: Option<Project>,
    /// The session that the pane shows.
    pub session: Option<SessionName>,
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

/// Where a new pane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Beside {
    Window,
    #[default]
    Right,
    Left,
    Below,
    Above,
}

impl Beside {
    pub fn word(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Right => "right",
            Self::Left => "left",
            Self::Below => "below",
            Self::Above => "above",
        }
    }
}

/// A window or a pane to open.
#[derive(Debug)]
pub struct NewPane<'a> {
    pub project: &'a Project,
    pub session: &'a SessionName,
    /// The program and its arguments, which no shell sees.
    pub command: Vec<String>,
    /// `NAME=value`
    pub environment: Vec<String>,
}

impl TmuxServer {
    /// What belongs to a pane: its window and the window's project, its session, and its directory.
    pub fn place(&self, pane: &PaneId) -> Result<Place> {
        // Any byte can be part of a path, so the first one's length is given.
        let format = format!("#{{window_id}}:#{{{SESSION}}}:#{{n:{PROJECT}}}:#{{{PROJECT}}}#{{pane_current_path}}");
        let printed = self.run("look at the pane", &TmuxCommands::new().cmd(ask(Some(pane), format)))?;
        let parsed = printed.split_once(':').and_then(|(window, rest)| {
            let (session, rest) = rest.split_once(':')?;
            let (length, rest) = rest.split_once(':')?;
            let (project, directory) = rest.split_at_checked(length.parse().ok()?)?;
            Some(Place {
                window: window.parse().ok()?,
                project: (!project.is_empty()).then(|| Project::from_label(project)),
                session: session.parse().ok(),
                directory: directory.into(),
            })
        });
        parsed.ok_or_else(|| unexpected("look at the pane", &printed))
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

    /// The session that a new window belongs into.
    pub fn session_at(&self, pane: Option<&PaneId>) -> Result<SessionId> {
        let action = "look at the session";
        let printed = self.run(action, &TmuxCommands::new().cmd(ask(pane, "#{session_id}".to_owned())))?;
        printed.parse().map_err(|_| unexpected(action, &printed))
    }

    /// Opens a window that belongs to its project from the first moment on.
    pub fn open_window(&self, at: &SessionId, new: NewPane) -> Result<()> {
        let open = NewWindow::new().target_window(format!("{at}:")).window_name(new.project.window_name());
        self.open("open a window", open.build(), new)
    }

    /// Opens a pane beside one that is in `window`, or a window after that.
    pub fn open_beside(&self, pane: &PaneId, window: &WindowId, beside: Beside, new: NewPane) -> Result<()> {
        if beside == Beside::Window {
            let open = NewWindow::new().after().target_window(window.to_string()).window_name(new.project.window_name());
            return self.open("open a window", open.build(), new);
        }
        let mut split = SplitWindow::new().target_pane(pane.to_string());
        if matches!(beside, Beside::Right | Beside::Left) {
            split = split.horizontal();
        }
        if matches!(beside, Beside::Left | Beside::Above) {
            split = split.before();
        }
        self.open("split the window", split.build(), new)
    }

    /// Opens a pane to the right of one that shows something else, and whose window stays what it is.
    pub fn open_guest(&self, pane: &PaneId, new: NewPane) -> Result<()> {
        let split = SplitWindow::new().horizontal().target_pane(pane.to_string());
        let (project, session) = (new.project, new.session);
        let split = TmuxCommands::new().cmd(complete(split.build(), new));
        self.run("split the window", &tag_on(split, SetOption::pane, None, project, session)).map(drop)
    }

    fn open(&self, action: &'static str, open: TmuxCommand, new: NewPane) -> Result<()> {
        let (project, session) = (new.project, new.session);
        let open = TmuxCommands::new().cmd(complete(open, new));
        self.run(action, &tag(open, None, project, session)).map(drop)
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
            let commands = TmuxCommands::new().cmd(unset(PROJECT)).cmd(unset(CONTAINER)).cmd(windows_changed());
            let _ = self.run("forget the project", &commands);
        }
    }

    /// The process that the pane was opened for, with which it ends.
    pub fn pane_process(&self, pane: &PaneId) -> Option<u32> {
        let printed = self.run("look at the pane", &TmuxCommands::new().cmd(ask(Some(pane), "#{pane_pid}".to_owned())));
        printed.ok()?.parse().ok()
    }
}

/// The command with what the pane runs.
fn complete<'a>(mut open: TmuxCommand<'a>, new: NewPane) -> TmuxCommand<'a> {
    for variable in new.environment {
        open.push_option("-e", variable);
    }
    for word in PARENT.into_iter().map(str::to_owned).chain(new.command) {
        open.push_param(word);
    }
    open
}

/// Without a pane, the options go to what the command before has opened.
fn tag<'a>(commands: TmuxCommands<'a>, pane: Option<&PaneId>, project: &Project, session: &SessionName) -> TmuxCommands<'a> {
    tag_on(commands, SetOption::window, pane, project, session)
}

/// Tags as [`tag`] does, with the project noted on `scope`, a window or a pane alone.
fn tag_on<'a>(
    commands: TmuxCommands<'a>,
    scope: fn(SetOption<'a>) -> SetOption<'a>,
    pane: Option<&PaneId>,
    project: &Project,
    session: &SessionName,
) -> TmuxCommands<'a> {
    let on = |set: SetOption<'a>| match pane {
        Some(pane) => set.target_pane(pane.to_string()),
        None => set,
    };
    commands
        .cmd(on(scope(SetOption::new())).option(PROJECT).value(project.to_string()))
        .cmd(on(scope(SetOption::new())).option(CONTAINER).value(project.container_name().to_string()))
        .cmd(on(SetOption::new().pane()).option(SESSION).value(session.to_string()))
        .cmd(windows_changed())
}

fn ask<'a>(pane: Option<&PaneId>, format: String) -> TmuxCommand<'a> {
    let ask = DisplayMessage::new().print().message(format);
    match pane {
        Some(pane) => ask.target_pane(pane.to_string()).build(),
        None => ask.build(),
    }
}

pub(super) fn unexpected(action: &'static str, printed: &str) -> Error {
    Error::Tmux { action, message: format!("`{printed}`, which wharf does not understand") }
}
