//! The client that a person looks at.

use tmux_interface::{DisplayMessage, TmuxCommands};

use super::{ClientName, TmuxServer, escape_format};

/// How long a message stays, in milliseconds: an error has to be read, and a key ends it sooner.
const MESSAGE: usize = 6000;

impl TmuxServer {
    /// Shows a line in the client's status line. A client that is gone has nobody to read it.
    pub fn show_message(&self, client: &ClientName, text: &str) {
        let line: String = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" · ");
        // A message is a format, and its time sequences are expanded as well.
        let literal = escape_format(&line).replace('%', "%%");
        let show = DisplayMessage::new().target_client(client.to_string()).delay(MESSAGE).message(literal);
        let _ = self.run("show a message", &TmuxCommands::new().cmd(show));
    }
}
