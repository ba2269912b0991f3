//! The picker: every project and session in one list, searched while it is typed. It is drawn from what is known without
//! asking the engine or the disk; what they say comes in when they say it.

mod action;
mod areas;
mod catalog;
mod escapes;
mod finder;
mod keys;
mod news;
mod preview;
mod prompt;
mod row;
mod screen;
mod sources;
mod terminal;
#[cfg(test)]
mod tests;
mod view;

use std::future::pending;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use ratatui::crossterm::event::Event;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::history::History;
use catalog::Catalog;
use keys::Action;
use news::News;
use preview::{Kept, Preview, Subject};
pub use screen::Choice;
use screen::{Effect, Screen};
use sources::{Found, Remembered, Search};
use terminal::Taken;

/// How long a row is selected before its preview is asked for: not for each that somebody passes by.
const SETTLED: Duration = Duration::from_millis(20);
/// How often a preview of a session is renewed, and one of something else.
const LIVE: Duration = Duration::from_millis(300);
const STILL: Duration = Duration::from_secs(5);
/// How often it is asked again what there is.
const AGAIN: Duration = Duration::from_secs(3);

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Left,
    /// Enter was pressed where nothing matched.
    Nothing,
    Chosen(Choice, Place),
    /// And it is open.
    Opened,
}

/// Where to open what was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Window,
    /// Beside the pane at hand.
    Split,
}

/// Opens what was chosen while the picker is there to say what is wrong.
pub type Opener<'a> = &'a dyn Fn(Choice, Place) -> LocalBoxFuture<'a, Result<()>>;

/// Without an opener, the picker ends with what was chosen.
pub async fn run<'a>(context: &'a Context, query: &str, opener: Option<Opener<'a>>) -> Result<Outcome> {
    let (screen, search) = first_look(context, query);
    let terminal = Taken::take().map_err(|_| Error::Needs { verb: "pick", needs: "terminal" })?;
    let (sender, found) = unbounded_channel();
    let tasks = FuturesUnordered::new();
    let mut picker = Picker {
        context,
        opener,
        screen,
        terminal,
        tasks,
        containers: Box::pin(pending()),
        sessions: Box::pin(pending()),
        preview: None,
        kept: Rc::default(),
        found: sender.clone(),
    };
    picker.draw()?;
    sources::search(search, sender);
    picker.ask_all();
    picker.look_at_selected();
    picker.run(terminal::events(), found).await
}

/// What is known at once, and what there is to look for.
fn first_look(context: &Context, query: &str) -> (Screen, Search) {
    let tmux = context.tmux.clone();
    let panes = thread::spawn(move || tmux.and_then(|tmux| tmux.open_panes().ok()));
    let mut catalog = Catalog::new(context.home.as_deref());
    catalog.add_history(&History::read(&context.state_dir), Timestamp::now());
    let roots = context.configuration().roots();
    let misconfigured = roots.as_ref().err().map(|_| "the configuration has errors: `wharf config check` shows them".to_owned());
    let roots = roots.unwrap_or_default();
    let remembered = Remembered { cache_dir: context.cache_dir.clone() };
    catalog.add_directories(&remembered.read(&roots));
    if let Ok(Some(panes)) = panes.join() {
        catalog.set_panes(panes);
    }
    let search = Search { roots, home: context.home.clone(), known: catalog.projects().cloned().collect(), remembered };
    let mut screen = Screen::new(catalog, query);
    screen.misconfigured = misconfigured;
    screen.is_plain = context.variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    (screen, search)
}

struct Picker<'a> {
    context: &'a Context,
    opener: Option<Opener<'a>>,
    screen: Screen,
    terminal: Taken,
    /// What is asked for, and what is being done.
    tasks: FuturesUnordered<LocalBoxFuture<'a, News>>,
    /// What is asked again and again: a new question takes the place of the last one, whose answer would be of before.
    containers: LocalBoxFuture<'a, News>,
    sessions: LocalBoxFuture<'a, News>,
    preview: Option<Looking<'a>>,
    kept: Rc<Kept>,
    /// For threads that look for projects.
    found: UnboundedSender<Found>,
}

/// A preview that is asked for.
struct Looking<'a> {
    subject: Subject,
    look: LocalBoxFuture<'a, Preview>,
}

