//! A menu on a client.
//!
//! tmux expands formats in a menu's title and labels when it is shown, and in an item's command as well, which is then
//! parsed as in a configuration file. So what somebody else has chosen is only ever shown, with its `#` escaped, and
//! commands are made of the program's path, ids, and names that need no quoting.

use tmux_interface::{DisplayMenu, TmuxCommands};

use super::{ClientName, PaneId, TmuxServer, shell_command};
use crate::error::{Error, Result};
use crate::quote::{self, tmux_word};

/// What tmux draws around the items, in cells.
const BORDER: (usize, usize) = (4, 2);
/// A popup starts in the project's directory, which is text that nobody expands again.
const DIRECTORY: &str = "#{?#{@wharf_project},#{@wharf_project},#{pane_current_path}}";
/// Shows what a command prints until a key is pressed: in a pager where there is one. `LESS` could have it end at once.
const PAGER: &str = r#"exec 2>&1; if command -v less >/dev/null; then LESS= "$@" | LESS= less; else "$@"; read -r _; fi"#;

/// A line of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Line,
    /// Nothing to choose.
    Said(String),
    Choice {
        label: String,
        key: char,
        does: Does,
    },
}

/// What a choice does: arguments of wharf's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// What there is to say is a message on the client.
    Run(Vec<String>),
    /// After a yes to a question; what there is to say is a message on the client.
    Ask(&'static str, Vec<String>),
    /// On a terminal of its own, which stays where it fails.
    Popup(Vec<String>),
    /// On a terminal of its own, to read what it prints.
    Page(Vec<String>),
}

/// Where a menu is shown, and whose commands it runs.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    pub client: &'a ClientName,
    pub pane: &'a PaneId,
    /// wharf's own program.
    pub wharf: &'a str,
}

impl TmuxServer {
    /// Shows a menu, and waits until it is closed.
    pub fn show_menu(&self, at: At, title: &str, items: &[Item]) -> Result<()> {
        let action = "show the menu";
        let (width, height) = self.size_of(at.client)?.ok_or(Error::Needs { verb: "menu", needs: "client" })?;
        let room = width.saturating_sub(BORDER.0);
        let mut items = items.to_vec();
        // tmux shows nothing at all of a menu that does not fit.
        if items.len() + BORDER.1 > height {
            items.retain(|item| *item != Item::Line);
        }
        if items.len() + BORDER.1 > height || room < 8 {
            return Err(Error::Needs { verb: "menu", needs: "larger terminal" });
        }
        let mut menu = DisplayMenu::new()
            .target_client(at.client.to_string())
            .target_pane(at.pane.to_string())
            .title(format!("#[align=centre] {} ", shown(title, room.saturating_sub(2))))
            .build();
        menu.push_option("-x", "C").push_option("-y", "C");
        for item in &items {
            match item {
                Item::Line => drop(menu.push_param("")),
                // A dash makes it grey, and nothing to choose.
                Item::Said(text) => drop(menu.push_param(format!("-{}", shown(text, room))).push_param("").push_param("")),
                Item::Choice { label, key, does } => {
                    // The key takes four cells.
                    let label = shown(label, room.saturating_sub(4));
                    menu.push_param(label).push_param(key.to_string()).push_param(quote::tmux_format(&does.command(at)));
                }
            }
        }
        self.run(action, &TmuxCommands::new().cmd(menu)).map(drop)
    }
}

impl Does {
    /// As tmux reads it in a configuration file.
    fn command(&self, at: At) -> String {
        let popup = |size: &str, program: &[String]| {
            let words: Vec<String> = program.iter().map(|word| tmux_word(word)).collect();
            format!("display-popup -EE {size} -t {} -d {} {}", at.pane, tmux_word(DIRECTORY), words.join(" "))
        };
        let wharf = |words: &[String]| [&[at.wharf.to_owned()][..], words].concat();
        match self {
            Self::Run(words) => {
                let client = at.client.to_string();
                let surface = ["--client", &client, "--pane", &at.pane.to_string()].map(str::to_owned);
                let words: Vec<String> = [at.wharf.to_owned()].into_iter().chain(words.clone()).chain(surface).collect();
                let line = shell_command(&words.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
                // What is printed would take the pane's place.
                format!("run-shell -b {}", tmux_word(&format!("{line} >/dev/null")))
            }
            Self::Ask(question, words) => {
                let run = Self::Run(words.clone()).command(at);
                format!("confirm-before -p {} {}", tmux_word(&format!("{question} (y/n)")), tmux_word(&run))
            }
            Self::Popup(words) => popup("-w 80% -h 50%", &wharf(words)),
            Self::Page(words) => {
                let pager = ["sh", "-c", PAGER, "sh"].map(str::to_owned);
                popup("-w 90% -h 90%", &[&pager[..], &wharf(words)].concat())
            }
        }
    }
}

/// Text as it is, as far as there is room for it.
fn shown(text: &str, room: usize) -> String {
    let text = quote::printable(text);
    let text =
        if text.chars().count() > room { text.chars().take(room.saturating_sub(1)).chain(['…']).collect() } else { text };
    quote::tmux_format(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_what_tmux_reads() {
        let (client, pane) = ("/dev/pts/1".parse().unwrap(), "%3".parse().unwrap());
        let at = At { client: &client, pane: &pane, wharf: "/opt/it's #1/wharf" };
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let run = r"run-shell -b 'exec '\''/opt/it'\''\'\'''\''s ##1/wharf'\'' '\''open'\'' '\''--client'\'' '\''/dev/pts/1'\'' '\''--pane'\'' '\''%3'\'' >/dev/null'";
        assert_eq!(Does::Run(words(&["open"])).command(at), run);
        let asks = Does::Ask("stop it?", words(&["stop"])).command(at);
        assert!(asks.starts_with(r"confirm-before -p 'stop it? (y/n)' 'run-shell -b '\''exec "), "{asks}");
        let popup = Does::Popup(words(&["rebuild", "wharf-x-0"])).command(at);
        let directory = "'#{?#{@wharf_project},#{@wharf_project},#{pane_current_path}}'";
        let expected =
            format!(r"display-popup -EE -w 80% -h 50% -t %3 -d {directory} '/opt/it'\''s #1/wharf' 'rebuild' 'wharf-x-0'");
        assert_eq!(popup, expected);
    }

    #[test]
    fn what_is_shown_is_neither_obeyed_nor_too_long() {
        for (text, room, label) in
            [("api", 10, "api"), ("#(touch x)", 20, "##(touch x)"), ("a\u{1b}[31mb", 20, "a [31mb"), ("abcdefgh", 5, "abcd…")]
        {
            assert_eq!(shown(text, room), label);
        }
    }
}
