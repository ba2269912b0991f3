//! The terminal, as the environment describes it.

use std::path::{Path, PathBuf};

use crate::guest::delivery;

use super::finding::Finding;

/// `variable` looks one up that is not empty; `features` are what tmux knows of the terminal that it is in.
pub fn terminal(variable: impl Fn(&str) -> Option<String>, home: Option<&Path>, features: &str) -> [Finding; 3] {
    let term = variable("TERM");
    let is_known = |term: &str| delivery::terminfo(term, own_terminfo(&variable, home)).is_some();
    let entry = match term.as_deref() {
        None | Some("dumb" | "unknown") => {
            let found = format!("TERM is {}", term.as_deref().map_or("not set".to_owned(), |term| format!("`{term}`")));
            Finding::warning("terminal", &found, "wharf needs one that moves its cursor: `export TERM=xterm-256color`")
        }
        Some(term) if is_known(term) => Finding::ok("terminal", &format!("`{term}`")),
        Some(term) => {
            let hint = "install it (`infocmp -x | ssh THIS_HOST tic -x -` where it is known), or `export TERM=xterm-256color`";
            Finding::warning("terminal", &format!("this machine has no terminfo entry for `{term}`"), hint)
        }
    };
    // The first that is set counts (POSIX).
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| Some((name, variable(name)?)));
    let is_utf8 = |value: &str| ["utf-8", "utf8"].iter().any(|end| value.to_ascii_lowercase().contains(end));
    let locale = match locale {
        Some((name, value)) if is_utf8(&value) => Finding::ok("locale", &format!("{name} is `{value}`")),
        Some((name, value)) => {
            let hint = format!("`export {name}=C.UTF-8`, or another of `locale -a`");
            Finding::warning("locale", &format!("{name} is `{value}`, which is not UTF-8"), &hint)
        }
        None => Finding::warning("locale", "none is set, so programs take it for ASCII", "`export LANG=C.UTF-8`"),
    };
    let colours = match variable("COLORTERM") {
        Some(value) if ["truecolor", "24bit"].contains(&value.as_str()) => {
            Finding::ok("colours", &format!("all (COLORTERM is `{value}`)"))
        }
        _ if features.split(',').any(|feature| feature == "RGB") => Finding::ok("colours", "all (tmux knows that it has them)"),
        _ => {
            let (found, hint) = if variable("TMUX").is_some() {
                (
                    "tmux doesn't know of more than 256",
                    "if the terminal has them: `set -as terminal-features ',*:RGB'` in `.tmux.conf`",
                )
            } else {
                ("programs don't know of more than 256", "if the terminal has them: `export COLORTERM=truecolor`")
            };
            Finding::warning("colours", found, hint)
        }
    };
    [entry, locale, colours]
}

/// Where a person can have entries of their own (terminfo(5)).
fn own_terminfo(variable: impl Fn(&str) -> Option<String>, home: Option<&Path>) -> Vec<PathBuf> {
    let dirs = variable("TERMINFO_DIRS").unwrap_or_default();
    let listed = dirs.split(':').filter(|directory| !directory.is_empty()).map(PathBuf::from);
    let first = variable("TERMINFO").map(PathBuf::from).into_iter().chain(home.map(|home| home.join(".terminfo")));
    first.chain(listed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Verdict::{self, Ok, Warning};

    fn states(pairs: &[(&str, &str)], features: &str) -> [Verdict; 3] {
        let variable = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        terminal(variable, None, features).map(|finding| finding.state)
    }

    #[test]
    fn the_environment_says_what_the_terminal_can() {
        let good = [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("COLORTERM", "truecolor")];
        for (changed, features, expected) in [
            (("X", ""), "", [Ok, Ok, Ok]),
            (("TERM", "dumb"), "", [Warning, Ok, Ok]),
            (("TERM", "xterm-wharf"), "", [Warning, Ok, Ok]),
            (("TERM", "../x/xterm"), "", [Warning, Ok, Ok]),
            (("LC_ALL", "de_DE.utf8"), "", [Ok, Ok, Ok]),
            (("LC_ALL", "C"), "", [Ok, Warning, Ok]),
            (("LC_CTYPE", "de_DE.ISO-8859-1"), "", [Ok, Warning, Ok]),
            (("COLORTERM", "24bit"), "", [Ok, Ok, Ok]),
            (("COLORTERM", "yes"), "256,title", [Ok, Ok, Warning]),
            (("COLORTERM", "yes"), "256,RGB,title", [Ok, Ok, Ok]),
        ] {
            // Of two with the same name, the first counts.
            assert_eq!(states(&[&[changed][..], &good].concat(), features), expected, "{changed:?} {features}");
        }
        assert_eq!(states(&[], ""), [Warning, Warning, Warning]);
    }

    #[test]
    fn entries_of_ones_own_count() {
        let home = tempfile::tempdir().unwrap();
        let entries = home.path().join(".terminfo/x");
        std::fs::create_dir_all(&entries).unwrap();
        std::fs::write(entries.join("xterm-wharf"), "").unwrap();
        let variable = |name: &str| (name == "TERM").then(|| "xterm-wharf".to_owned());
        assert_eq!(terminal(variable, Some(home.path()), "")[0], Finding::ok("terminal", "`xterm-wharf`"));
    }
}
