//! A session as the tmux inside lists it.

use serde::{Deserialize, Serialize};

use super::{SessionName, SessionState};
use crate::quote;

/// How many sessions a status line has room for.
const MOST_BELLS: usize = 5;

/// What a session looks like from outside. People who run tmux themselves can give one a name that is none for wharf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session<Name = SessionName> {
    pub name: Name,
    /// Seconds since the epoch.
    pub created: i64,
    /// When something last happened in it; seconds since the epoch.
    pub activity: i64,
    /// How many clients show it.
    pub attached: u32,
    /// Whether a bell has rung in it that nobody has seen.
    pub bell: bool,
    /// What its command ended with, where the last screen is kept to be read: the exit code, or 128 and the signal's number.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// How often it has rung.
    #[serde(default)]
    pub bells: u64,
    /// When it last rang; seconds since the epoch, 0 where it never has.
    #[serde(default)]
    pub bell_at: i64,
    /// When somebody last typed into it at a terminal, or attached to it; seconds since the epoch.
    #[serde(default)]
    pub input: i64,
    /// What its program last said of itself.
    #[serde(default)]
    pub report: Option<Report>,
    /// How often it has said something.
    #[serde(default)]
    pub reports: u64,
    /// What was so when `wharf send` last typed into it.
    #[serde(default)]
    pub sent: Option<Sent>,
    /// Its terminal's title.
    #[serde(default)]
    pub title: String,
}

/// What the program in a session says of itself, by `wharf-guest report`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub state: SessionState,
    /// Seconds since the epoch.
    pub at: i64,
}

/// What was so when something was last sent to a session: what has come since is told from what was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub bells: u64,
    pub reports: u64,
    /// Seconds since the epoch.
    pub at: i64,
}

impl Session {
    /// What tmux prints of a session, for [`Session::parse`]. Its `session_activity` is what clients do, and not programs.
    pub const FORMAT: &str = "#{n:pane_title} #{pane_title} #{session_name} #{session_created} #{window_activity} \
        #{session_attached} #{session_alerts} #{@wharf-exit-code} #{@wharf-bells} #{@wharf-bell-at} #{session_activity} \
        #{@wharf-reports} #{@wharf-report} #{@wharf-report-at} #{@wharf-sent-bells} #{@wharf-sent-reports} #{@wharf-sent-at}";

    /// The sessions that nobody looks at and that have rung, some of them where there are many.
    pub fn unseen_bells(sessions: &[Self]) -> Vec<SessionName> {
        let rung = sessions.iter().filter(|session| session.bell && session.attached == 0);
        rung.take(MOST_BELLS).map(|session| session.name.clone()).collect()
    }
}

#[cfg(test)]
impl<Name> Session<Name> {
    pub fn new(name: Name) -> Self {
        Self {
            name,
            created: 0,
            activity: 0,
            attached: 0,
            bell: false,
            exit_code: None,
            bells: 0,
            bell_at: 0,
            input: 0,
            report: None,
            reports: 0,
            sent: None,
            title: String::new(),
        }
    }
}

impl Session<String> {
    /// One line of [`Session::FORMAT`]; `None` for what is none.
    pub fn parse(line: &str) -> Option<Self> {
        // The title is any text, so its length comes first; what has no value is an empty word.
        let (length, rest) = line.split_once(' ')?;
        let (title, rest) = rest.split_at_checked(length.parse().ok()?)?;
        // Of the others, only the name can have spaces.
        let mut words = rest.strip_prefix(' ')?.rsplitn(15, ' ');
        let mut word = || words.next();
        let sent_at = word()?.parse().ok();
        let sent_reports = word()?.parse().unwrap_or(0);
        let sent_bells = word()?.parse().unwrap_or(0);
        let report_at = word()?.parse().unwrap_or(0);
        let report = word()?.parse().ok();
        let reports = word()?.parse().unwrap_or(0);
        let input = word()?.parse().unwrap_or(0);
        let bell_at = word()?.parse().unwrap_or(0);
        let bells = word()?.parse().unwrap_or(0);
        let exit_code = word()?.parse().ok();
        let bell = word()?.contains('!');
        let attached = word()?.parse().ok()?;
        let activity = word()?.parse().ok()?;
        let created = word()?.parse().ok()?;
        Some(Self {
            name: quote::visible(word()?),
            created,
            activity,
            attached,
            bell,
            exit_code,
            bells,
            bell_at,
            input,
            report: report.map(|state| Report { state, at: report_at }),
            reports,
            sent: sent_at.map(|at| Sent { bells: sent_bells, reports: sent_reports, at }),
            title: quote::visible(title),
        })
    }

    /// As wharf speaks of it, where it can.
    pub fn named(self) -> Option<Session> {
        let name = self.name.parse().ok()?;
        let Self { created, activity, attached, bell, exit_code, bells, bell_at, input, report, reports, sent, title, .. } = self;
        Some(Session { name, created, activity, attached, bell, exit_code, bells, bell_at, input, report, reports, sent, title })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_tmux() {
        let main = Session {
            created: 1_700_000_000,
            activity: 1_700_000_001,
            attached: 2,
            bell: true,
            ..Session::new("main".parse().unwrap())
        };
        let parse = |line| Session::parse(line)?.named();
        assert_eq!(parse("0  main 1700000000 1700000001 2 0!#          "), Some(main.clone()));
        let quiet = Session { bell: false, ..main };
        assert_eq!(parse("0  main 1700000000 1700000001 2           "), Some(quiet.clone()));
        let all = Session {
            exit_code: Some(7),
            bells: 3,
            bell_at: 8,
            input: 9,
            reports: 2,
            report: Some(Report { state: SessionState::Waiting, at: 10 }),
            sent: Some(Sent { bells: 1, reports: 1, at: 6 }),
            title: "ü \\u{1b}".to_owned(),
            ..quiet
        };
        assert_eq!(parse("4 ü \x1b main 1700000000 1700000001 2  7 3 8 9 2 waiting 10 1 1 6"), Some(all));
        for line in
            ["", "0  main 1 1", "0  main 1 one 0           ", "0  1 1 0           ", "9 x main 1 1 0           ", "1 ü main"]
        {
            assert_eq!(Session::parse(line), None, "{line}");
        }
    }

    #[test]
    fn whatever_its_name_is_a_session_is_one() {
        for name in ["long build", " ", "größe", "1 1 0"] {
            let parsed = Session::parse(&format!("0  {name} 1 2 3 0! 4         ")).unwrap();
            let expected =
                Session { created: 1, activity: 2, attached: 3, bell: true, exit_code: Some(4), ..Session::new(name.to_owned()) };
            assert_eq!(parsed, expected);
            assert_eq!(parsed.named(), None);
        }
    }

    #[test]
    fn only_what_nobody_looks_at_rings() {
        let session = |name: &str, attached, bell| Session { attached, bell, ..Session::new(name.parse().unwrap()) };
        let sessions = [session("a", 0, true), session("b", 1, true), session("c", 0, false)];
        assert_eq!(Session::unseen_bells(&sessions), ["a".parse().unwrap()]);
    }
}
