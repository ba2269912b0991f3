//! Telling people that a session has begun to wait for them: once for each wait, and only where nobody looks at it.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::model::{ContainerName, SessionName};
use crate::tmux::{TmuxServer, Windows};

/// On each client a message, and to its terminal a notification for the desktop. Of what a client shows, its person knows.
pub fn tell(tmux: &TmuxServer, windows: &Windows, container: &ContainerName, sessions: &[SessionName]) {
    let clients = tmux.clients().unwrap_or_default();
    let is_looked_at =
        clients.iter().any(|(_, window, _)| windows.get(window).is_some_and(|shown| shown.container == *container));
    if is_looked_at {
        return;
    }
    let names: Vec<&str> = sessions.iter().map(SessionName::as_str).collect();
    let text = format!("{container}: {} waits for you", names.join(", "));
    for (client, _, terminal) in clients {
        // Who has gone meanwhile needs no word.
        let _ = tmux.show_message(&client, &format!("wharf: {text}"));
        notify_desktop(&terminal, &text);
    }
}

/// By OSC 9, which terminals that don't know it ignore. One write of a line is not torn apart by what tmux writes; a terminal
/// that takes nothing at the moment holds nobody up.
fn notify_desktop(terminal: &Path, text: &str) {
    let flags = i32::try_from((OFlags::NOCTTY | OFlags::NONBLOCK).bits()).unwrap_or(0);
    if let Ok(mut terminal) = OpenOptions::new().write(true).custom_flags(flags).open(terminal) {
        let _ = terminal.write(format!("\x1b]9;{text}\x07").as_bytes());
    }
}
