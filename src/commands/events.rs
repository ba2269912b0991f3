//! `wharf events`: what happens to containers and sessions, told as it happens, so that nobody has to ask again and again.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinHandle;

use super::status;
use super::watch::{Happened, follow, follow_sessions};
use crate::cli::Events;
use crate::commands::target;
use crate::context::Context;
use crate::error::Result;
use crate::model::{Condition, ContainerName, Session, SessionName, SessionState};
use crate::output::print;

/// How often to see which sessions have been quiet for long enough.
const PULSE: Duration = Duration::from_secs(1);

/// Something that has happened.
#[derive(Debug, Serialize)]
struct Event {
    /// RFC 3339
    time: Timestamp,
    #[serde(rename = "event")]
    kind: &'static str,
    container: ContainerName,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<SessionName>,
    #[serde(flatten)]
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum What {
    Nothing {},
    State { state: &'static str },
    Title { title: String },
    Ended { exit_code: Option<i32> },
}

/// What is known of a container.
#[derive(Default)]
struct Known {
    project: Option<String>,
    condition: Option<Condition>,
    sessions: Option<BTreeMap<SessionName, Seen>>,
    listener: Option<JoinHandle<()>>,
}

/// What was last told of a session.
struct Seen {
    session: Session,
    state: SessionState,
}

pub async fn run(args: Events, context: &Context) -> Result<ExitCode> {
    let named = join_all(args.targets.iter().map(|target| target::resolve(Some(target), context))).await;
    let only: Vec<ContainerName> =
        named.into_iter().map(|project| project.map(|project| project.container_name())).collect::<Result<_>>()?;
    let (happened, mut from_engine) = mpsc::unbounded_channel();
    let (heard, mut from_relays) = mpsc::unbounded_channel();
    let is_looked_at = Cell::new(true);
    let mut engine = pin!(follow(context, &is_looked_at, happened));
    let mut ticks = tokio::time::interval(PULSE);
    let mut stream = Stream { context, as_json: args.json, only, known: BTreeMap::new(), heard };
    loop {
        tokio::select! {
            Some(happened) = from_engine.recv() => stream.happened(happened).await?,
            Some((container, sessions)) = from_relays.recv() => stream.heard(&container, sessions)?,
            _ = ticks.tick() => stream.tick()?,
            never = &mut engine => match never {},
        }
    }
}

struct Stream<'a> {
    context: &'a Context,
    as_json: bool,
    /// All where it is empty.
    only: Vec<ContainerName>,
    known: BTreeMap<ContainerName, Known>,
    heard: UnboundedSender<(ContainerName, Vec<Session>)>,
}

impl Stream<'_> {
    async fn happened(&mut self, happened: Happened) -> Result<()> {
        let names = match happened {
            Happened::To(names) => names,
            Happened::Back => {
                let listed = self.context.engine()?.containers().await?;
                let gone = self.known.keys().cloned();
                listed.into_iter().map(|listed| listed.name).chain(gone).collect()
            }
            Happened::Gone => return Ok(()),
        };
        for name in names.into_iter().filter(|name| self.only.is_empty() || self.only.contains(name)).collect::<Vec<_>>() {
            self.look(name).await?;
        }
        Ok(())
    }

    async fn look(&mut self, name: ContainerName) -> Result<()> {
        let Ok(seen) = status::see(&name, self.context).await else { return Ok(()) };
        let condition = seen.as_ref().map_or(Condition::None, |(container, _)| Condition::of(container));
        let known = self.known.entry(name.clone()).or_default();
        if let Some((_, project)) = seen {
            known.project = Some(project.to_string());
        }
        let before = known.condition.replace(condition);
        if !condition.has_sessions() {
            if let Some(listener) = known.listener.take() {
                listener.abort();
            }
            let ended = known.sessions.take().unwrap_or_default();
            for (session, _) in ended.into_iter().filter(|(_, seen)| seen.session.exit_code.is_none()) {
                self.tell(&name, "session-ended", Some(session), What::Ended { exit_code: None })?;
            }
        } else if known.listener.is_none() {
            let (heard, container) = (self.heard.clone(), name.clone());
            let tell = move |sessions: &[Session]| heard.send((container.clone(), sessions.to_vec())).is_ok();
            known.listener = Some(follow_sessions(&name, &self.context.state_dir, tell));
        }
        if before != Some(condition) {
            self.tell(&name, "state", None, What::State { state: condition.word() })?;
        }
        Ok(())
    }

