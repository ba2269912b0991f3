//! What windows show of their projects' containers: options that a status line reads.

use tmux_interface::SetOption;

use super::WindowId;
use crate::model::{SessionName, Status};

/// On a window: how its project's container stands, in one word.
pub const STATE: &str = "@wharf_state";
/// On a window: what the container has ended with.
pub const EXIT_CODE: &str = "@wharf_exit_code";
/// On a window: `1` where `wharf rebuild` would change something.
pub const DRIFT: &str = "@wharf_drift";
/// On a window: the sessions that nobody looks at and that have rung, with a comma between two.
pub const BELL: &str = "@wharf_bell";
/// On a window: `1` where something has happened in a session since somebody looked at it.
pub const ACTIVITY: &str = "@wharf_activity";

/// On a window: the sessions that wait for their user, with a comma between two.
pub const WAIT: &str = "@wharf_wait";
/// Of the server: how many sessions of its windows wait for their user.
pub const WAITING: &str = "@wharf_waiting";

const OPTIONS: [&str; 6] = [STATE, EXIT_CODE, DRIFT, BELL, ACTIVITY, WAIT];

/// The values of a window's options; an empty one is not set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown([String; 6]);

impl Shown {
    /// For [`Shown::parse`], within a list of windows.
    pub(super) fn format() -> String {
        OPTIONS.map(|option| format!("#{{{option}}}")).join("=")
    }

    /// Somebody may have written anything there, which is then as good as anything else that has to be replaced.
    pub(super) fn parse(text: &str) -> Self {
        let mut values = text.split('=').map(str::to_owned);
        Self(OPTIONS.map(|_| values.next().unwrap_or_default()))
    }

    /// The commands that make a window that shows `self` show `new`. Each costs every client a redraw of its whole screen,
    /// so there are none for what is the same.
    pub(super) fn changes<'a>(&'a self, new: &'a Self, window: &WindowId) -> Vec<SetOption<'a>> {
        let both = OPTIONS.into_iter().zip(self.0.iter().zip(&new.0));
        let changed = both.filter(|(_, (old, new))| old != new);
        changed
            .map(|(option, (_, value))| {
                // A window that has been closed meanwhile must not keep the rest from being done: `-q`.
                let set = SetOption::new().window().quiet().target_pane(window.to_string());
                if value.is_empty() { set.unset().option(option) } else { set.option(option).value(value.as_str()) }
            })
            .collect()
    }
}

impl From<&Status> for Shown {
    fn from(status: &Status) -> Self {
        let join = |sessions: &[SessionName]| sessions.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let flag = |is: bool| if is { "1".to_owned() } else { String::new() };
        Self([
            status.condition.word().to_owned(),
            status.condition.exit_code().map(|code| code.to_string()).unwrap_or_default(),
            flag(status.has_drifted),
            join(&status.bells),
            flag(status.has_activity),
            join(&status.waiting),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Condition;

    #[test]
    fn only_what_has_changed_is_written() {
        let window: WindowId = "@7".parse().unwrap();
        let running = Shown::from(&Status::from(Condition::Running));
        let bells = vec!["claude".parse().unwrap(), "logs".parse().unwrap()];
        let rung = Shown::from(&Status { bells, ..Status::from(Condition::Running) });
        let exited = Shown::from(&Status { has_drifted: true, ..Status::from(Condition::Exited(3)) });
        for (old, new, commands) in [
            (&running, &running, &[][..]),
            (&Shown::default(), &running, &["set-option -q -w -t @7 @wharf_state running"]),
            (&running, &rung, &["set-option -q -w -t @7 @wharf_bell claude,logs"]),
            (&rung, &running, &["set-option -q -u -w -t @7 @wharf_bell"]),
            (
                &running,
                &exited,
                &[
                    "set-option -q -w -t @7 @wharf_state exited",
                    "set-option -q -w -t @7 @wharf_exit_code 3",
                    "set-option -q -w -t @7 @wharf_drift 1",
                ],
            ),
        ] {
            let changes = old.changes(new, &window).into_iter().map(|change| change.build().to_vec().join(" "));
            assert_eq!(changes.collect::<Vec<_>>(), commands);
        }
    }

    #[test]
    fn what_a_window_shows_reads_as_what_was_written() {
        for (text, shown) in [
            ("running====", Shown::from(&Status::from(Condition::Running))),
            ("exited=137===", Shown::from(&Status::from(Condition::Exited(137)))),
            ("", Shown::default()),
        ] {
            assert_eq!(Shown::parse(text), shown, "{text}");
        }
    }
}
