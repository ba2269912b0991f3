//! The client that a person looks at.

use std::path::PathBuf;

use tmux_interface::{DisplayMessage, ListClients, TmuxCommands};

use super::{ClientName, PaneId, TmuxServer, WindowId};
use crate::error::Result;
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

    /// Shows a line in the client's status line. A client that is gone has nobody to read it.
    pub fn show_message(&self, client: &ClientName, text: &str) {
        let line: String = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" · ");
        // A message is a format, and its time sequences are expanded as well.
        let literal = quote::tmux_format(&line).replace('%', "%%");
        let show = DisplayMessage::new().target_client(client.to_string()).delay(MESSAGE).message(literal);
        let _ = self.run("show a message", &TmuxCommands::new().cmd(show));
    }
}