impl Picker<'_> {
    async fn run(mut self, mut events: UnboundedReceiver<Event>, mut found: UnboundedReceiver<Found>) -> Result<Outcome> {
        loop {
            let changed = tokio::select! {
                // Whoever types waits for nothing else.
                biased;
                event = events.recv() => {
                    let mut next = event;
                    loop {
                        let Some(event) = next else { return Ok(Outcome::Left) };
                        if let Some(effect) = self.screen.on_event(event)
                            && let Some(outcome) = self.take(effect)
                        {
                            return Ok(outcome);
                        }
                        // What was typed meanwhile is drawn with it.
                        match events.try_recv() {
                            Ok(event) => next = Some(event),
                            Err(_) => break true,
                        }
                    }
                }
                Some(first) = found.recv() => {
                    self.on_found(first);
                    while let Ok(more) = found.try_recv() {
                        self.on_found(more);
                    }
                    self.screen.refresh();
                    true
                }
                news = next_of(&mut self.tasks, &mut self.containers, &mut self.sessions) => match self.on_news(news) {
                    Some(outcome) => return Ok(outcome),
                    None => true,
                },
                (subject, preview) = looked(&mut self.preview) => {
                    let pause = if preview.is_screen { LIVE } else { STILL };
                    self.look_at(subject.clone(), pause);
                    self.screen.show(subject, preview)
                }
            };
            if changed {
                self.look_at_selected();
                self.draw()?;
            }
        }
    }

    fn draw(&mut self) -> Result<()> {
        let screen = &mut self.screen;
        let drawn = self.terminal.terminal.draw(|frame| {
            screen.resize(frame.area());
            view::draw(frame, screen);
        });
        drawn.map(drop).map_err(|source| Error::io("draw the picker", source))
    }

    /// Asks for the preview of what is selected, where that is not being done.
    fn look_at_selected(&mut self) {
        let subject = self.screen.subject().filter(|_| self.screen.areas().preview.is_some());
        let Some(subject) = subject else {
            (self.preview, self.screen.shown) = (None, None);
            self.kept.take();
            return;
        };
        if self.preview.as_ref().is_none_or(|looking| looking.subject != subject) {
            self.screen.show_what_is_known(&subject, Timestamp::now());
            self.look_at(subject, SETTLED);
        }
    }

    fn look_at(&mut self, subject: Subject, pause: Duration) {
        let (context, of, kept) = (self.context, subject.clone(), Rc::clone(&self.kept));
        let look = Box::pin(async move {
            tokio::time::sleep(pause).await;
            preview::look(&of, &kept, context).await
        });
        self.preview = Some(Looking { subject, look });
    }

    fn on_found(&mut self, found: Found) {
        match found {
            Found::Directories(projects) => self.screen.catalog.add_directories(&projects),
            Found::Gone(projects) => self.screen.catalog.set_gone(projects),
        }
    }

    /// Does what a key has asked for; how the picker ends, where it does.
    fn take(&mut self, effect: Effect) -> Option<Outcome> {
        match effect {
            Effect::Leave => return Some(Outcome::Left),
            Effect::OpenNothing if self.opener.is_none() => return Some(Outcome::Nothing),
            Effect::OpenNothing => drop(self.screen.fail("nothing matches".to_owned())),
            Effect::Open(choice) => return self.open(choice, Place::Window),
            Effect::Do(Action::Split, choice) => return self.open(choice, Place::Split),
            Effect::Do(Action::Logs, choice) => self.tasks.push(news::log(self.context, choice)),
            Effect::Do(Action::Copy, choice) => self.copy(&choice),
            Effect::Do(action, choice) => {
                self.screen.busy = Some(format!("{} {}…", action::words(action).0, choice.project.short_name()));
                self.tasks.push(news::act(action, choice));
            }
        }
        None
    }

    fn open(&mut self, choice: Choice, place: Place) -> Option<Outcome> {
        let Some(opener) = self.opener else {
            return Some(Outcome::Chosen(choice, place));
        };
        self.screen.busy = Some(format!("opening {}…", choice.project.short_name()));
        let open = opener(choice, place);
        self.tasks.push(Box::pin(async move { News::Opened(open.await) }));
        None
    }

    fn copy(&mut self, choice: &Choice) {
        let name = choice.project.container_name().to_string();
        let copied = match &self.context.tmux {
            Some(tmux) => tmux.copy(self.context.client.as_ref(), &name),
            None => Err(Error::Needs { verb: "pick", needs: "tmux server" }),
        };
        match copied {
            Ok(()) => self.screen.tell(format!("copied {name}")),
            Err(error) => drop(self.screen.fail(error.to_string())),
        }
    }
}

/// The next of what is asked for, when it comes.
async fn next_of<'a>(
    tasks: &mut FuturesUnordered<LocalBoxFuture<'a, News>>,
    containers: &mut LocalBoxFuture<'a, News>,
    sessions: &mut LocalBoxFuture<'a, News>,
) -> News {
    tokio::select! {
        Some(news) = tasks.next() => news,
        news = containers => news,
        news = sessions => news,
    }
}

/// The preview that is asked for, when it comes.
async fn looked(preview: &mut Option<Looking<'_>>) -> (Subject, Preview) {
    match preview {
        Some(looking) => {
            let look = (&mut looking.look).await;
            (looking.subject.clone(), look)
        }
        None => pending().await,
    }
}
