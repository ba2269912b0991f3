//! What a session is doing, as far as its user is concerned.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Session, SessionName};

/// How long a session has to print nothing until its work is taken for done, in seconds.
pub const QUIET: i64 = 10;

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// For its user, who has something to answer.
    Waiting,
    /// Its command ended with an error, or its program says so.
    Failed,
    /// Its command ended well, or it has been quiet since it last printed something.
    Done,
    Working,
}

/// What is no state.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a state is `working`, `waiting`, `done` or `failed`")]
pub struct UnknownState;

impl SessionState {
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Failed, Self::Done, Self::Working];

    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Done => "done",
            Self::Working => "working",
        }
    }
}

impl fmt::Display for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for SessionState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.word() == text).ok_or(UnknownState)
    }
}

impl<Name> Session<Name> {
    /// By the best source there is: how its command ended, what its program reports, a bell that nobody has answered, and
    /// whether it prints something. `now` is in seconds since the epoch.
    pub fn state(&self, now: i64) -> SessionState {
        if let Some(code) = self.exit_code {
            return if code == 0 { SessionState::Done } else { SessionState::Failed };
        }
        if let Some(report) = self.report {
            return report.state;
        }
        if self.rings() {
            return SessionState::Waiting;
        }
        if now - self.activity < QUIET { SessionState::Working } else { SessionState::Done }
    }

    /// Whether it waits for its user because of a bell: one that its program answers for says so itself.
    pub fn waits_by_bell(&self) -> bool {
        self.exit_code.is_none() && self.report.is_none() && self.rings()
    }

    /// Whether it has rung since somebody last typed into it.
    fn rings(&self) -> bool {
        let answered = self.sent.map_or(0, |sent| sent.bells);
        self.bells > answered && self.bell_at >= self.input
    }
}

impl Session {
    /// Those that wait for their user, the usual order kept.
    pub fn waiting(sessions: &[Self], now: i64) -> Vec<SessionName> {
        let waiting = sessions.iter().filter(|session| session.state(now) == SessionState::Waiting);
        waiting.map(|session| session.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::{Report, Sent};
    use super::*;

    #[test]
    fn the_best_source_counts() {
        let session = Session::new("claude".to_owned());
        let quiet = Session { activity: 100, ..session };
        let rung = Session { bells: 2, bell_at: 100, input: 90, ..quiet.clone() };
        let said = |state| Session { report: Some(Report { state, at: 95 }), ..rung.clone() };
        let sent = |bells| Session { sent: Some(Sent { bells, reports: 0, at: 100 }), ..rung.clone() };
        for (session, now, expected) in [
            (quiet.clone(), 100 + QUIET - 1, SessionState::Working),
            (quiet.clone(), 100 + QUIET, SessionState::Done),
            (rung.clone(), 101, SessionState::Waiting),
            (rung.clone(), 1000, SessionState::Waiting),
            // Somebody has typed something since.
            (Session { input: 101, ..rung.clone() }, 101, SessionState::Working),
            (sent(1), 101, SessionState::Waiting),
            (sent(2), 101, SessionState::Working),
            (said(SessionState::Working), 1000, SessionState::Working),
            (said(SessionState::Waiting), 1000, SessionState::Waiting),
            (Session { exit_code: Some(0), ..said(SessionState::Working) }, 101, SessionState::Done),
            (Session { exit_code: Some(3), ..rung.clone() }, 101, SessionState::Failed),
        ] {
            assert_eq!(session.state(now), expected, "{session:?} at {now}");
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for state in SessionState::ALL {
            assert_eq!(state.word().parse(), Ok(state));
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
        assert_eq!("idle".parse::<SessionState>(), Err(UnknownState));
    }
}
