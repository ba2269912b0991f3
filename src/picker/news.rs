//! What comes while the picker is shown.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use ratatui::text::Line;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::keys::{Action, Move};
use super::screen::{Choice, Mode};
use super::{AGAIN, Outcome, Picker, action, escapes, sources};
use crate::context::Context;
use crate::engine::Listed;
use crate::error::Result;
use crate::model::Session;
use crate::project::Project;
use crate::quote;
use crate::tmux::OpenPane;

/// How long the host's tmux may take, in whose popup this is.
const TMUX: Duration = Duration::from_secs(2);
/// How many of a log's last lines can be read.
const LOG_LINES: usize = 2000;

pub enum News {
    Containers(Result<Vec<Listed>>),
    Sessions(Vec<(Project, Vec<Session>)>),
    Panes(Option<Vec<OpenPane>>),
    Directories(Vec<PathBuf>),
    Opened(Result<()>),
    Done(Action, Choice, std::result::Result<(), String>),
    Log(Choice, Result<Vec<String>>),
}

pub fn act<'a>(action: Action, choice: Choice) -> LocalBoxFuture<'a, News> {
    Box::pin(async move {
        let done = action::take(action, &choice).await;
        News::Done(action, choice, done)
    })
}

pub fn log(context: &Context, choice: Choice) -> LocalBoxFuture<'_, News> {
    Box::pin(async move {
        let read = async { context.engine()?.last_log_lines(&choice.project.container_name(), LOG_LINES).await };
        let lines = read.await;
        News::Log(choice, lines)
    })
}

async fn panes(context: &Context) -> Option<Vec<OpenPane>> {
    let tmux = context.tmux.clone()?;
    let (done, panes) = oneshot::channel();
    thread::spawn(move || drop(done.send(tmux.open_panes())));
    timeout(TMUX, panes).await.ok()?.ok()?.ok()
}

impl Picker<'_> {
    /// Asks everybody what there is, now and then again and again.
    pub(super) fn ask_all(&mut self) {
        self.ask_engine(Duration::ZERO);
        self.ask_relays(Duration::ZERO);
        self.ask_tmux();
        let context = self.context;
        self.tasks.push(Box::pin(async { News::Directories(sources::directories(context.search_path()).await) }));
    }

    fn ask_engine(&mut self, pause: Duration) {
        let context = self.context;
        self.containers = Box::pin(async move {
            sleep(pause).await;
            News::Containers(sources::containers(context).await)
        });
    }

    fn ask_relays(&mut self, pause: Duration) {
        let (context, running) = (self.context, self.screen.catalog.running());
        self.sessions = Box::pin(async move {
            sleep(pause).await;
            News::Sessions(sources::sessions(running, context).await)
        });
    }

    fn ask_tmux(&mut self) {
        let context = self.context;
        self.tasks.push(Box::pin(async move {
            sleep(AGAIN).await;
            News::Panes(panes(context).await)
        }));
    }

    /// Takes what has come; how the picker ends, where it does.
    pub(super) fn on_news(&mut self, news: News) -> Option<Outcome> {
        let screen = &mut self.screen;
        match news {
            News::Containers(containers) => {
                screen.has_heard_engine = containers.is_ok();
                let ran = screen.catalog.running();
                screen.trouble = match containers {
                    Ok(containers) => {
                        screen.catalog.set_containers(containers);
                        None
                    }
                    Err(error) => Some(error.to_string()),
                };
                // By exec they are asked for so rarely that each change counts.
                if screen.catalog.running() != ran && !self.context.relays().are_used() {
                    self.ask_relays(Duration::ZERO);
                }
                self.ask_engine(AGAIN);
            }
            News::Sessions(sessions) => {
                let now = Timestamp::now().as_second();
                let waiting = sessions.iter().map(|(project, all)| (project.clone(), Session::waiting(all, now))).collect();
                let names = |all: Vec<Session>| all.into_iter().map(|session| session.name).collect();
                screen.catalog.set_sessions(sessions.into_iter().map(|(project, all)| (project, names(all))).collect());
                screen.catalog.set_waiting(waiting);
                // By exec it is a program in each container.
                let pause = if self.context.relays().are_used() { AGAIN } else { AGAIN * 10 };
                self.ask_relays(pause);
            }
            News::Panes(panes) => {
                if let Some(panes) = panes {
                    screen.catalog.set_panes(panes);
                }
                self.ask_tmux();
            }
            News::Directories(directories) => {
                sources::look_up(directories, self.context.home.clone(), self.found.clone());
                return None;
            }
            News::Opened(opened) => {
                screen.busy = None;
                match opened {
                    Ok(()) => return Some(Outcome::Opened),
                    Err(error) => {
                        let hint = error.hint().map(|hint| format!(" · {hint}")).unwrap_or_default();
                        screen.fail(format!("{error}{hint}"));
                    }
                }
            }
            News::Done(action, choice, done) => {
                screen.busy = None;
                return self.on_done(action, choice, done);
            }
            News::Log(choice, lines) => self.show_log(&choice, lines),
        }
        self.screen.refresh();
        None
    }

    fn on_done(&mut self, action: Action, choice: Choice, done: std::result::Result<(), String>) -> Option<Outcome> {
        match done {
            Ok(()) if action == Action::Fresh => return self.open(choice, super::Place::Window),
            Ok(()) => self.screen.tell(format!("{} {}", action::words(action).1, choice.project.short_name())),
            Err(error) => drop(self.screen.fail(error)),
        }
        self.ask_engine(Duration::ZERO);
        self.ask_relays(Duration::ZERO);
        None
    }

    fn show_log(&mut self, choice: &Choice, lines: Result<Vec<String>>) {
        match lines {
            Ok(lines) => {
                let mut lines = escapes::plain_lines(&lines.join("\n"));
                if lines.is_empty() {
                    lines.push(Line::raw("(it has printed nothing)"));
                }
                let title = format!("log of {}", quote::visible(choice.project.short_name()));
                self.screen.mode = Mode::Log { title, lines, top: 0 };
                self.screen.scroll(Move::Last, 1);
            }
            Err(error) => drop(self.screen.fail(error.to_string())),
        }
    }
}
