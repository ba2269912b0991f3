//! What a watcher knows, and what windows show of it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::UnboundedSender;

use super::super::status;
use super::engine::Happened;
use super::listen::{Heard, Listener};
use super::notify;
use crate::container::drift;
use crate::context::Context;
use crate::engine::Container;
use crate::error::Result;
use crate::model::{Condition, ContainerName, SessionName, Status};
use crate::project::Project;
use crate::tmux::{Listed, Shown, TmuxServer, WindowId, Windows};

/// How soon an engine that did not answer is asked again, and how rarely at last.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What is known of a container that has a window.
#[derive(Default)]
struct Known {
    /// Not before the engine has said.
    condition: Option<Condition>,
    has_drifted: bool,
    bells: Vec<SessionName>,
    waiting: Vec<SessionName>,
    has_activity: bool,
    /// The last question to the engine: answers to earlier ones don't count.
    look: u64,
    listener: Option<Listener>,
}

/// An answer about a container.
pub struct Looked {
    name: ContainerName,
    look: u64,
    answer: Answer,
}

enum Answer {
    /// What the engine says of it, which a window shows at once.
    Seen(Option<Box<(Container, Project)>>),
    /// What takes longer to find out, and can wait.
    Found { has_drifted: bool, has_relay: bool },
}

pub struct State<'a> {
    context: &'a Context,
    windows: Windows,
    /// What windows show, since nobody else writes that; unknown at first.
    shown: Option<BTreeMap<WindowId, Shown>>,
    containers: BTreeMap<ContainerName, Known>,
    looks: FuturesUnordered<LocalBoxFuture<'a, Looked>>,
    count: u64,
    heard: UnboundedSender<Heard>,
    has_engine: bool,
    /// How many sessions wait, as the server's option has it.
    shown_waiting: Option<usize>,
    /// Sessions that have begun to wait, which nobody was told of yet.
    news: Vec<(ContainerName, Vec<SessionName>)>,
}

impl<'a> State<'a> {
    pub fn new(context: &'a Context, heard: UnboundedSender<Heard>) -> Self {
        Self {
            context,
            windows: Windows::new(),
            shown: None,
            containers: BTreeMap::new(),
            looks: FuturesUnordered::new(),
            count: 0,
            heard,
            has_engine: true,
            shown_waiting: None,
            news: Vec::new(),
        }
    }

    /// Makes windows show what is known, as far as they don't.
    pub async fn write(&mut self, tmux: &TmuxServer) -> Result<()> {
        let Some(mut shown) = self.shown.take() else { return Ok(()) };
        let mut now = BTreeMap::new();
        for (window, watched) in &self.windows {
            let Some(known) = self.containers.get(&watched.container) else { continue };
            let condition = if self.has_engine { known.condition } else { Some(Condition::NoEngine) };
            let Some(condition) = condition else { continue };
            let status = Status {
                condition,
                has_drifted: known.has_drifted,
                bells: known.bells.clone(),
                // What rings waits, too, and one mark is enough.
                waiting: known.waiting.iter().filter(|session| !known.bells.contains(session)).cloned().collect(),
                has_activity: known.has_activity && watched.wants_activity,
            };
            now.insert(window.clone(), Shown::from(&status));
        }
        let nothing = Shown::default();
        let is_unknown = |window: &WindowId| self.windows.contains_key(window) && !now.contains_key(window);
        let before = shown.iter().filter(|(window, _)| !is_unknown(window));
        let gone = before.filter(|(window, _)| !now.contains_key(window)).map(|(window, old)| (window, old, &nothing));
        let new = now.iter().map(|(window, new)| (window, shown.get(window).unwrap_or(&nothing), new));
        let waiting = self.containers.values().map(|known| known.waiting.len()).sum();
        tmux.show(gone.chain(new), (self.shown_waiting != Some(waiting)).then_some(waiting)).await?;
        self.shown_waiting = Some(waiting);
        for (container, sessions) in std::mem::take(&mut self.news) {
            notify::tell(tmux, &self.windows, &container, &sessions);
        }
        shown.retain(|window, _| self.windows.contains_key(window));
        shown.extend(now);
        self.shown = Some(shown);
        Ok(())
    }