    fn heard(&mut self, name: &ContainerName, sessions: Vec<Session>) -> Result<()> {
        let Some(known) = self.known.get_mut(name) else { return Ok(()) };
        let now = Timestamp::now().as_second();
        let is_first = known.sessions.is_none();
        let mut before = known.sessions.take().unwrap_or_default();
        let mut after = BTreeMap::new();
        let mut events = Vec::new();
        for session in sessions {
            let state = session.state(now);
            let name = session.name.clone();
            events.extend(
                changes(before.remove(&name), &session, state).into_iter().map(|(event, what)| (event, name.clone(), what)),
            );
            after.insert(name, Seen { session, state });
        }
        // What there was before anybody could say is not told as if it had just ended.
        let gone = before.into_iter().filter(|(_, seen)| !is_first && seen.session.exit_code.is_none());
        events.extend(gone.map(|(name, _)| ("session-ended", name, What::Ended { exit_code: None })));
        known.sessions = Some(after);
        for (event, session, what) in events {
            self.tell(name, event, Some(session), what)?;
        }
        Ok(())
    }

    /// Time passes, and nothing tells of that.
    fn tick(&mut self) -> Result<()> {
        let now = Timestamp::now().as_second();
        let mut events = Vec::new();
        for (container, known) in &mut self.known {
            for (name, seen) in known.sessions.iter_mut().flatten() {
                let state = seen.session.state(now);
                if std::mem::replace(&mut seen.state, state) != state {
                    events.push((container.clone(), name.clone(), state));
                }
            }
        }
        events.into_iter().try_for_each(|(container, session, state)| {
            self.tell(&container, "session-state", Some(session), What::State { state: state.word() })
        })
    }

    fn tell(&self, container: &ContainerName, kind: &'static str, session: Option<SessionName>, what: What) -> Result<()> {
        let project = self.known.get(container).and_then(|known| known.project.clone());
        let event = Event { time: Timestamp::now(), kind, container: container.clone(), project, session, what };
        if self.as_json {
            return print::json_line(&event);
        }
        let session = event.session.map(|session| format!(":{session}")).unwrap_or_default();
        let what = match event.what {
            What::Nothing {} | What::Ended { exit_code: None } => String::new(),
            What::State { state } => format!(" {state}"),
            What::Title { title } => format!(" {title}"),
            What::Ended { exit_code: Some(code) } => format!(" {code}"),
        };
        print::line(format_args!("{:.0} {container}{session} {}{what}", event.time, event.kind))
    }
}

/// What has happened to a session since it was last seen; all of it where it was not.
fn changes(before: Option<Seen>, now: &Session, state: SessionState) -> Vec<(&'static str, What)> {
    let mut changes = Vec::new();
    let is_new = before.as_ref().is_none_or(|before| before.session.created != now.created);
    let before = before.filter(|_| !is_new);
    if is_new {
        changes.push(("session-begun", What::Nothing {}));
    }
    let was = before.as_ref().map(|before| &before.session);
    if was.map_or(0, |was| was.bells) < now.bells && !is_new {
        changes.push(("bell", What::Nothing {}));
    }
    if was.map_or("", |was| &was.title) != now.title {
        changes.push(("title", What::Title { title: now.title.clone() }));
    }
    if now.exit_code.is_some() && was.is_none_or(|was| was.exit_code.is_none()) {
        changes.push(("session-ended", What::Ended { exit_code: now.exit_code }));
    }
    if before.as_ref().map(|before| before.state) != Some(state) {
        changes.push(("session-state", What::State { state: state.word() }));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session { created: 5, bells: 1, title: "vim".to_owned(), ..Session::new("main".parse().unwrap()) }
    }

    fn told(before: Option<Session>, now: &Session) -> String {
        let before = before.map(|session| Seen { session, state: SessionState::Working });
        let changes = changes(before, now, SessionState::Working);
        changes.iter().map(|(event, what)| format!("{event}{} ", serde_json::to_string(what).unwrap())).collect()
    }

    #[test]
    fn each_change_is_told_once() {
        let new = r#"session-begun{} title{"title":"vim"} session-state{"state":"working"} "#;
        assert_eq!(told(None, &session()), new);
        assert_eq!(told(Some(session()), &session()), "");
        assert_eq!(told(Some(Session { created: 4, ..session() }), &session()), new);
        assert_eq!(told(Some(session()), &Session { bells: 2, ..session() }), "bell{} ");
        assert_eq!(told(Some(session()), &Session { title: String::new(), ..session() }), r#"title{"title":""} "#);
        let ended = Session { exit_code: Some(3), ..session() };
        assert_eq!(told(Some(session()), &ended), r#"session-ended{"exit_code":3} "#);
        assert_eq!(told(Some(ended.clone()), &ended), "");
    }
}
