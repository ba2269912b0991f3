//! The plugin's options, `@wharf-*`: read, checked all at once, with their defaults.

use std::str::FromStr;

use tmux_interface::{ShowOptions, TmuxCommands};

use super::mark::WINDOW_NAME;
use super::{TmuxServer, widget};
use crate::error::{Error, Result};
use crate::nearest::nearest;

/// The key that opens a pane's project, after the prefix.
pub const OPEN_KEY: &str = "@wharf-open-key";

/// The key that shows the menu of a pane's project, after the prefix.
pub const MENU_KEY: &str = "@wharf-menu-key";
/// The key that opens the picker, after the prefix.
pub const PICK_KEY: &str = "@wharf-pick-key";

/// The key that opens the next session that waits for its user, after the prefix.
pub const NEXT_KEY: &str = "@wharf-next-key";

/// The size of the picker's popup: columns and rows, each in cells or in per cent of the client.
pub const PICK_SIZE: &str = "@wharf-pick-size";

/// Whether keys that open panes and windows do so in the container, where the pane shows one.
pub const SPLITS: &str = "@wharf-splits";

const PREFIX: &str = "@wharf-";

/// What the options say.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// `None` where the person wants no binding (`""`).
    pub open_key: Option<String>,
    /// The key of the menu; `None` binds none.
    pub menu_key: Option<String>,
    /// The key of the picker; `None` binds none.
    pub pick_key: Option<String>,
    pub pick_size: PopupSize,
    /// The key for the next session that waits; `None` binds none.
    pub next_key: Option<String>,
    pub splits: bool,
}

/// As `display-popup` takes them: `80` or `80%`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PopupSize {
    pub width: String,
    pub height: String,
}

impl FromStr for PopupSize {
    type Err = ();

    /// Reads `80%x75%`, `100x30`.
    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let size = |text: &str| {
            let (number, most) = text.strip_suffix('%').map_or((text, 10_000), |number| (number, 100));
            let is_size =
                number.bytes().all(|b| b.is_ascii_digit()) && number.parse().is_ok_and(|n: u32| (1..=most).contains(&n));
            is_size.then(|| text.to_owned()).ok_or(())
        };
        let (width, height) = text.split_once('x').ok_or(())?;
        Ok(Self { width: size(width)?, height: size(height)? })
    }
}

impl TmuxServer {
    pub fn options(&self) -> Result<Options> {
        let show = ShowOptions::new().global();
        let printed = self.run("read the options", &TmuxCommands::new().cmd(show))?;
        let set: Vec<&str> = printed.lines().filter_map(|line| line.split(' ').next()).collect();
        let mut problems: Vec<String> = set.iter().copied().filter_map(unknown).collect();
        let value = |name| if set.contains(&name) { self.option(name).map(Some) } else { Ok(None) };
        let key = |name, default: &str| {
            let key = value(name)?.unwrap_or_else(|| default.to_owned());
            Ok::<_, Error>(Some(key).filter(|key| !key.is_empty()))
        };
        let (open_key, pick_key, menu_key) = (key(OPEN_KEY, "O")?, key(PICK_KEY, "W")?, key(MENU_KEY, "M-w")?);
        let next_key = key(NEXT_KEY, "N")?;
        let pick_size = value(PICK_SIZE)?.unwrap_or_else(|| "80%x75%".to_owned());
        let pick_size =
            pick_size.parse().map_err(|()| format!("`{PICK_SIZE}` is like `80%x75%` or `100x30`, and not `{pick_size}`"));
        let splits = match value(SPLITS)?.as_deref() {
            None | Some("off") => false,
            Some("on") => true,
            Some(other) => {
                problems.push(format!("`{SPLITS}` is `on` or `off`, and not `{other}`"));
                false
            }
        };
        problems.extend(pick_size.as_ref().err().cloned());
        match pick_size {
            Ok(pick_size) if problems.is_empty() => Ok(Options { open_key, menu_key, pick_key, pick_size, next_key, splits }),
            _ => Err(Error::Options { problems }),
        }
    }

    fn option(&self, name: &str) -> Result<String> {
        let show = ShowOptions::new().global().value().option(name);
        self.run("read an option", &TmuxCommands::new().cmd(show))
    }
}

/// What is wrong with an option's name, where it looks like one of ours and is not.
fn unknown(name: &str) -> Option<String> {
    let known: Vec<String> = [OPEN_KEY, MENU_KEY, PICK_KEY, NEXT_KEY, PICK_SIZE, SPLITS, WINDOW_NAME]
        .map(str::to_owned)
        .into_iter()
        .chain(widget::options())
        .collect();
    if !name.starts_with(PREFIX) || known.iter().any(|known| known == name) {
        return None;
    }
    // What all of them begin with makes none of them alike.
    let bare = |name: &str| name[PREFIX.len()..].to_owned();
    let words: Vec<String> = known.iter().map(|known| bare(known)).collect();
    let nearest = nearest(&bare(name), words.iter().map(String::as_str));
    let did_you = nearest.map(|word| format!("; did you mean `{PREFIX}{word}`?")).unwrap_or_default();
    Some(format!("there is no option `{name}`{did_you}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_option_is_named_with_the_nearest_known() {
        assert_eq!(unknown("@wharf-opn-key").unwrap(), "there is no option `@wharf-opn-key`; did you mean `@wharf-open-key`?");
        assert_eq!(unknown("@wharf-nonsense").unwrap(), "there is no option `@wharf-nonsense`");
        for name in [OPEN_KEY, "@wharf-status-oom", "@wharf_project", "@other", "status"] {
            assert_eq!(unknown(name), None, "{name}");
        }
    }

    #[test]
    fn sizes_of_popups() {
        for (text, width, height) in [("80%x75%", "80%", "75%"), ("100x30", "100", "30"), ("100%x9", "100%", "9")] {
            assert_eq!(text.parse(), Ok(PopupSize { width: width.to_owned(), height: height.to_owned() }));
        }
        for text in ["", "80", "80%", "x", "0x1", "101%x1", "80 x 20", "-1x5", "#{x}x5", "1x1x1", "+5x5"] {
            assert_eq!(text.parse::<PopupSize>(), Err(()), "{text}");
        }
    }
}
