//! What a status line shows of a window's project: options that hold formats, each with a default. They read options, so
//! that a status line starts no process, however often it is drawn.

use tmux_interface::{SetOption, TmuxCommands};

use super::TmuxServer;
use super::shown::{ACTIVITY, BELL, DRIFT, STATE};
use crate::error::Result;
use crate::model::Condition;

/// What a status line includes, as `#{E:@wharf-status}`.
pub const STATUS: &str = "@wharf-status";
/// What is added where sessions have rung.
const STATUS_BELL: &str = "@wharf-status-bell";
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
    defaults.extend(Condition::ALL.map(|condition| (of(condition), default_of(condition).to_owned())));
    defaults.push((STATUS_BELL.to_owned(), format!(" #[fg=yellow,bold]!#{{{BELL}}}#[default]")));
    defaults.push((STATUS_ACTIVITY.to_owned(), " #[fg=cyan]+#[default]".to_owned()));
    defaults.push((STATUS_DRIFT.to_owned(), " #[fg=yellow]~#[default]".to_owned()));
    defaults
}

fn of(condition: Condition) -> String {
    format!("{STATUS}-{}", condition.word())
}

fn default_of(condition: Condition) -> &'static str {
    match condition {
        Condition::Running => "#[fg=green]●#[default]",
        Condition::Starting => "#[fg=yellow]○ starting#[default]",
        Condition::Paused => "#[fg=yellow]● paused#[default]",
        Condition::Unhealthy => "#[fg=red]● unhealthy#[default]",
        Condition::Stopped => "#[dim]○ stopped#[default]",
        Condition::Exited(_) => "#[fg=red]× exited #{@wharf_exit_code}#[default]",
        Condition::OutOfMemory => "#[fg=red]× out of memory#[default]",
        Condition::None => "#[dim]- no container#[default]",
        Condition::NoEngine => "#[fg=red]? no engine#[default]",
    }
}

/// Nothing in a window that is no project's.
fn status() -> String {
    let states = Condition::ALL.iter().rev().fold(String::new(), |otherwise, &condition| {
        format!("#{{?#{{==:#{{{STATE}}},{}}},#{{E:{}}},{otherwise}}}", condition.word(), of(condition))
    });
    let is_set = |option| format!("#{{{option}}}");
    // Whoever no longer wants to know of activity is not told from that moment on.
    let is_wanted = format!("#{{&&:{},#{{monitor-activity}}}}", is_set(ACTIVITY));
    let added = [(is_set(DRIFT), STATUS_DRIFT), (is_wanted, STATUS_ACTIVITY), (is_set(BELL), STATUS_BELL)];
    let added = added.map(|(is_shown, format)| format!("#{{?{is_shown},#{{E:{format}}},}}")).concat();
    format!("#{{?{STATE},{states}{added},}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_default_starts_a_process_or_shows_a_path() {
        for (option, format) in defaults() {
            assert!(!format.contains("#("), "{option} {format}");
            assert!(!format.contains("#{@wharf_project}"), "{option} {format}");
        }
    }
}
