//! The word that the windows of projects may be others now: who changes them says so, and who watches them waits for it.

use tmux_interface::{RunShell, SetHook, TmuxCommands, WaitFor};

use super::TmuxServer;
use crate::error::Result;

/// What a watcher waits on; a word of it that comes while nobody waits is kept.
pub(super) const CHANNEL: &str = "wharf-windows";
/// What happens where a pane comes, goes or moves.
const PANE_EVENTS: [&str; 4] = ["pane-died", "pane-exited", "window-layout-changed", "window-linked"];
/// The place of our command among those that people have for an event.
const HOOK: u16 = 731;

impl TmuxServer {
    /// Says that the windows of projects may be others now.
    pub fn say_that_windows_changed(&self) {
        self.run_aside(&TmuxCommands::new().cmd(windows_changed()));
    }

    /// Has the server itself say so whenever a pane may have come, gone or moved to another window.
    pub fn tell_of_panes(&self) -> Result<()> {
        let mut commands = TmuxCommands::new();
        for event in PANE_EVENTS {
            let hook = format!("{event}[{HOOK}]");
            commands.push(SetHook::new().global().hook_name(hook).command(format!("wait-for -S {CHANNEL}")));
        }
        self.run("follow the panes", &commands).map(drop)
    }

    /// Says so half a second from now, when a pane that closes with this process is gone. The server waits, at no process.
    pub fn say_that_windows_change_soon(&self) {
        let later = RunShell::new().background().delay("0.5").tmux_command().shell_command(format!("wait-for -S {CHANNEL}"));
        self.run_aside(&TmuxCommands::new().cmd(later));
    }
}

/// For whoever changes what belongs to a project, beside the change.
pub(super) fn windows_changed() -> WaitFor<'static> {
    WaitFor::new().woken().channel(CHANNEL)
}
