//! What is being done about a container, said while it is done.

mod build;
mod live;
mod pull;

use std::io::{self, IsTerminal};

use anstyle::{AnsiColor, Style};

pub use build::{Build, build, turning};
pub use live::Live;
pub use pull::Pull;

const NOTE: Style = AnsiColor::Yellow.on_default().bold();
const QUIET: Style = Style::new().dimmed();

/// Says what is being done on a terminal. Elsewhere, output is for who asked, and this is no output.
pub fn say_line(text: &str) {
    if io::stderr().is_terminal() {
        anstream::eprintln!("{QUIET}{text}{QUIET:#}");
    }
}

/// Says what is being done where it takes long and is no terminal, as in a log.
fn say_plainly(text: &str) {
    anstream::eprintln!("{text}");
}

/// Says what a person has to know, also where it is not a terminal.
pub fn note(text: &str) {
    anstream::eprintln!("{NOTE}note:{NOTE:#} {text}");
}
