//! Waiting for one session.

use std::io::{self, ErrorKind};
use std::time::Duration;

use jiff::Timestamp;
use regex_lite::Regex;
use tokio::time::sleep;

use super::Met;
use super::text::Mark;
use crate::cli::{Since, WaitFor};
use crate::commands::target::SessionTarget;
use crate::connection::{Connection, Follower, control};
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{QUIET, Session, SessionName, SessionState};

/// How many connections in a row may be lost before one has answered.
const LOSSES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(50);
/// How often to look at what nothing tells of: a screen, and for how long nothing was printed.
const POLL: Duration = Duration::from_millis(200);

/// Waits until this is so of the session.
pub async fn until(target: &SessionTarget, until: &WaitFor, since: Option<Since>, context: &Context) -> Result<Met> {
    let connector = Connector::to(&target.project, context);
    let session = target.session();
    let begun = Timestamp::now().as_second();
    let mut questions = connector.running().await?.connection;
    // Of tmux itself: what the relay knows may be from before the last thing that happened.
    let Some(mut now) = control::find(&mut questions, &connector.name(), &session).await? else {
        return Err(no_session(&mut questions, &connector, session).await);
    };
    let mark = match until {
        WaitFor::Text(_) => Some(Mark::set(&mut questions, &connector.name(), &session, since).await?),
        _ => None,
    };
    let first = now.clone();
    let mut waiting = Waiting { connector: &connector, session: &session, until, since, begun, first, mark, questions };
    let mut follower = follow(&connector).await?;
    let mut losses = 0;
    loop {
        if let Some(met) = waiting.judge(&now).await? {
            return Ok(met);
        }
        let told = tokio::select! {
            told = follower.next() => Some(told),
            () = sleep(POLL), if waiting.polls() => None,
        };
        match told {
            None => {}
            Some(Ok(sessions)) => {
                losses = 0;
                match sessions.into_iter().find(|listed| listed.name == session) {
                    Some(told) => now = told,
                    None => return waiting.gone().await,
                }
            }
            // The relay has gone. The sessions are not in it, but in the container.
            Some(Err(error)) if is_lost(&error) && losses < LOSSES => {
                losses += 1;
                (follower, waiting.questions) = again(&connector).await?;
            }
            Some(Err(source)) => return Err(Error::lost(&connector.name(), source)),
        }
    }
}

struct Waiting<'a> {
    connector: &'a Connector<'a>,
    session: &'a SessionName,
    until: &'a WaitFor,
    since: Option<Since>,
    /// Seconds since the epoch.
    begun: i64,
    /// As it was at the beginning.
    first: Session,
    mark: Option<Mark>,
    questions: Connection,
}

