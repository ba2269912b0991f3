//! A few lines of a terminal that are drawn anew in place.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use tabled::grid::util::string::get_line_width;

use super::QUIET;

/// An engine can say more than anybody reads.
const PAUSE: Duration = Duration::from_millis(50);

/// Nothing is drawn where it is no terminal. What was drawn is gone when this is.
pub struct Live {
    is_terminal: bool,
    drawn: usize,
    last: Option<Instant>,
}

impl Live {
    pub fn new() -> Self {
        Self { is_terminal: is_live(), drawn: 0, last: None }
    }

    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Draws these lines in place of those before, unless that was a moment ago.
    pub fn draw(&mut self, lines: impl FnOnce() -> Vec<String>) {
        if !self.is_terminal || self.last.is_some_and(|last| last.elapsed() < PAUSE) {
            return;
        }
        let width = width();
        let lines: Vec<String> = lines().iter().map(|line| cut(line, width)).collect();
        let text: String = lines.iter().map(|line| format!("{QUIET}{line}{QUIET:#}\n")).collect();
        write(&format!("{}{text}", back(self.drawn)));
        self.drawn = lines.len();
        self.last = Some(Instant::now());
    }

    pub fn clear(&mut self) {
        if self.drawn > 0 {
            write(&back(self.drawn));
            self.drawn = 0;
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Whether lines can be drawn anew.
fn is_live() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn width() -> usize {
    rustix::termios::tcgetwinsize(io::stderr()).ok().map(|size| usize::from(size.ws_col)).filter(|width| *width > 0).unwrap_or(80)
}

/// Up, and rid of all below. Not by colours, so `NO_COLOR` has no say.
fn back(lines: usize) -> String {
    if lines == 0 { String::new() } else { format!("\x1b[{lines}A\r\x1b[J") }
}

fn write(text: &str) {
    let plain = anstream::AutoStream::choice(&io::stderr()) == anstream::ColorChoice::Never;
    let text = if plain { text.replace(&QUIET.to_string(), "").replace(&format!("{QUIET:#}"), "") } else { text.to_owned() };
    // Nobody is there to be told that nobody is there.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// As much of a line as fits, without what a terminal would obey.
fn cut(line: &str, width: usize) -> String {
    let mut cut = String::new();
    let mut used = 0;
    for c in line.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()) {
        used += get_line_width(c.encode_utf8(&mut [0; 4]));
        if used > width {
            break;
        }
        cut.push(c);
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_to_the_terminals_width_and_obeyed_by_none() {
        assert_eq!(cut("abc\x1b[2Jdef\tg", 20), "abc[2Jdef g");
        assert_eq!(cut("日本語", 5), "日本");
        assert_eq!(cut("", 5), "");
    }
}
