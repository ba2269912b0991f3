//! Keys that do something else in a pane that shows a session: what a person has bound to them is left alone everywhere else,
//! and comes back when nobody wants the detour any more.

use serde::{Deserialize, Serialize};
use tmux_interface::{BindKey, ListKeys, SetOption, ShowOptions, TmuxCommand, TmuxCommands};

use super::mark;
use super::panes::FULL_SCREEN;
use super::{Beside, TmuxServer, shell_command};
use crate::error::{Error, Result};
use crate::quote::tmux_word;

/// Where the server remembers what detours lead around.
const DETOURS: &str = "@wharf_detours";
const TABLES: [&str; 2] = ["prefix", "root"];

/// A key that is bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    table: String,
    key: String,
    repeats: bool,
    /// As `list-keys` prints it, which tmux reads again.
    command: String,
}

/// What a key does where it is pressed in a pane that shows a session.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Detour {
    /// Clears the session's history with the pane's.
    ClearHistory,
    /// Asks whether the session's program fills the screen: the pane's always does.
    FullScreen,
    /// A new session of the same container.
    Split(Beside),
}

impl TmuxServer {
    /// Leads the keys that clear a history or ask for a full screen to the session, and with `splits` those that open panes and
    /// windows into the pane's container. `wharf` is the program to call.
    pub fn detour(&self, wharf: &str, splits: bool) -> Result<()> {
        let before = self.detours()?;
        let (mut commands, mut now) = (TmuxCommands::new(), Vec::new());
        for bound in self.bound_keys()? {
            let was = before.iter().find(|was| was.table == bound.table && was.key == bound.key);
            // A key that was bound anew meanwhile is what it is now.
            let original = if bound.is_detour() { was } else { Some(&bound) };
            let Some(original) = original else { continue };
            let detour = detour_of(&original.command);
            if let Some(detour) = detour.filter(|detour| splits || !matches!(detour, Detour::Split(_))) {
                let condition = mark::is_living();
                let command = original.as_read();
                let words = ["if-shell", "-F", &condition, &detour.command(wharf, &command), &command];
                commands.push(original.bind(detour.note(), &words));
                now.push(original.clone());
            } else if bound.is_detour() {
                // A single word is read as a line of a configuration file.
                let note = detour_of(&original.command).and_then(|detour| detour.note());
                commands.push(original.bind(note, &[&original.as_read()]));
            }
        }
        let remembered = serde_json::to_string(&now).map_err(|error| Error::io("remember the keys", error.into()))?;
        commands.push(SetOption::new().server().option(DETOURS).value(remembered));
        self.run("bind the keys of sessions", &commands).map(drop)
    }

    fn detours(&self) -> Result<Vec<Bound>> {
        let show = ShowOptions::new().server().quiet().value().option(DETOURS);
        let remembered = self.run("look at the keys", &TmuxCommands::new().cmd(show))?;
        // What somebody else has written there is not ours to bind.
        Ok(serde_json::from_str(&remembered).unwrap_or_default())
    }

    fn bound_keys(&self) -> Result<Vec<Bound>> {
        let listed = self.run("look at the keys", &TmuxCommands::new().cmd(ListKeys::new()))?;
        Ok(listed.lines().filter_map(|line| TABLES.iter().find_map(|table| Bound::parse(line, table))).collect())
    }
}

impl Bound {
    /// A line of `list-keys`: `bind-key -r -T prefix C-Up command`, with spaces that align it.
    fn parse(line: &str, table: &str) -> Option<Self> {
        let (flags, rest) = line.strip_prefix("bind-key")?.split_once("-T ")?;
        let rest = rest.trim_start().strip_prefix(table)?.strip_prefix(' ')?.trim_start();
        let (key, command) = rest.split_once(' ')?;
        Some(Self {
            table: table.to_owned(),
            // A key that means something to tmux's parser comes with a backslash.
            key: key.strip_prefix('\\').filter(|rest| !rest.is_empty()).unwrap_or(key).to_owned(),
            repeats: flags.contains("-r"),
            command: command.trim_start().to_owned(),
        })
    }

    fn is_detour(&self) -> bool {
        // The second is what earlier versions have bound.
        [mark::is_living(), "#{@wharf_session}".to_owned()]
            .iter()
            .any(|condition| self.command.starts_with(&format!("if-shell -F \"{condition}\" ")))
    }

    /// The command as a line of a configuration file: `list-keys` has a backslash before what separates two commands.
    fn as_read(&self) -> String {
        let (mut read, mut quote) = (String::with_capacity(self.command.len()), None);
        let mut rest = self.command.chars().peekable();
        while let Some(c) = rest.next() {
            match (c, quote) {
                ('\\', None) if rest.peek() == Some(&';') => continue,
                ('"' | '\'', None) => quote = Some(c),
                (c, Some(begun)) if c == begun => quote = None,
                ('\\', Some('"') | None) => {
                    read.push(c);
                    read.extend(rest.next());
                    continue;
                }
                _ => {}
            }
            read.push(c);
        }
        read
    }

    fn bind(&self, note: Option<&'static str>, command: &[&str]) -> TmuxCommand<'static> {
        let mut bind = BindKey::new().key_table(self.table.clone());
        if let Some(note) = note {
            bind = bind.note(note);
        }
        if self.repeats {
            bind = bind.repeat();
        }
        let mut bind = bind.key(self.key.clone()).command(command[0].to_owned()).build();
        for word in &command[1..] {
            bind.push_param((*word).to_owned());
        }
        bind
    }
}

impl Detour {
    /// What `list-keys -N` shows: tmux's own words for what it is to the person.
    fn note(&self) -> Option<&'static str> {
        match self {
            Self::ClearHistory | Self::FullScreen => None,
            Self::Split(Beside::Window) => Some("Create a new window"),
            Self::Split(Beside::Right | Beside::Left) => Some("Split window horizontally"),
            Self::Split(Beside::Below | Beside::Above) => Some("Split window vertically"),
        }
    }

