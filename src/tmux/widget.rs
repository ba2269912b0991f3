//! What a status line shows of a window's project: options that hold formats, each with a default. They read options, so
//! that a status line starts no process, however often it is drawn.

use tmux_interface::{SetOption, TmuxCommands};

use super::TmuxServer;
use super::shown::{ACTIVITY, BELL, DRIFT, STATE, WAIT};
use crate::error::Result;
use crate::model::Condition;

/// What a status line includes, as `#{E:@wharf-status}`.
pub const STATUS: &str = "@wharf-status";
/// What is added where sessions have rung.
const STATUS_BELL: &str = "@wharf-status-bell";
/// What is added where sessions wait for their user.
const STATUS_WAITING: &str = "@wharf-status-waiting";
const STATUS_ACTIVITY: &str = "@wharf-status-activity";
const STATUS_DRIFT: &str = "@wharf-status-drift";

impl TmuxServer {
    /// Gives each option its default where nobody has set it.
    pub fn set_status_defaults(&self) -> Result<()> {
        let mut commands = TmuxCommands::new();
        for (option, format) in defaults() {
            // `-o`: not where it has a value. tmux says so, and `-q` has it keep that for itself.
            commands.push(SetOption::new().global().quiet().not_overwrite().option(option).value(format));
        }
        self.run("set what a status line shows", &commands).map(drop)
    }
}

/// The names of all these options.
pub fn options() -> impl Iterator<Item = String> {
    defaults().into_iter().map(|(option, _)| option)
}

fn defaults() -> Vec<(String, String)> {
    let mut defaults = vec![(STATUS.to_owned(), status())];
    defaults.extend(Condition::ALL.map(|condition| (of(condition), default_of(condition))));
    defaults.push((STATUS_BELL.to_owned(), format!(" {}", asks(&format!("!#{{{BELL}}}")))));
    defaults.push((STATUS_WAITING.to_owned(), format!(" {}", asks(&format!("?#{{{WAIT}}}")))));
    defaults.push((STATUS_ACTIVITY.to_owned(), " +".to_owned()));
    defaults.push((STATUS_DRIFT.to_owned(), " ~".to_owned()));
    defaults
}

fn of(condition: Condition) -> String {
    format!("{STATUS}-{}", condition.word())
}

/// Nobody knows what it is drawn on: what goes well is in the status line's own colours, and what does not has both colours
/// of its own.
fn default_of(condition: Condition) -> String {
    match condition {
        Condition::Running => "●".to_owned(),
        Condition::Starting => "○ starting".to_owned(),
        Condition::Paused => asks("● paused"),
        Condition::Unhealthy => is_bad("● unhealthy"),
        Condition::Stopped => "○ stopped".to_owned(),
        Condition::Exited(_) => is_bad("× exited #{@wharf_exit_code}"),
        Condition::OutOfMemory => is_bad("× out of memory"),
        Condition::None => "- no container".to_owned(),
        Condition::NoEngine => is_bad("? no engine"),
    }
}

fn is_bad(text: &str) -> String {
    styled("fg=white,bold,bg=red", text)
}

fn asks(text: &str) -> String {
    styled("fg=black,bg=yellow", text)
}

/// Text in a style, after which all is as it was: what stands around it can have colours of its own.
fn styled(style: &str, text: &str) -> String {
    format!("#[push-default]#[{style}]{text}#[default]#[pop-default]")
}

/// Nothing in a window that is no project's.
fn status() -> String {
    let states = Condition::ALL.iter().rev().fold(String::new(), |otherwise, &condition| {
        format!("#{{?#{{==:#{{{STATE}}},{}}},#{{E:{}}},{otherwise}}}", condition.word(), of(condition))
    });
    let is_set = |option| format!("#{{{option}}}");
    // Whoever no longer wants to know of activity is not told from that moment on.
    let is_wanted = format!("#{{&&:{},#{{monitor-activity}}}}", is_set(ACTIVITY));
    let added = [
        (is_set(DRIFT), STATUS_DRIFT),
        (is_wanted, STATUS_ACTIVITY),
        (is_set(BELL), STATUS_BELL),
        (is_set(WAIT), STATUS_WAITING),
    ];
    let added = added.map(|(is_shown, format)| format!("#{{?{is_shown},#{{E:{format}}},}}")).concat();
    format!("#{{?{STATE},{states}{added},}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_default_starts_a_process_or_shows_a_path_or_half_of_two_colours() {
        for (option, format) in defaults() {
            assert!(!format.contains("#("), "{option} {format}");
            assert!(!format.contains("#{@wharf_project}"), "{option} {format}");
            assert_eq!(format.matches("fg=").count(), format.matches("bg=").count(), "{option} {format}");
        }
    }
}
