//! The window map: which pane shows which project. The panes' own options hold it.

use std::path::PathBuf;

use clap::ValueEnum;
use tmux_interface::{
    DisplayMessage, LinkWindow, NewWindow, RespawnPane, RunShell, SelectPane, SelectWindow, SplitWindow, TmuxCommand,
    TmuxCommands,
};

use super::mark::{self, CONTAINER, On, PROJECT, SESSION};
use super::{PaneId, SessionId, TmuxServer, WindowId};
use crate::error::{Error, Result};
use crate::model::{ContainerName, SessionName};
use crate::project::Project;

/// What a pane's program runs below. tmux-resurrect saves the command line of a child of what the pane was opened for, as
/// it is in a shell, and nothing where there is none. With job control, so that the child is what tmux shows as the pane's
/// current command.
const PARENT: [&str; 4] = ["sh", "-mc", r#""$@"; exit "$?""#, "sh"];

/// Where a key was pressed.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    pub window: WindowId,
    /// The project that the pane shows, or has shown where its program has ended; else the first one of its window.
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
    /// No pane shows the project any more; this one did, and its program has ended.
    Dead(Found),
    /// No window shows the project; a new one belongs into this session.
    NoWindow(SessionId),
}

/// A pane of a project, as seen from a session.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// The session to show it in.
    at: SessionId,
    window: WindowId,
    pane: PaneId,
    /// Whether the window is in that session.
    is_here: bool,
    is_dead: bool,
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
    /// What belongs to a pane: its window, the project and the session that it shows, and its directory.
    pub fn place(&self, pane: &PaneId) -> Result<Place> {
        let (living, dead) = (mark::is_living(), mark::is_dead());
        let session = format!("#{{?{living},#{{{SESSION}}},}}");
        // Any byte can be part of a path, so its length is given.
        let path = |name: &str| format!("#{{n:{name}}}:#{{{name}}}");
        let (directory, project) = (path("pane_current_path"), path(PROJECT));
        let own = format!("#{{?{living},{project},#{{?{dead},{project},}}}}");
        let format = format!("#{{window_id}}:{session}:{directory}{own}#{{P:#{{?{living},{project},}}}}");
        let printed = self.run("look at the pane", &TmuxCommands::new().cmd(ask(Some(pane), format)))?;
        parse_place(&printed).ok_or_else(|| unexpected("look at the pane", &printed))
    }

    /// Selects a pane that shows the project, and `session` where one is named: the one at hand, else the first of its
    /// window, of its session, of all. A window of another session is linked into the one at hand. One process where the
    /// window is in this session, which is what switching mostly is.
    pub fn switch_to(&self, from: Option<&PaneId>, container: &ContainerName, session: Option<&SessionName>) -> Result<Switch> {
        let (living, dead) = (mark::is_living(), mark::is_dead());
        let of_project = format!("#{{==:#{{{CONTAINER}}},{container}}}");
        let matches = match session {
            Some(session) => format!("#{{&&:{of_project},#{{==:#{{{SESSION}}},{session}}}}}"),
            None => of_project,
        };
        let select = "select-window -t '#{session_id}:#{window_id}' ; select-pane -Z -t '#{pane_id}'|";
        let select = format!("#{{?{matches},#{{?{living},{select},}},}}");
        let select = format!("#{{s/[|].*//:{select}#{{P:{select}}}#{{W:#{{P:{select}}}}}}}");
        let mut run = RunShell::new().tmux_command().shell_command(select);
        if let Some(pane) = from {
            run = run.target_pane(pane.to_string());
        }
        let ids = "#{session_id} #{window_id} #{pane_id}";
        let list = format!("#{{?{matches},#{{?{living}, {ids} living,#{{?{dead}, {ids} dead,}}}},}}");
        let action = "switch to the project's window";
        let list = format!("#{{session_id}}#{{S:#{{W:#{{P:{list}}}}}}}");
        let printed = self.run(action, &TmuxCommands::new().cmd(ask(from, list)).cmd(run))?;
        let (at, found) = parse_found(&printed).ok_or_else(|| unexpected(action, &printed))?;
        let living = || found.iter().filter(|found| !found.is_dead);
        if living().any(|found| found.is_here) {
            return Ok(Switch::Done);
        }
        if let Some(living) = living().next() {
            self.run(action, &show(TmuxCommands::new(), living))?;
            return Ok(Switch::Done);
        }
        let (here, elsewhere): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| found.is_here);
        Ok(here.into_iter().chain(elsewhere).next().map_or(Switch::NoWindow(at), Switch::Dead))
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
        self.open("open a window", open.build(), new, true)
    }

    /// Opens a pane beside one that is in `window`, or a window after that.
    pub fn open_beside(&self, pane: &PaneId, window: &WindowId, beside: Beside, new: NewPane) -> Result<()> {
        if beside == Beside::Window {
            let open = NewWindow::new().after().target_window(window.to_string()).window_name(new.project.window_name());
            return self.open("open a window", open.build(), new, true);
        }
        let mut split = SplitWindow::new().target_pane(pane.to_string());
        if matches!(beside, Beside::Right | Beside::Left) {
            split = split.horizontal();
        }
        if matches!(beside, Beside::Left | Beside::Above) {
            split = split.before();
        }
        self.open("split the window", split.build(), new, false)
    }

    fn open(&self, action: &'static str, open: TmuxCommand, new: NewPane, is_window: bool) -> Result<()> {
        let (project, session) = (new.project, new.session);
        let opened = mark::mark(TmuxCommands::new().cmd(complete(open, new)), On::New, project, session);
        let named = if is_window { opened.cmd(mark::name_window()) } else { opened };
        self.run(action, &named).map(drop)
    }

    /// Starts a program in a pane whose program has ended, and shows it.
    pub fn revive(&self, dead: &Found, new: NewPane) -> Result<()> {
        let (project, session) = (new.project, new.session);
        let respawn = RespawnPane::new().kill().target_pane(dead.pane.to_string()).build();
        let respawned = TmuxCommands::new().cmd(complete(respawn, new));
        let marked = mark::mark(respawned, On::Opened(&dead.pane), project, session);
        self.run("start the pane's program again", &show(marked, dead)).map(drop)
    }

    /// Notes that a pane, which was not opened for it, now shows a project.
    pub fn tag_pane(&self, pane: &PaneId, project: &Project, session: &SessionName) {
        self.run_aside(&mark::mark(TmuxCommands::new(), On::Shell(pane), project, session));
    }

    /// Takes the note back.
    pub fn untag_pane(&self, pane: &PaneId) {
        let _ = self.run("forget the project", &mark::unmark(TmuxCommands::new(), pane));
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

/// What [`TmuxServer::place`] has tmux print.
fn parse_place(printed: &str) -> Option<Place> {
    let path = |text: &str| {
        let (length, rest) = text.split_once(':')?;
        let (path, rest) = rest.split_at_checked(length.parse().ok()?)?;
        Some((path.to_owned(), rest.to_owned()))
    };
    let (window, rest) = printed.split_once(':')?;
    let (session, rest) = rest.split_once(':')?;
    let (directory, projects) = path(rest)?;
    Some(Place {
        window: window.parse().ok()?,
        project: path(&projects).filter(|(path, _)| !path.is_empty()).map(|(path, _)| Project::from_label(&path)),
        session: session.parse().ok(),
        directory: directory.into(),
    })
}

/// What [`TmuxServer::switch_to`] has tmux print: the session at hand, and the panes of the project in each session.
fn parse_found(printed: &str) -> Option<(SessionId, Vec<Found>)> {
    let (at, found) = printed.split_once(' ').unwrap_or((printed, ""));
    let words: Vec<&str> = found.split_ascii_whitespace().collect();
    let found = words.chunks(4).map(|words| {
        let &[session, window, pane, state] = words else { return None };
        Some(Found {
            at: at.parse().ok()?,
            window: window.parse().ok()?,
            pane: pane.parse().ok()?,
            is_here: session == at,
            is_dead: state == "dead",
        })
    });
    Some((at.parse().ok()?, found.collect::<Option<_>>()?))
}

/// Adds the commands that show a pane, whose window may have to be linked into the session first.
fn show<'a>(mut commands: TmuxCommands<'a>, Found { at, window, pane, is_here, .. }: &Found) -> TmuxCommands<'a> {
    if !is_here {
        commands.push(LinkWindow::new().src_window(window.to_string()).dst_window(format!("{at}:")));
    }
    let pane = SelectPane::new().keep_zoomed().target_pane(pane.to_string());
    commands.cmd(SelectWindow::new().target_window(format!("{at}:{window}"))).cmd(pane)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tmux_says_of_a_place() {
        let place = |project: Option<&str>, session: Option<&str>, directory: &str| Place {
            window: "@1".parse().unwrap(),
            project: project.map(Project::from_label),
            session: session.map(|session| session.parse().unwrap()),
            directory: directory.into(),
        };
        for (printed, expected) in [
            ("@1:main:4:/a:b4:/api6:/other", Some(place(Some("/api"), Some("main"), "/a:b"))),
            ("@1::4:/tmp6:/other", Some(place(Some("/other"), None, "/tmp"))),
            ("@1::4:/tmp", Some(place(None, None, "/tmp"))),
            ("@1::5:/tmp", None),
            ("", None),
        ] {
            assert_eq!(parse_place(printed), expected, "{printed}");
        }
    }

    #[test]
    fn what_tmux_says_of_a_projects_panes() {
        let found = |window: &str, pane: &str, is_here, is_dead| {
            let ids = ("$1".parse().unwrap(), window.parse().unwrap(), pane.parse().unwrap());
            Found { at: ids.0, window: ids.1, pane: ids.2, is_here, is_dead }
        };
        let printed = "$1 $0 @3 %7 dead $1 @4 %8 living";
        let expected = vec![found("@3", "%7", false, true), found("@4", "%8", true, false)];
        assert_eq!(parse_found(printed), Some(("$1".parse().unwrap(), expected)));
        assert_eq!(parse_found("$1"), Some(("$1".parse().unwrap(), vec![])));
        for text in ["", "nonsense", "$1 $0 @3", "$1 $0 %3 @7 dead"] {
            assert_eq!(parse_found(text), None, "{text}");
        }
    }
}
