//! Names of things in a tmux server. Only ids are targets: a name can belong to two windows.

use std::fmt;
use std::str::FromStr;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $sigil:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let digits = text.strip_prefix($sigil).unwrap_or_default();
                if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(format!("`{text}` is not of the form `{}1`", $sigil))
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// `%1`
    PaneId, '%'
);
id!(
    /// `@1`
    WindowId, '@'
);
id!(
    /// `$1`
    SessionId, '$'
);

/// A client, as tmux calls it: the path of its terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientName(String);

impl FromStr for ClientName {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked() {
        assert_eq!("@41".parse::<WindowId>().unwrap().to_string(), "@41");
        for text in ["", "@", "41", "%4", "@4x", "@-1", "@1;kill-server"] {
            assert!(text.parse::<WindowId>().is_err(), "{text}");
        }
    }
}
