//! The plugin's options, `@wharf-*`: read, checked all at once, with their defaults.

use tmux_interface::{ShowOptions, TmuxCommands};

use super::TmuxServer;
use crate::error::{Error, Result};

/// The key that opens a pane's project, after the prefix.
pub const OPEN_KEY: &str = "@wharf-open-key";

const KNOWN: [&str; 1] = [OPEN_KEY];
const PREFIX: &str = "@wharf-";

/// What the options say.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// `None` where the person wants no binding (`""`).
    pub open_key: Option<String>,
}

impl TmuxServer {
    pub fn options(&self) -> Result<Options> {
        let show = ShowOptions::new().global();
        let printed = self.run("read the options", &TmuxCommands::new().cmd(show))?;
        let names = printed.lines().filter_map(|line| line.split(' ').next());
        let problems: Vec<String> = names.filter_map(unknown).collect();
        if !problems.is_empty() {
            return Err(Error::Options { problems });
        }
        let is_set = printed.lines().any(|line| line.split(' ').next() == Some(OPEN_KEY));
        let open_key = if is_set { self.option(OPEN_KEY)? } else { "O".to_owned() };
        Ok(Options { open_key: Some(open_key).filter(|key| !key.is_empty()) })
    }

    fn option(&self, name: &str) -> Result<String> {
        let show = ShowOptions::new().global().value().option(name);
        self.run("read an option", &TmuxCommands::new().cmd(show))
    }
}

/// What is wrong with an option's name, where it looks like one of ours and is not.
fn unknown(name: &str) -> Option<String> {
    if !name.starts_with(PREFIX) || KNOWN.contains(&name) {
        return None;
    }
    let nearest = KNOWN.iter().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    Some(format!("there is no option `{name}`{}", nearest.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_option_is_named_with_the_nearest_known() {
        assert_eq!(unknown("@wharf-opn-key").unwrap(), "there is no option `@wharf-opn-key`; did you mean `@wharf-open-key`?");
        for name in [OPEN_KEY, "@wharf_project", "@other", "status"] {
            assert_eq!(unknown(name), None, "{name}");
        }
    }
}
