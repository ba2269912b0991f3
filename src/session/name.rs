//! The name of a session.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A session's name: what tmux takes in a target without quoting, on every version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionName(String);

const MAX_LENGTH: usize = 64;

impl SessionName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for SessionName {
    fn default() -> Self {
        Self("main".to_owned())
    }
}

impl FromStr for SessionName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
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
        Err(Error::BadSessionName { name: text.to_owned(), reason })
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
    fn names_are_checked() {
        for name in ["main", "claude-2", "a_b", "7"] {
            assert_eq!(name.parse::<SessionName>().unwrap().as_str(), name);
        }
        for name in ["", "-x", "a b", "a:b", "a.b", "größe", "#{x}", &"x".repeat(65)] {
            assert!(name.parse::<SessionName>().is_err(), "{name}");
        }
    }
}