    /// As tmux reads it in a configuration file, in place of `original`.
    fn command(&self, wharf: &str, original: &str) -> String {
        match self {
            // `ESC[9990~` is a key of the tmux inside.
            Self::ClearHistory => format!("{original} ; send-keys -H 1b 5b 39 39 39 30 7e"),
            Self::FullScreen => original.replace("#{alternate_on}", &format!("#{{{FULL_SCREEN}}}")),
            Self::Split(beside) => {
                let words = [wharf, "split", beside.word()];
                let line = shell_command(&words, &[("--client", "#{client_name}"), ("--pane", "#{pane_id}")]);
                format!("run-shell -b {}", tmux_word(&line))
            }
        }
    }
}

/// What a binding's command becomes in a pane that shows a session; `None` for one that stays what it is.
fn detour_of(command: &str) -> Option<Detour> {
    if command.split_ascii_whitespace().any(|word| word == "clear-history") {
        return Some(Detour::ClearHistory);
    }
    if command.contains("#{alternate_on}") {
        return Some(Detour::FullScreen);
    }
    let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
    let is_window = match verb {
        "new-window" => true,
        "split-window" => false,
        _ => return None,
    };
    // Where the new pane is, and in which directory. What else there may be, as a command to run, is the person's own.
    let (mut horizontal, mut before) = (false, false);
    let mut words = words(rest)?.into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-h" if !is_window => horizontal = true,
            "-v" if !is_window => {}
            "-b" if !is_window => before = true,
            "-hb" | "-bh" if !is_window => (horizontal, before) = (true, true),
            "-a" if is_window => {}
            "-c" => drop(words.next()?),
            _ => return None,
        }
    }
    Some(Detour::Split(match (is_window, horizontal, before) {
        (true, ..) => Beside::Window,
        (false, true, false) => Beside::Right,
        (false, true, true) => Beside::Left,
        (false, false, false) => Beside::Below,
        (false, false, true) => Beside::Above,
    }))
}

/// The words of a command as `list-keys` prints it: bare, or in double quotes. `None` for anything else.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').filter(|(word, _)| !word.contains('\\'))?,
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_list_keys() {
        for (line, key, repeats, command) in [
            ("bind-key    -T prefix [       copy-mode", "[", false, "copy-mode"),
            (r#"bind-key    -T prefix \"      split-window"#, "\"", false, "split-window"),
            (r"bind-key    -T prefix \%      split-window -h", "%", false, "split-window -h"),
            ("bind-key -r -T prefix M-Up    resize-pane -U 5", "M-Up", true, "resize-pane -U 5"),
            (r"bind-key    -T prefix \       copy-mode", r"\", false, "copy-mode"),
        ] {
            let bound = Bound::parse(line, "prefix").unwrap();
            assert_eq!((bound.key.as_str(), bound.repeats, bound.command.as_str()), (key, repeats, command), "{line}");
        }
        assert_eq!(Bound::parse("bind-key -T root WheelUpPane copy-mode", "prefix"), None);
    }

    #[test]
    fn what_is_led_elsewhere() {
        let split = |beside| Some(Detour::Split(beside));
        for (command, detour) in [
            ("copy-mode", None),
            ("clear-history", Some(Detour::ClearHistory)),
            (r"send-keys C-l \; clear-history", Some(Detour::ClearHistory)),
            ("display-message clear-history-please", None),
            (
                r##"if-shell -F "#{||:#{alternate_on},#{pane_in_mode}}" { send-keys -M } { copy-mode -e }"##,
                Some(Detour::FullScreen),
            ),
            ("new-window", split(Beside::Window)),
            (r##"new-window -c "#{pane_current_path}""##, split(Beside::Window)),
            ("split-window", split(Beside::Below)),
            ("split-window -v -c /tmp", split(Beside::Below)),
            ("split-window -h", split(Beside::Right)),
            ("split-window -h -b", split(Beside::Left)),
            ("split-window -b", split(Beside::Above)),
            ("split-window htop", None),
            ("split-window -h -l 30", None),
            ("new-window -n x", None),
            (r#"new-window -c "a\"b""#, None),
            ("next-window", None),
            ("new-windows", None),
        ] {
            assert_eq!(detour_of(command), detour, "{command}");
        }
    }

    #[test]
    fn a_detours_command_is_one_that_tmux_reads() {
        let bound = Bound::parse(r#"bind-key -T root C-k send-keys "a \; b" \; clear-history"#, "root").unwrap();
        let cleared = Detour::ClearHistory.command("", &bound.as_read());
        assert_eq!(cleared, r#"send-keys "a \; b" ; clear-history ; send-keys -H 1b 5b 39 39 39 30 7e"#);
        let asked = Detour::FullScreen.command("", "if-shell -F '#{alternate_on}' { send-keys -M }");
        assert_eq!(asked, "if-shell -F '#{@wharf_full_screen}' { send-keys -M }");
        let split = Detour::Split(Beside::Right).command("/opt/it's/wharf", "split-window -h");
        assert!(split.starts_with(r"run-shell -b 'exec '\''/opt/it'\''\"));
    }
}
