//! Waiting for a line: which of those that a session shows have come since.

use regex_lite::Regex;

use crate::cli::Since;
use crate::connection::Connection;
use crate::connection::control::{self, Screen};
use crate::error::Result;
use crate::model::{ContainerName, SessionName};

/// What a session showed at some moment. Lines are counted from the first that it ever printed.
#[derive(Debug)]
pub struct Mark {
    /// How many lines had left the screen.
    history: usize,
    /// What the screen showed then, and does not count; nothing where all that it shows counts.
    shown: Vec<String>,
    /// How many lines before the screen to ask for.
    back: usize,
}

impl Mark {
    /// Where nothing was ever sent, what was so before counts as well.
    pub async fn set(
        connection: &mut Connection,
        container: &ContainerName,
        session: &SessionName,
        since: Option<Since>,
    ) -> Result<Self> {
        let sent = match since {
            Some(Since::Send) => control::sent_screen(connection, container, session).await?,
            _ => None,
        };
        let now = control::screen(connection, container, session, 0).await?;
        Ok(match (sent, since) {
            (Some(sent), _) => Self { history: sent.history, back: now.history.saturating_sub(sent.history), shown: sent.lines },
            (None, Some(_)) => Self { history: now.history, shown: now.lines, back: 0 },
            (None, None) => Self { history: now.history, shown: Vec::new(), back: 0 },
        })
    }

    /// The first line since then that matches.
    pub async fn matching_line(
        &mut self,
        connection: &mut Connection,
        container: &ContainerName,
        session: &SessionName,
        pattern: &Regex,
    ) -> Result<Option<String>> {
        loop {
            let screen = control::screen(connection, container, session, self.back).await?;
            let needed = screen.history.saturating_sub(self.history);
            if needed <= self.back {
                return Ok(self.new_lines(&screen).find(|line| pattern.is_match(line)).map(str::to_owned));
            }
            self.back = needed;
        }
    }

    /// Those that were not there.
    fn new_lines<'a>(&'a self, screen: &'a Screen) -> impl Iterator<Item = &'a str> {
        // Cleared meanwhile: nothing of what was there then is there now.
        let is_cleared = screen.history < self.history;
        let is_old = move |number: usize, line: &str| {
            let Some(row) = number.checked_sub(self.history) else { return true };
            self.shown.get(row).is_some_and(|shown| shown.trim_end() == line.trim_end())
        };
        let numbered = screen.lines.iter().enumerate().map(move |(index, line)| (screen.first + index, line.as_str()));
        numbered.filter(move |(number, line)| is_cleared || !is_old(*number, line)).map(|(_, line)| line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(history: usize, back: usize, lines: &[&str]) -> Screen {
        Screen { history, first: history - back, lines: lines.iter().map(|&line| line.to_owned()).collect() }
    }

    #[test]
    fn only_what_has_come_since_counts() {
        let mark = Mark { history: 2, shown: vec!["$ make".to_owned(), "done".to_owned(), String::new()], back: 0 };
        for (screen, expected) in [
            (screen(2, 0, &["$ make", "done", ""]), &[][..]),
            (screen(2, 0, &["$ make", "done", "more"]), &["more"]),
            // The same words once more, in another line.
            (screen(4, 2, &["$ make", "done", "done", "x", "y"]), &["done", "x", "y"]),
            // More was asked for than is needed.
            (screen(3, 2, &["before", "$ make", "done", "x"]), &["x"]),
            // What a full-screen program draws over.
            (screen(2, 0, &["$ make", "redrawn", ""]), &["redrawn"]),
            (screen(0, 0, &["$ make"]), &["$ make"]),
        ] {
            assert_eq!(mark.new_lines(&screen).collect::<Vec<_>>(), expected, "{screen:?}");
        }
    }
}
