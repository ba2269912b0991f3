//! A session as the tmux inside lists it.

use serde::{Deserialize, Serialize};

use super::SessionName;
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
}

impl Session {
    /// What tmux prints of a session, for [`Session::parse`]. Its `session_activity` is what clients do, and not programs.
    pub const FORMAT: &str = "#{session_name} #{session_created} #{window_activity} #{session_attached} #{session_alerts} \
        #{@wharf-exit-code}";

    /// The sessions that nobody looks at and that have rung, some of them where there are many.
    pub fn unseen_bells(sessions: &[Self]) -> Vec<SessionName> {
        let rung = sessions.iter().filter(|session| session.bell && session.attached == 0);
        rung.take(MOST_BELLS).map(|session| session.name.clone()).collect()
    }
}

#[cfg(test)]
impl<Name> Session<Name> {
    pub fn new(name: Name) -> Self {
        Self { name, created: 0, activity: 0, attached: 0, bell: false, exit_code: None }
    }
}

impl Session<String> {
    /// One line of [`Session::FORMAT`]; `None` for what is none.
    pub fn parse(line: &str) -> Option<Self> {
        // Only the name can have spaces.
        let mut words = line.rsplitn(6, ' ');
        let mut word = || words.next();
        let exit_code = word()?.parse().ok();
        let bell = word()?.contains('!');
        let attached = word()?.parse().ok()?;
        let activity = word()?.parse().ok()?;
        let created = word()?.parse().ok()?;
        Some(Self { name: quote::visible(word()?), created, activity, attached, bell, exit_code })
    }

    /// As wharf speaks of it, where it can.
    pub fn named(self) -> Option<Session> {
        let Self { name, created, activity, attached, bell, exit_code } = self;
        Some(Session { name: name.parse().ok()?, created, activity, attached, bell, exit_code })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_tmux() {
        let main = Session {
            name: "main".parse().unwrap(),
            created: 1_700_000_000,
            activity: 1_700_000_001,
            attached: 2,
            bell: true,
            exit_code: None,
        };
        let parse = |line| Session::parse(line)?.named();
        assert_eq!(parse("main 1700000000 1700000001 2 0!# "), Some(main.clone()));
        let quiet = Session { bell: false, ..main };
        assert_eq!(parse("main 1700000000 1700000001 2  "), Some(quiet.clone()));
        assert_eq!(parse("main 1700000000 1700000001 2  7"), Some(Session { exit_code: Some(7), ..quiet }));
        for line in ["", "main 1 1", "main 1 one 0  ", "1 1 0  "] {
            assert_eq!(Session::parse(line), None, "{line}");
        }
    }

    #[test]
    fn whatever_its_name_is_a_session_is_one() {
        for name in ["long build", " ", "größe", "1 1 0"] {
            let parsed = Session::parse(&format!("{name} 1 2 3 0! 4")).unwrap();
            let expected =
                Session { name: name.to_owned(), created: 1, activity: 2, attached: 3, bell: true, exit_code: Some(4) };
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
