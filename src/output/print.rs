//! What a command says on standard output. A reader who has seen enough, as in `wharf list | head -1`, is no error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use tabled::builder::Builder;
use tabled::settings::peaker::Priority;
use tabled::settings::{Padding, Style, Width};

use crate::error::{Error, Result};

/// Text as it is.
pub fn text(text: &str) -> Result<()> {
    bytes(text.as_bytes())
}

/// One line, with its end.
pub fn line(line: impl Display) -> Result<()> {
    text(&format!("{line}\n"))
}

/// Text whose colours stay only where they are shown.
pub fn coloured(text: &str) -> Result<()> {
    unless_left(anstream::stdout().write_all(text.as_bytes()))
}

/// A value as programs read it.
pub fn json(value: &impl Serialize) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|error| Error::io("print JSON", error.into()))?;
    json.push(b'\n');
    bytes(&json)
}

/// A value as programs read it, in one line of a stream of them.
pub fn json_line(value: &impl Serialize) -> Result<()> {
    let json = serde_json::to_string(value).map_err(|error| Error::io("print JSON", error.into()))?;
    line(json)
}

pub fn bytes(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    unless_left(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

fn unless_left(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|source| Error::io("print to standard output", source)),
    }
}

/// Rows as columns with two blanks between them, cut to `width` cells where there is one.
pub fn table(rows: Builder, width: Option<usize>) -> String {
    let mut table = rows.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    if let Some(width) = width {
        table.with(Width::truncate(width).priority(Priority::max(true)).suffix("…"));
    }
    table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Whether what is printed has colours.
pub fn has_colour() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// The width of the terminal that is printed on, in cells.
pub fn width() -> Option<usize> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    rustix::termios::tcgetwinsize(stdout).ok().map(|size| usize::from(size.ws_col)).filter(|&columns| columns > 0)
}
