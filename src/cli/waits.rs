//! What is said of keys, and of what is waited for.

use std::str::FromStr;
use std::time::Duration;

use regex_lite::Regex;

use crate::config::age::age;
use crate::model::SessionState;
use crate::nearest::nearest;
use crate::protocol::commands::Lines;

/// What `wait` waits for.
#[derive(Debug, Clone)]
pub enum WaitFor {
    /// The end of the session's command.
    End,
    Bell,
    /// Anything that it prints.
    Activity,
    /// A line that matches.
    Text(Regex),
    /// Nothing printed for so long.
    Idle(Duration),
    State(SessionState),
    /// What the configuration has as `ready`.
    Ready,
}

impl FromStr for WaitFor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some(("text", pattern)) => Regex::new(pattern).map(Self::Text).map_err(|error| error.to_string()),
            Some(("idle", limit)) => duration(limit).map(Self::Idle),
            Some(("state", state)) => {
                state.parse().map(Self::State).map_err(|error: crate::model::UnknownState| error.to_string())
            }
            _ => match text {
                "end" => Ok(Self::End),
                "bell" => Ok(Self::Bell),
                "activity" => Ok(Self::Activity),
                "ready" => Ok(Self::Ready),
                _ => Err("write `end`, `bell`, `activity`, `text=RE`, `idle=5s`, `state=waiting` or `ready`".to_owned()),
            },
        }
    }
}

/// More than nothing.
pub fn duration(text: &str) -> Result<Duration, String> {
    match age(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("it has to be a duration, as in `5s` or `2m`".to_owned()),
    }
}

pub fn lines(text: &str) -> Result<Lines, String> {
    match text.parse() {
        _ if text == "all" => Ok(Lines::All),
        Ok(lines) => Ok(Lines::Last(lines)),
        Err(_) => Err("it has to be a number of lines; to see all of them, write `--history` behind the target".to_owned()),
    }
}

/// Names of keys, beside `F1` to `F12` and single characters, as tmux has them.
const KEYS: [&str; 22] = [
    "Enter", "Escape", "Tab", "BTab", "Space", "BSpace", "Up", "Down", "Left", "Right", "Home", "End", "PageUp", "PageDown",
    "PgUp", "PgDn", "PPage", "NPage", "Insert", "IC", "Delete", "DC",
];

/// A key that tmux knows. One that it does not, it would type letter by letter.
pub fn key(text: &str) -> Result<String, String> {
    let mut bare = text;
    while let Some(rest) = ["C-", "M-", "S-"].iter().find_map(|prefix| bare.strip_prefix(prefix)).filter(|rest| !rest.is_empty())
    {
        bare = rest;
    }
    let is_function = bare.strip_prefix('F').and_then(|number| number.parse().ok()).is_some_and(|n: u8| (1..=12).contains(&n));
    let is_single = bare.chars().count() == 1 || (bare.len() == 2 && bare.starts_with('^'));
    if is_single || is_function || KEYS.iter().any(|key| key.eq_ignore_ascii_case(bare)) {
        return Ok(text.to_owned());
    }
    let did_you = nearest(bare, KEYS).map(|key| format!("; did you mean `{key}`?")).unwrap_or_default();
    Err(format!("tmux knows no key of this name{did_you}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_tmux_does_not_know_are_refused() {
        for name in ["C-c", "Enter", "M-x", "C-M-Left", "F12", "a", ";", "-", "ö", "^C", "S-F1", "enter", "C--"] {
            assert_eq!(key(name), Ok(name.to_owned()));
        }
        for (name, said) in [("Retrun", ""), ("Entr", "; did you mean `Enter`?"), ("F13", ""), ("", ""), ("C-", "")] {
            assert_eq!(key(name), Err(format!("tmux knows no key of this name{said}")), "{name}");
        }
    }

    #[test]
    fn what_is_waited_for() {
        for text in ["end", "bell", "activity", "ready", "text=^a=b$", "idle=5s", "state=waiting"] {
            assert!(text.parse::<WaitFor>().is_ok(), "{text}");
        }
        for text in ["", "ends", "text=(", "idle=5", "idle=0s", "state=idle", "text"] {
            assert!(text.parse::<WaitFor>().is_err(), "{text}");
        }
    }
}