    pub fn has_windows(&mut self, listed: Listed) {
        self.windows = listed.windows;
        self.shown.get_or_insert(listed.shown);
        let containers: Vec<ContainerName> = self.windows.values().map(|watched| watched.container.clone()).collect();
        self.containers.retain(|name, _| containers.contains(name));
        for name in containers {
            match self.containers.get(&name).map(|known| known.listener.is_some()) {
                None => self.look(name),
                Some(true) => self.listen(&name),
                Some(false) => {}
            }
        }
    }

    pub fn happened(&mut self, happened: &Happened) {
        match happened {
            Happened::Gone => {
                self.has_engine = false;
                // All of them are asked for again once it is back.
                self.looks.clear();
            }
            Happened::Back => {
                self.has_engine = true;
                for name in self.containers.keys().cloned().collect::<Vec<_>>() {
                    self.look(name);
                }
            }
            Happened::To(names) => {
                for name in names {
                    if self.containers.contains_key(name) {
                        self.look(name.clone());
                    }
                }
            }
        }
    }

    /// Asks the engine for a container.
    fn look(&mut self, name: ContainerName) {
        self.count += 1;
        let look = self.count;
        self.containers.entry(name.clone()).or_default().look = look;
        let context = self.context;
        self.looks.push(Box::pin(async move {
            let mut pause = FIRST_PAUSE;
            // An engine that is too busy to answer is asked again; one that is gone tells nobody of what happens either.
            let seen = loop {
                match status::see(&name, context).await {
                    Ok(seen) => break seen,
                    Err(_) => tokio::time::sleep(pause).await,
                }
                pause = LONGEST_PAUSE.min(pause * 2);
            };
            Looked { name, look, answer: Answer::Seen(seen.map(Box::new)) }
        }));
    }

    fn look_closer(&mut self, name: ContainerName, look: u64, container: Container, project: Project) {
        let context = self.context;
        self.looks.push(Box::pin(async move {
            let has_drifted = drift::of(&project, &container, context).await.is_any();
            let has_relay = context.relays_of(&project).are_used();
            Looked { name, look, answer: Answer::Found { has_drifted, has_relay } }
        }));
    }

    /// The next answer of the engine; never, where nothing was asked. Can be cancelled.
    pub async fn next_look(&mut self) -> Looked {
        match self.looks.next().await {
            Some(looked) => looked,
            None => std::future::pending().await,
        }
    }

    pub fn looked(&mut self, Looked { name, look, answer }: Looked) {
        let Some(known) = self.containers.get_mut(&name).filter(|known| known.look == look) else {
            return;
        };
        match answer {
            Answer::Seen(seen) => {
                let condition = seen.as_ref().map_or(Condition::None, |seen| Condition::of(&seen.0));
                known.condition = Some(condition);
                if !condition.has_sessions() {
                    (known.listener, known.has_activity) = (None, false);
                    (known.bells, known.waiting) = (Vec::new(), Vec::new());
                }
                match seen {
                    Some(seen) => self.look_closer(name, look, seen.0, seen.1),
                    None => known.has_drifted = false,
                }
            }
            Answer::Found { has_drifted, has_relay } => {
                known.has_drifted = has_drifted;
                if has_relay && known.condition.is_some_and(Condition::has_sessions) {
                    self.listen(&name);
                }
            }
        }
    }

    /// Has its relay tell what rings, in the way that its windows want.
    fn listen(&mut self, name: &ContainerName) {
        let wants_activity = self.windows.values().any(|watched| watched.container == *name && watched.wants_activity);
        let Some(known) = self.containers.get_mut(name) else { return };
        if known.listener.as_ref().is_none_or(|listener| listener.wants_activity != wants_activity) {
            self.count += 1;
            let listener = Listener::start(name, self.count, wants_activity, self.heard.clone(), &self.context.state_dir);
            known.listener = Some(listener);
        }
    }

    pub fn heard(&mut self, heard: Heard) {
        let known = self.containers.get_mut(&heard.container);
        let known = known.filter(|known| known.listener.as_ref().is_some_and(|listener| listener.id == heard.listener));
        if let Some(known) = known {
            let new: Vec<SessionName> =
                heard.waiting.iter().filter(|session| !known.waiting.contains(session)).cloned().collect();
            if !new.is_empty() {
                self.news.push((heard.container, new));
            }
            (known.bells, known.waiting, known.has_activity) = (heard.bells, heard.waiting, heard.has_activity);
        }
    }
}