impl Waiting<'_> {
    /// Whether it takes looking again and again: nothing tells of it.
    fn polls(&self) -> bool {
        matches!(self.until, WaitFor::Text(_) | WaitFor::Idle(_) | WaitFor::State(_))
    }

    async fn judge(&mut self, now: &Session) -> Result<Option<Met>> {
        if let WaitFor::Text(pattern) = self.until
            && let Some(line) = self.matching_line(pattern).await?
        {
            return Ok(Some(Met { line: Some(line), ..self.met("text") }));
        }
        // What it showed last is kept, but nothing runs in it any more.
        if let Some(code) = now.exit_code {
            return self.ended(code).await.map(Some);
        }
        Ok(match self.until {
            WaitFor::Bell => self.has_rung(now).then(|| self.met("bell")),
            WaitFor::Activity => (now.activity > self.first.activity).then(|| self.met("activity")),
            WaitFor::Idle(limit) => {
                // tmux counts whole seconds: so much has passed for sure.
                let seconds = limit.as_secs() + if limit.subsec_nanos() > 0 { 2 } else { 1 };
                self.is_quiet(i64::try_from(seconds).unwrap_or(i64::MAX)).await?.then(|| self.met("idle"))
            }
            WaitFor::State(state) => self.is_in(*state, now).await?.then(|| Met { state: Some(*state), ..self.met("state") }),
            _ => None,
        })
    }

    /// Since the call, or since something was last sent. A container of an older wharf counts no bells.
    fn has_rung(&self, now: &Session) -> bool {
        let base = match (self.since, now.sent) {
            (Some(Since::Send), Some(sent)) => sent.bells,
            _ => self.first.bells,
        };
        now.bells > base || (now.bells == 0 && now.bell && !self.first.bell)
    }

    async fn is_in(&mut self, state: SessionState, now: &Session) -> Result<bool> {
        let clock = Timestamp::now().as_second();
        let has_reported_since = match (self.since, now.sent) {
            (Some(Since::Send), Some(sent)) => now.reports > sent.reports,
            (Some(_), _) => now.reports > self.first.reports,
            (None, _) => true,
        };
        let has_rung_since = self.since.is_none() || self.has_rung(now);
        if now.state(clock) != state {
            return Ok(false);
        }
        Ok(match (now.report, state) {
            (Some(_), _) => has_reported_since,
            (None, SessionState::Waiting) => has_rung_since,
            (None, SessionState::Done) => self.is_quiet(QUIET).await?,
            (None, _) => true,
        })
    }

    /// Whether it has printed nothing for so many seconds: since the mark, where one counts.
    async fn is_quiet(&mut self, seconds: i64) -> Result<bool> {
        let found = control::find(&mut self.questions, &self.connector.name(), self.session).await?;
        let Some(found) = found else { return Ok(false) };
        let from = match self.since {
            Some(Since::Send) => found.sent.map_or(self.begun, |sent| sent.at),
            Some(Since::Now) => self.begun,
            None => 0,
        };
        Ok(Timestamp::now().as_second() - found.activity.max(from) >= seconds)
    }

    async fn matching_line(&mut self, pattern: &Regex) -> Result<Option<String>> {
        let Some(mark) = &mut self.mark else { return Ok(None) };
        mark.matching_line(&mut self.questions, &self.connector.name(), self.session, pattern).await
    }

    /// The session's command has ended, which is what was waited for, or else keeps it from ever being so.
    async fn ended(&mut self, code: i32) -> Result<Met> {
        let state = if code == 0 { SessionState::Done } else { SessionState::Failed };
        match self.until {
            WaitFor::End => Ok(Met { exit_code: Some(code), ..self.met("end") }),
            WaitFor::State(wanted) if *wanted == state => {
                Ok(Met { exit_code: Some(code), state: Some(state), ..self.met("state") })
            }
            _ => {
                let container = self.connector.name();
                let lines = control::last_lines(&mut self.questions, &container, self.session).await;
                Err(Error::SessionEnded { container, session: self.session.clone(), exit_code: code, lines })
            }
        }
    }

    /// There is no such session any more.
    async fn gone(&mut self) -> Result<Met> {
        let container = self.connector.name();
        let code = control::exit_code(&mut self.questions, &container, self.session).await?;
        match self.until {
            WaitFor::End | WaitFor::State(SessionState::Done | SessionState::Failed) => self.ended(code).await,
            _ => Err(Error::SessionGone { container, session: self.session.clone() }),
        }
    }

    fn met(&self, met: &'static str) -> Met {
        Met::of(&self.connector.name(), self.connector.project.as_str(), Some(self.session.clone()), met)
    }
}

/// Another follower, and a connection for questions. A relay that ends with its container may still be connected to.
async fn again(connector: &Connector<'_>) -> Result<(Follower, Connection)> {
    let both = async || Ok((follow(connector).await?, connector.running().await?.connection));
    for _ in 0..LOSSES {
        match both().await {
            Err(Error::Lost { source, .. }) if is_lost(&source) => sleep(PAUSE).await,
            // It says how the container ended, and what it printed last.
            Err(error) if error.is_stopped() => return Err(why_it_stopped(error, connector).await),
            made => return made,
        }
    }
    both().await
}

/// A container that has ended by itself says more than one that is not there any more.
async fn why_it_stopped(error: Error, connector: &Connector<'_>) -> Error {
    match connector.lifecycle() {
        Ok(lifecycle) => lifecycle.failure().await.unwrap_or(error),
        Err(_) => error,
    }
}

/// Whether there is nobody any more, and not somebody who says something else.
fn is_lost(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

async fn follow(connector: &Connector<'_>) -> Result<Follower> {
    let connected = connector.running().await?;
    connected.connection.follow().await.map_err(|source| Error::lost(&connector.name(), source))
}

async fn no_session(questions: &mut Connection, connector: &Connector<'_>, session: SessionName) -> Error {
    match control::sessions(questions, &connector.name()).await {
        Ok(running) => {
            let running = running.into_iter().map(|session| session.name).collect();
            Error::NoSession { container: connector.name(), session, running }
        }
        Err(error) => error,
    }
}
