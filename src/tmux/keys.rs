//! Key bindings.

use tmux_interface::{BindKey, SetOption, ShowOptions, TmuxCommands, UnbindKey};

use super::{TmuxServer, escape_format};
use crate::error::{Error, Result};
use crate::quote;

/// Where the server remembers which keys are ours, so that a changed option takes the old binding away.
const BOUND_KEYS: &str = "@wharf_bound_keys";

/// A key of the prefix table, and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub key: String,
    /// What `list-keys -N` shows.
    pub note: &'static str,
    /// A command for `run-shell`, as [`shell_command`] makes it.
    pub command: String,
}

impl TmuxServer {
    /// Binds the keys, and unbinds those that an earlier call bound and nobody wants any more.
    pub fn bind(&self, bindings: &[Binding]) -> Result<()> {
        let show = ShowOptions::new().server().quiet().value().option(BOUND_KEYS);
        let before = self.run("look at the keys", &TmuxCommands::new().cmd(show))?;
        let mut problems = Vec::new();
        for binding in bindings {
            let mut bind = BindKey::new().note(binding.note).key(binding.key.as_str()).command("run-shell").build();
            bind.push_param("-b").push_param(binding.command.as_str());
            if let Err(Error::Tmux { message, .. }) = self.run("bind a key", &TmuxCommands::new().cmd(bind)) {
                problems.push(format!("tmux takes no key `{}`: {message}", binding.key));
            }
        }
        if !problems.is_empty() {
            return Err(Error::Options { problems });
        }
        let now: Vec<&str> = bindings.iter().map(|binding| binding.key.as_str()).collect();
        let mut commands = TmuxCommands::new();
        for key in before.split(' ').filter(|key| !key.is_empty() && !now.contains(key)) {
            commands.push(UnbindKey::new().quiet().key(key));
        }
        commands.push(SetOption::new().server().option(BOUND_KEYS).value(now.join(" ")));
        self.run("remember the keys", &commands).map(drop)
    }
}

/// A command line for `run-shell`: `words` are taken as they are, `formats` are expanded by tmux and may only stand for
/// ids and the like, never for text that somebody else chose.
pub fn shell_command(words: &[&str], formats: &[(&str, &str)]) -> String {
    let mut line = vec!["exec".to_owned()];
    line.extend(words.iter().map(|word| escape_format(&quote::shell(word))));
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
