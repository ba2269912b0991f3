//! Containers that nobody uses, which are stopped where the configuration says after how long.
//!
//! Of each that it says so of, one look at a time is planned: when it would have been idle for long enough. Where nobody
//! can say whether it is used, it stays.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{AbortHandle, Abortable, LocalBoxFuture};
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep};

use super::super::{status, stop};
use super::engine::Happened;
use crate::config::Part;
use crate::connection::control;
use crate::container::plan;
use crate::container::recorded::RecordedConfig;
use crate::context::Context;
use crate::engine::label;
use crate::model::{ContainerName, State};
use crate::project::Project;

/// How soon an engine that did not answer, or did not stop a container, is asked again.
const PAUSE: Duration = Duration::from_secs(30);

pub struct Idle<'a> {
    context: &'a Context,
    guarded: BTreeMap<ContainerName, Guarded>,
    /// Those that have a window.
    shown: BTreeSet<ContainerName>,
    work: FuturesUnordered<Abortable<LocalBoxFuture<'a, Done>>>,
}

struct Guarded {
    /// When it was first seen running: one that was paused has not been idle.
    since: Instant,
    guard: AbortHandle,
}

/// What has come of some work.
pub enum Done {
    /// These containers run, and are to be stopped when nobody uses them.
    Listed(Vec<ContainerName>),
    /// Nothing is to be done with this one, as things are.
    Left(ContainerName),
    Idle(Project),
    Stopped(ContainerName),
    NotStopped(ContainerName),
}

impl<'a> Idle<'a> {
    pub fn new(context: &'a Context) -> Self {
        Self { context, guarded: BTreeMap::new(), shown: BTreeSet::new(), work: FuturesUnordered::new() }
    }

    pub fn happened(&mut self, happened: &Happened) {
        match happened {
            Happened::To(names) => names.iter().for_each(|name| self.guard(name)),
            Happened::Back => drop(self.begin(list(self.context))),
            Happened::Gone => std::mem::take(&mut self.guarded).values().for_each(|guarded| guarded.guard.abort()),
        }
    }

    /// Looks anew at each container that has got a window, or lost one: that is when people have written something else
    /// into its configuration.
    pub fn has_windows(&mut self, containers: BTreeSet<ContainerName>) {
        for name in self.shown.symmetric_difference(&containers).cloned().collect::<Vec<_>>() {
            self.guard(&name);
        }
        self.shown = containers;
    }

    /// What is done next; never, where nothing is to be. Can be cancelled.
    pub async fn next(&mut self) -> Done {
        loop {
            match self.work.next().await {
                Some(Ok(done)) => return done,
                // Somebody else looks.
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    pub fn done(&mut self, done: Done) {
        match done {
            Done::Listed(names) => names.iter().for_each(|name| self.guard(name)),
            Done::Left(name) | Done::Stopped(name) => drop(self.guarded.remove(&name)),
            Done::NotStopped(name) => self.guard(&name),
            // Nobody ends this: the engine tells of it while it goes on.
            Done::Idle(project) => drop(self.begin(end(project, self.context))),
        }
    }

    /// Looks at a container, again where it is waited for.
    fn guard(&mut self, name: &ContainerName) {
        let since = match self.guarded.get(name) {
            Some(guarded) => {
                guarded.guard.abort();
                guarded.since
            }
            None => Instant::now(),
        };
        let guard = self.begin(watch(name.clone(), since, self.context));
        self.guarded.insert(name.clone(), Guarded { since, guard });
    }

    fn begin(&self, work: impl Future<Output = Done> + 'a) -> AbortHandle {
        let (abort, registration) = AbortHandle::new_pair();
        self.work.push(Abortable::new(Box::pin(work), registration));
        abort
    }
}

async fn list(context: &Context) -> Done {
    let listed = loop {
        match context.engine() {
            Ok(_) => match context.containers().await {
                Ok(listed) => break listed,
                Err(_) => sleep(PAUSE).await,
            },
            Err(_) => return Done::Listed(Vec::new()),
        }
    };
    let running = listed.into_iter().filter(|listed| listed.state == State::Running);
    let configured = running.filter(|listed| limit(&listed.project, listed.effective.as_deref(), context).is_some());
    Done::Listed(configured.map(|listed| listed.name).collect())
}

/// Looks at a container until it is idle, or there is nothing to wait for any more.
async fn watch(name: ContainerName, since: Instant, context: &Context) -> Done {
    loop {
        let pause = match status::see(&name, context).await {
            Ok(Some((container, project))) => {
                let effective = container.labels.get(label::EFFECTIVE).map(String::as_str);
                let limit = limit(&project, effective, context).filter(|_| container.state == State::Running);
                let Some(limit) = limit else { return Done::Left(name) };
                match left(&project, limit, since, context).await {
                    Some(left) => left,
                    None => return Done::Idle(project),
                }
            }
            Ok(None) => return Done::Left(name),
            Err(_) => PAUSE,
        };
        sleep(pause).await;
    }
}

/// What is configured now; nothing where that is wrong.
fn limit(project: &Project, effective: Option<&str>, context: &Context) -> Option<Duration> {
    let profile = effective.and_then(RecordedConfig::from_label).and_then(|recorded| recorded.flags.profile);
    let effective = context.configuration().effective(project, profile.as_deref(), Part::default()).ok()?;
    effective.config.idle_stop.map(|limit| limit.value.0)
}

/// How much longer nobody may use it; all over again where nobody knows whether anybody does.
async fn left(project: &Project, limit: Duration, since: Instant, context: &Context) -> Option<Duration> {
    let name = project.container_name();
    let Some(mut connection) = context.relays_of(project).knock(&name).await else {
        return Some(limit);
    };
    // Of tmux itself: the relay is not told of what programs print.
    let Ok(sessions) = control::all_sessions(&mut connection, &name).await else {
        return Some(limit);
    };
    let Ok(unused) = connection.unused().await else {
        return Some(limit);
    };
    let now = Duration::try_from(jiff::Timestamp::now().as_duration()).unwrap_or_default();
    plan::time_left(limit, unused.min(since.elapsed()), &sessions, now)
}

async fn end(project: Project, context: &Context) -> Done {
    let name = project.container_name();
    if stop::stop_container(&project, context).await.is_ok() {
        return Done::Stopped(name);
    }
    sleep(PAUSE).await;
    Done::NotStopped(name)
}
