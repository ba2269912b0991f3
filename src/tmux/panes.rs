//! What the picker asks of the host's tmux: the panes that show sessions, and what is on them.

use tmux_interface::{CapturePane, ListPanes, SetBuffer, TmuxCommands};

use super::mark::{self, PROJECT, SESSION};
use super::{ClientName, PaneId, TmuxServer};
use crate::error::Result;
use crate::model::SessionName;
use crate::project::Project;

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

    /// What a pane shows, with escape sequences for its colours.
    pub fn capture(&self, pane: &PaneId) -> Result<String> {
        let capture = CapturePane::new().escape_sequences().stdout().target_pane(pane.to_string());
        self.run("look at the pane", &TmuxCommands::new().cmd(capture))
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
