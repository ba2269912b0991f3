//! The name of a session.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What can't be the name of a session, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a name for a session: {reason}")]
pub struct BadSessionName {
    pub name: String,
    pub reason: &'static str,
}

/// A session's name: what tmux takes in a target without quoting, on every version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SessionName(String);

const MAX_LENGTH: usize = 64;

impl SessionName {
    /// What a session is called where nobody says otherwise; root's have no name in common with the user's then.
    pub fn usual(of_root: bool) -> Self {
        if of_root { Self("root".to_owned()) } else { Self::default() }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SessionName {
    /// A name for one more session like this one, as `main-2` after `main`.
    pub fn next_to(&self, running: &[SessionName]) -> Self {
        let base = match self.0.rsplit_once('-') {
            Some((base, number)) if !base.is_empty() && number.parse::<u32>().is_ok() => base,
            _ => &self.0,
        };
        // Letters, digits and dashes: cutting between any two is fine.
        let base = &base[..base.len().min(MAX_LENGTH - 11)];
        let candidates = (2..=u32::MAX).map(|number| Self(format!("{base}-{number}")));
        let mut free = candidates.filter(|name| !running.contains(name));
        free.next().unwrap_or_default()
    }
}

impl Default for SessionName {
    fn default() -> Self {
        Self("main".to_owned())
    }
}

impl FromStr for SessionName {
    type Err = BadSessionName;

    fn from_str(text: &str) -> Result<Self, BadSessionName> {
        let reason = if text.is_empty() {
            "it is empty"
        } else if text.len() > MAX_LENGTH {
            "it is longer than 64 bytes"
        } else if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            "use letters, digits, `-` and `_`"
        } else if text.starts_with('-') {
            "it starts with a dash"
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(BadSessionName { name: text.to_owned(), reason })
    }
}

impl TryFrom<String> for SessionName {
    type Error = BadSessionName;

    fn try_from(text: String) -> Result<Self, BadSessionName> {
        text.parse()
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_session_has_the_next_free_number() {
        let name = |text: &str| text.parse::<SessionName>().unwrap();
        let running = ["main", "main-2", "main-4"].map(name);
        for (session, next) in [("main", "main-3"), ("main-2", "main-3"), ("claude", "claude-2"), ("a-b", "a-b-2"), ("7", "7-2")]
        {
            assert_eq!(name(session).next_to(&running), name(next));
        }
        assert!(name(&"x".repeat(64)).next_to(&[]).as_str().parse::<SessionName>().is_ok());
    }

    #[test]
    fn names_are_checked() {
        for name in ["main", "claude-2", "a_b", "7"] {
            assert_eq!(name.parse::<SessionName>().unwrap().as_str(), name);
        }
        for name in ["", "-x", "a b", "a:b", "a.b", "größe", "#{x}", &"x".repeat(65)] {
            assert!(name.parse::<SessionName>().is_err(), "{name}");
        }
    }
}
