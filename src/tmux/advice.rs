//! What the host's tmux has to be told so that sessions can do what programs do in a bare pane. The choices are the person's:
//! nothing here changes them.

use tmux_interface::{DisplayMessage, TmuxCommands};

use super::TmuxServer;
use crate::error::Result;

/// The longest that a lone Esc may wait for what could follow, in milliseconds, before people notice.
const ESCAPE_TIME: u32 = 50;

/// An option, whether a value of it will do, the line that sets it, and what that is good for.
type Wish = (&'static str, fn(&str) -> bool, &'static str, &'static str);

const WISHES: [Wish; 5] = [
    (
        "set-clipboard",
        |value| value == "on",
        "set -s set-clipboard on",
        "what is copied in a session reaches tmux and the clipboard",
    ),
    (
        "escape-time",
        |value| value.parse::<u32>().is_ok_and(|time| time <= ESCAPE_TIME),
        "set -s escape-time 10",
        "Esc arrives at once",
    ),
    ("focus-events", is_on, "set -s focus-events on", "editors notice that their pane has the focus"),
    ("extended-keys", is_on, "set -s extended-keys on", "C-Enter and the like arrive"),
    (
        "allow-passthrough",
        // Newer than 3.2, where it cannot be off.
        |value| value.is_empty() || is_on(value),
        "set -g allow-passthrough on",
        "programs can show images where the terminal can",
    ),
];

/// A format shows a flag as a digit, and a choice as its word.
fn is_on(value: &str) -> bool {
    !matches!(value, "0" | "off" | "")
}

impl TmuxServer {
    /// The lines that the server's configuration lacks, each with what it is good for.
    pub fn missing_options(&self) -> Result<Vec<(&'static str, &'static str)>> {
        let format = WISHES.map(|(option, ..)| format!("#{{{option}}}")).join("\n");
        let ask = DisplayMessage::new().print().message(format);
        let values = self.run("look at its options", &TmuxCommands::new().cmd(ask))?;
        // Lines, and empty ones at the end as well.
        let values = values.split('\n').chain(std::iter::repeat(""));
        let missing = WISHES.iter().zip(values).filter(|((_, will_do, ..), value)| !will_do(value));
        Ok(missing.map(|((_, _, line, why), _)| (*line, *why)).collect())
    }
}
