//! One error → the surface where the person is looking.

use std::process::{self, ExitCode};

use anstyle::{AnsiColor, Style};

use crate::context::Context;
use crate::error::Error;
use crate::session::terminal::{self, Terminal};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Shows an error: as a message on the client that pressed a key, else on the terminal. In a pane that was opened for
/// this process it stays until a key is pressed, since the pane ends with the process.
pub fn report(error: &Error, context: &Context) -> ExitCode {
    if let (Some(client), Some(tmux)) = (&context.client, &context.tmux) {
        let hint = error.hint().map(|hint| format!("\n{hint}")).unwrap_or_default();
        tmux.show_message(client, &format!("wharf: {error}{hint}"));
        // From a key, output or another exit code would throw the pane into view mode.
        return ExitCode::SUCCESS;
    }
    print(error);
    if let (Some(tmux), Some(pane)) = (&context.tmux, &context.pane)
        && Terminal::is_present()
        && tmux.is_panes_program(pane, process::id())
    {
        anstream::eprintln!("{HINT}press any key to close{HINT:#}");
        let _ = terminal::wait_for_key();
    }
    ExitCode::FAILURE
}

fn print(error: &Error) {
    if let Error::Several { failures, .. } = error {
        failures.iter().for_each(print);
    }
    anstream::eprintln!("{ERROR}error:{ERROR:#} {error}");
    if let Some(hint) = error.hint() {
        anstream::eprintln!("{HINT}hint:{HINT:#} {hint}");
    }
}
