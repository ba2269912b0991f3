//! The client that a person looks at.

use std::path::PathBuf;

use tmux_interface::{DisplayMessage, ListClients, TmuxCommands};

use super::{ClientName, PaneId, TmuxServer, WindowId};
use crate::error::{Error, Result};
use crate::quote;

/// How long a message stays, in milliseconds: an error has to be read, and a key ends it sooner.
const MESSAGE: usize = 6000;

impl TmuxServer {
    /// The client that a pane's person used last, of those that show its session. A watcher's is nobody's.
    pub fn client_of(&self, pane: &PaneId) -> Result<Option<ClientName>> {
        let format = "#{client_control_mode} #{client_activity} #{client_name}";
        let list = ListClients::new().target_session(pane.to_string()).format(format);
        let printed = self.run("look for the client", &TmuxCommands::new().cmd(list))?;
        let clients = printed.lines().filter_map(|line| line.strip_prefix("0 ")?.split_once(' '));
        let latest = clients.max_by_key(|(activity, _)| activity.parse::<i64>().unwrap_or_default());
        Ok(latest.and_then(|(_, name)| name.parse().ok()))
    }

    /// The clients that people have, each with the window that it shows and its terminal; a watcher's is nobody's.
    pub fn clients(&self) -> Result<Vec<(ClientName, WindowId, PathBuf)>> {
        let format = "#{client_control_mode} #{window_id} #{client_tty} #{client_name}";
        let printed = self.run("look for the clients", &TmuxCommands::new().cmd(ListClients::new().format(format)))?;
        let clients = printed.lines().filter_map(|line| {
            let mut words = line.strip_prefix("0 ")?.splitn(3, ' ');
            let (window, terminal, name) = (words.next()?, words.next()?, words.next()?);
            Some((name.parse().ok()?, window.parse().ok()?, terminal.into()))
        });
        Ok(clients.collect())
    }

    /// Columns and rows; `None` where the client is gone.
    pub(super) fn size_of(&self, client: &ClientName) -> Result<Option<(usize, usize)>> {
        let found = self.client(client, "#{client_width} #{client_height}")?;
        Ok(found.as_deref().and_then(|size| size.split_once(' ')).and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?))))
    }

    /// What a format is for a client. `display-message` could say it as well, from 3.3 on.
    fn client(&self, client: &ClientName, format: &str) -> Result<Option<String>> {
        let list = ListClients::new().format(format!("{format} #{{client_name}}"));
        let printed = self.run("look for the client", &TmuxCommands::new().cmd(list))?;
        let end = format!(" {client}");
        Ok(printed.lines().find_map(|line| line.strip_suffix(&end)).map(str::to_owned))
    }

    /// Shows a line in the client's status line.
    ///
    /// # Errors
    ///
    /// Nobody sees it: the client is gone, say.
    pub fn show_message(&self, client: &ClientName, text: &str) -> Result<()> {
        let line: String = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" · ");
        // A message is a format, and its time sequences are expanded as well.
        let literal = quote::tmux_format(&line).replace('%', "%%");
        let show = || DisplayMessage::new().delay(MESSAGE).message(literal.as_str());
        let action = "show a message";
        let gone = || Error::Tmux { action, message: format!("there is no client `{client}`") };
        // Asked as well, because a message on no client is no failure to tmux.
        let list = ListClients::new().format("#{client_name}");
        let commands = TmuxCommands::new().cmd(list).cmd(show().target_client(client.to_string()));
        if let Ok(clients) = self.run(action, &commands) {
            let is_there = clients.lines().any(|line| line == client.to_string());
            return if is_there { Ok(()) } else { Err(gone()) };
        }
        // 3.2 and 3.2a can't be told of a client (mended in 3.3). They take the one that was used last of those that show the
        // session of the pane which a command seems to come from.
        let pane = self.client(client, "#{pane_id}")?.ok_or_else(gone)?;
        let mut command = self.command(&TmuxCommands::new().cmd(show()));
        Self::printed(action, command.env("TMUX_PANE", pane).output()).map(drop)
    }
}
