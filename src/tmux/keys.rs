//! Key bindings.

use tmux_interface::{BindKey, ListKeys, SetOption, ShowOptions, TmuxCommand, TmuxCommands, UnbindKey};

use super::{PopupSize, TmuxServer};
use crate::error::{Error, Result};
use crate::quote::{self, tmux_word};

/// Where the server remembers which keys are ours, so that a changed option takes the old binding away.
const BOUND_KEYS: &str = "@wharf_bound_keys";
const PREFIX_TABLE: &str = "prefix";
/// Nobody presses a key of this table. Keys are bound there first, since only tmux knows which there are.
const TRIAL_TABLE: &str = "wharf-trial";

/// A key of the prefix table, and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub key: String,
    /// What `list-keys -N` shows.
    pub note: &'static str,
    pub bound: Bound,
}

/// What a key does, by a command as [`shell_command`] makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// Runs it out of sight.
    Run(String),
    /// Shows it in a popup on the client that pressed the key.
    Popup(String, PopupSize),
}

impl Bound {
    /// The arguments of `run-shell`.
    fn arguments(&self) -> [String; 2] {
        match self {
            Self::Run(command) => ["-b".to_owned(), command.clone()],
            // A popup's command is no format: what it is to know of the client goes through this one. What is small gets all
            // of the client.
            Self::Popup(command, PopupSize { width, height }) => {
                let (width, height) = (at_least("client_width", SMALL.0, width), at_least("client_height", SMALL.1, height));
                let command = tmux_word(command);
                let popup =
                    format!(r##"display-popup -E -c "#{{client_name}}" -t "#{{pane_id}}" -w {width} -h {height} {command}"##);
                ["-C".to_owned(), popup]
            }
        }
    }
}

/// Columns and rows of a client below which a popup is as large as the client.
const SMALL: (u16, u16) = (100, 30);

fn at_least(dimension: &str, least: u16, wanted: &str) -> String {
    format!("#{{?#{{e|<:#{{{dimension}}},{least}}},100%,{wanted}}}")
}

impl Binding {
    fn bind_in(&self, table: &'static str) -> TmuxCommand<'_> {
        let mut bind = BindKey::new().key_table(table).note(self.note).key(self.key.as_str()).command("run-shell").build();
        for argument in self.bound.arguments() {
            bind.push_param(argument);
        }
        bind
    }
}

impl TmuxServer {
    /// Binds the keys, and unbinds those that an earlier call bound and nobody wants any more; none of it where tmux does not
    /// take all of them.
    pub fn bind(&self, bindings: &[Binding]) -> Result<()> {
        self.check_keys(bindings)?;
        let show = ShowOptions::new().server().quiet().value().option(BOUND_KEYS);
        let before = self.run("look at the keys", &TmuxCommands::new().cmd(show))?;
        let now: Vec<&str> = bindings.iter().map(|binding| binding.key.as_str()).collect();
        let mut commands = TmuxCommands::new();
        for key in before.split(' ').filter(|key| !key.is_empty() && !now.contains(key)) {
            commands.push(UnbindKey::new().quiet().key(key));
        }
        for binding in bindings {
            commands.push(binding.bind_in(PREFIX_TABLE));
        }
        commands.push(SetOption::new().server().option(BOUND_KEYS).value(now.join(" ")));
        self.run("bind the keys", &commands).map(drop)
    }

    /// Names all keys that tmux does not take. One by one: it stops at the first.
    fn check_keys(&self, bindings: &[Binding]) -> Result<()> {
        let mut problems = Vec::new();
        for binding in bindings {
            let forget = UnbindKey::new().quiet().all().key_table(TRIAL_TABLE);
            match self.run("try a key", &TmuxCommands::new().cmd(binding.bind_in(TRIAL_TABLE)).cmd(forget)) {
                Err(Error::Tmux { message, .. }) => problems.push(format!("tmux takes no key `{}`: {message}", binding.key)),
                tried => drop(tried?),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Options { problems }) }
    }

    /// The keys, after the prefix, that are bound with one of these notes.
    pub fn keys_noted(&self, notes: &[&str]) -> Result<Vec<String>> {
        // From 3.7 on, what is pressed before the key is printed before it as well, unless that is something else: `-P`.
        let mut list = ListKeys::new().with_notes().key_table(PREFIX_TABLE).build();
        list.push_option("-P", "");
        let printed = self.run("look at the keys", &TmuxCommands::new().cmd(list))?;
        let keys = printed.lines().filter_map(|line| line.trim_start().split_once(char::is_whitespace));
        let keys = keys.filter(|(_, note)| notes.contains(&note.trim_start()));
        Ok(keys.map(|(key, _)| key.to_owned()).collect())
    }
}

/// A command line for `run-shell`: `words` are taken as they are, `formats` are expanded by tmux and may only stand for
/// ids and the like, never for text that somebody else chose.
pub fn shell_command(words: &[&str], formats: &[(&str, &str)]) -> String {
    let mut line = vec!["exec".to_owned()];
    line.extend(words.iter().map(|word| quote::tmux_format(&quote::shell(word))));
    for (flag, format) in formats {
        line.extend([(*flag).to_owned(), quote::shell(format)]);
    }
    line.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_and_a_format_leave_the_words_alone() {
        let command = shell_command(&["/opt/it's #1/wharf", "open"], &[("--pane", "#{pane_id}")]);
        assert_eq!(command, r"exec '/opt/it'\''s ##1/wharf' 'open' --pane '#{pane_id}'");
    }
}
