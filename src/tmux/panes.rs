//! What the picker asks of the host's tmux: the panes that show sessions, and what is on them.

use tmux_interface::{CapturePane, DisplayMessage, KillPane, ListPanes, SetBuffer, SetOption, TmuxCommands};

use super::mark::{self, PROJECT, SESSION};
use super::{ClientName, PaneId, TmuxServer};
use crate::error::Result;
use crate::model::SessionName;
use crate::project::Project;

/// On a pane: the program that runs in its session, and its directory, as the container has it.
const COMMAND: &str = "@wharf_command";
const PATH: &str = "@wharf_path";
/// And whether that program fills the screen, as an editor does.
pub(super) const FULL_SCREEN: &str = "@wharf_full_screen";

/// A pane that shows a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPane {
    pub pane: PaneId,
    pub project: Project,
    pub session: SessionName,
}

impl TmuxServer {
    /// Every living pane that shows a session, once, also where its window is linked into several of the host's.
    pub fn open_panes(&self) -> Result<Vec<OpenPane>> {
        // Any byte can be part of a path, so its length is given.
        let session = format!("#{{?{},#{{{SESSION}}},}}", mark::is_living());
        let format = format!("#{{pane_id}} {session} #{{n:{PROJECT}}}:#{{{PROJECT}}}");
        let list = ListPanes::new().all().format(format);
        let mut panes = parse(&self.run("list the panes", &TmuxCommands::new().cmd(list))?);
        let mut seen: Vec<PaneId> = Vec::new();
        panes.retain(|open| {
            !seen.contains(&open.pane) && {
                seen.push(open.pane.clone());
                true
            }
        });
        Ok(panes)
    }

    /// Closes panes, and windows with their last.
    pub fn close_panes(&self, panes: &[PaneId]) -> Result<()> {
        let mut commands = TmuxCommands::new();
        for pane in panes {
            commands.push(KillPane::new().target_pane(pane.to_string()));
        }
        if panes.is_empty() { Ok(()) } else { self.run("close the panes", &commands).map(drop) }
    }

    /// What a pane shows, with escape sequences for its colours.
    pub fn capture(&self, pane: &PaneId) -> Result<String> {
        let capture = CapturePane::new().escape_sequences().stdout().target_pane(pane.to_string());
        self.run("look at the pane", &TmuxCommands::new().cmd(capture))
    }

    /// How many lines of history a pane keeps.
    pub fn history_limit(&self, pane: &PaneId) -> Option<u32> {
        let ask = DisplayMessage::new().print().target_pane(pane.to_string()).message("#{history_limit}");
        self.run("look at the pane", &TmuxCommands::new().cmd(ask)).ok()?.parse().ok()
    }

    /// Notes on a pane what runs in its session, and where, as the container has it.
    pub fn say_what_runs(&self, pane: &PaneId, command: &str, directory: &str, fills_screen: bool) {
        let set = |option| SetOption::new().pane().quiet().target_pane(pane.to_string()).option(option);
        let command = set(COMMAND).value(command);
        let fills_screen = set(FULL_SCREEN).value(if fills_screen { "1" } else { "0" });
        self.run_aside(&TmuxCommands::new().cmd(command).cmd(set(PATH).value(directory)).cmd(fills_screen));
    }

    /// Says on the client that shows a pane that what its program copies gets no further, and what to set: unless it does,
    /// or its person wants it so.
    pub fn say_if_copies_are_lost(&self, pane: &PaneId) {
        let ask = DisplayMessage::new().print().message("#{set-clipboard}");
        let setting = self.run("look at its options", &TmuxCommands::new().cmd(ask));
        if let (Ok("external"), Ok(Some(client))) = (setting.as_deref(), self.client_of(pane)) {
            let _ = self.show_message(&client, "what was copied did not reach tmux: set -s set-clipboard on lets it");
        }
    }

    /// Puts text into a new buffer, and into the clipboard of the client's terminal where that takes it.
    pub fn copy(&self, client: Option<&ClientName>, text: &str) -> Result<()> {
        let mut set = SetBuffer::new().build();
        set.push_flag("-w");
        if let Some(client) = client {
            set.push_option("-t", client.to_string());
        }
        set.push_param("--").push_param(text.to_owned());
        self.run("copy", &TmuxCommands::new().cmd(set)).map(drop)
    }
}

/// What [`TmuxServer::open_panes`] has tmux print; panes without a session are left out.
fn parse(printed: &str) -> Vec<OpenPane> {
    let mut panes = Vec::new();
    let mut rest = printed;
    while let Some((head, tail)) = rest.split_once(':') {
        let mut words = head.splitn(3, ' ');
        let (Some(pane), Some(session), Some(length)) = (words.next(), words.next(), words.next()) else { break };
        let Some((path, tail)) = length.parse().ok().and_then(|length| tail.split_at_checked(length)) else { break };
        if let (Ok(pane), Ok(session), false) = (pane.parse(), session.parse(), path.is_empty()) {
            panes.push(OpenPane { pane, project: Project::from_label(path), session });
        }
        rest = tail.strip_prefix('\n').unwrap_or(tail);
    }
    panes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_hold_whatever_separates_panes() {
        let path = "/a\n%9 main 2:/b: größe";
        let printed = format!("%0  0:\n%1 main {}:{path}\n%2  6:/other\n%3 claude 4:/api", path.len());
        let open = |pane: &str, path: &str, session: &str| OpenPane {
            pane: pane.parse().unwrap(),
            project: Project::from_label(path),
            session: session.parse().unwrap(),
        };
        assert_eq!(parse(&printed), [open("%1", path, "main"), open("%3", "/api", "claude")]);
        for text in ["", "nonsense", "%1 main 99:/a", "%1 main x:/a", "%1 main"] {
            assert_eq!(parse(text), [], "{text}");
        }
    }
}
