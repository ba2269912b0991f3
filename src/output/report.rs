//! One error → the surface where the person is looking.

use std::io::{self, Write};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use crate::config::{Waiting, own_file};
use crate::connection::terminal;
use crate::context::Context;
use crate::error::Error;
use crate::quote;
use crate::tmux::{ClientName, TmuxServer};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Yellow.on_default().bold();
pub const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Shows an error: as a message on the client that pressed a key, else on the terminal. In a pane that was opened for
/// this process it stays until a key is pressed, since the pane ends with the process.
pub fn report(error: &Error, context: &Context) -> ExitCode {
    show(error, context);
    if context.client.is_some() && context.tmux.is_some() {
        // From a key, output or another exit code would throw the pane into view mode.
        return ExitCode::SUCCESS;
    }
    if context.is_panes_program() {
        let _ = terminal::wait_for_key(|| anstream::eprint!("{HINT}press any key to close{HINT:#}\r\n"));
    }
    ExitCode::FAILURE
}

/// Shows an error that nothing ends with.
pub fn show(error: &Error, context: &Context) {
    if let (Some(client), Some(tmux)) = (&context.client, &context.tmux) {
        let (error, hint) = visible(error);
        let hint = hint.map(|hint| format!("\n{hint}")).unwrap_or_default();
        message(&format!("wharf: {error}{hint}"), client, tmux);
    } else {
        print(error);
    }
}

/// A message on a client. Where it can't be shown, tmux is given the text as what a key's command has printed, which it shows
/// in the pane: that is worse to read, and better than silence.
fn message(text: &str, client: &ClientName, tmux: &TmuxServer) {
    if let Err(error) = tmux.show_message(client, text) {
        let _ = writeln!(io::stdout(), "{text}\n{}", quote::visible_lines(&error.to_string()));
    }
}

/// An error and what to do about it. The names in them, of directories and the like, are shown and not obeyed.
fn visible(error: &Error) -> (String, Option<String>) {
    (quote::visible_lines(&error.to_string()), error.hint().map(|hint| quote::visible_lines(&hint)))
}

/// Shows what is worth knowing and no error, at the same place.
pub fn note(text: &str, context: &Context) {
    let text = quote::visible_lines(text);
    match (&context.client, &context.tmux) {
        (Some(client), Some(tmux)) => message(&format!("wharf: {text}"), client, tmux),
        _ => anstream::eprintln!("{HINT}note:{HINT:#} {text}"),
    }
}

/// Shows an error on the terminal.
pub fn print(error: &Error) {
    if let Error::Several { failures, .. } = error {
        failures.iter().for_each(print);
    }
    if let Error::Configuration { files } = error {
        let reports: Vec<String> = files.iter().flat_map(|file| file.reports(true)).collect();
        // A blank line between two, as compilers have it. It is plain where the terminal or `NO_COLOR` wants it so.
        anstream::eprintln!("{}", reports.join("\n\n"));
        return;
    }
    let (error, hint) = visible(error);
    anstream::eprintln!("{ERROR}error:{ERROR:#} {error}");
    if let Some(hint) = hint {
        anstream::eprintln!("{HINT}hint:{HINT:#} {hint}");
    }
}

/// Says that lines of a project's file wait for trust, where the person is looking.
pub fn note_waiting(waiting: &Waiting, context: &Context) {
    let directory = quote::shell_if_needed(&waiting.project.to_string_lossy());
    let file = own_file(&waiting.project);
    let lines: String = waiting.lines.iter().map(|(n, line)| format!("\n  {n}: {}", quote::printable(line))).collect();
    let text =
        format!("`{}` is not trusted, so these lines of it have no effect:{lines}", quote::printable(&file.to_string_lossy()));
    let hint = format!("read it, then `wharf trust {directory}`");
    match (&context.client, &context.tmux) {
        (Some(client), Some(tmux)) => message(&format!("wharf: {text}\n{hint}"), client, tmux),
        _ => anstream::eprintln!("{NOTE}note:{NOTE:#} {text}\n{HINT}hint:{HINT:#} {hint}"),
    }
}

/// Shows what the terminal waits for, and which keys there are.
pub fn print_keys(waits_for: &str, keys: &[(&str, &str)]) {
    let keys = keys.iter().map(|(key, does)| format!("{HINT}{key}{HINT:#} {does}"));
    let parts: Vec<String> = Some(waits_for.to_owned()).filter(|text| !text.is_empty()).into_iter().chain(keys).collect();
    anstream::eprintln!("{}", parts.join(" · "));
}
