//! `wharf attach`

mod heal;
mod keys;
mod pane;

use std::env;
use std::io;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Asked, hooks, watch};
use crate::cli::{Attach, Creation};
use crate::commands::target::{self, SessionTarget};
use crate::connection::attach::{End, Goodbye, pump};
use crate::connection::control::{self, Start};
use crate::connection::signals::Signals;
use crate::connection::terminal::{Terminal, USUAL_SIZE};
use crate::connection::{environment, git};
use crate::container::connect::{Connected, Connector};
use crate::container::plan;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history;
use crate::model::{SessionName, exit};
use crate::output::print;
use crate::project::Project;
use crate::protocol::{Program, Request, Run, commands};
use crate::quote;
use heal::Next;
use pane::ShownIn;

/// A connection that was lost sooner than this after it was made will be lost again.
const SOON: Duration = Duration::from_secs(1);
/// How many such losses in a row are enough.
const LOSSES: u32 = 5;
/// As of a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

pub async fn run(mut args: Attach, context: &Context) -> Result<ExitCode> {
    args.creation.remove_on_exit = args.rm;
    let SessionTarget { project, session } = project_of(&args, context).await?;
    let session = session.unwrap_or_else(|| SessionName::usual(args.root));
    if args.print {
        return show_line(&session, &project, context).await;
    }
    let Attach { creation, command, root, .. } = &args;
    if args.create {
        let wished = Wished { session: &session, creation, command, as_root: *root };
        return create_and_enter(&project, wished, args.directory.clone(), context).await;
    }
    refuse_without_terminal("attach")?;
    let connector = Connector::to(&project, context).of_root(*root);
    let mut connected = connector.running_soon().await?;
    Box::pin(hooks::tell(&project, context)).await;
    let mut signals = Signals::listen().map_err(|source| Error::io("listen for signals", source))?;
    // Before the terminal is the session's: what the tmux inside says of one that does not run is for nobody.
    let is_there = async {
        connector.wait_at(&mut connected).await?;
        control::refuse_none(&mut connected.connection, &connector.name(), &session).await
    };
    tokio::select! {
        is_there = is_there => is_there?,
        _ = signals.recv() => return Ok(INTERRUPTED.into()),
    }
    drop(signals);
    let visit = Visit { connector: &connector, session: &session, creation, command, directory: None, variables: Vec::new() };
    visit.enter(connected, commands::attach(&session)).await
}

/// A session that is to be there, and what it takes to make it.
#[derive(Debug, Clone, Copy)]
pub struct Wished<'a> {
    pub session: &'a SessionName,
    pub creation: &'a Creation,
    /// In place of what is configured.
    pub command: &'a [String],
    pub as_root: bool,
}

impl<'a> Wished<'a> {
    /// One of the user's, which runs what is configured, else a shell.
    pub fn new(session: &'a SessionName, creation: &'a Creation) -> Self {
        Self { session, creation, command: &[], as_root: false }
    }
}

/// Attaches this terminal to a session; creates and starts whatever is not there yet.
pub async fn create_and_enter(
    project: &Project,
    wished: Wished<'_>,
    directory: Option<String>,
    context: &Context,
) -> Result<ExitCode> {
    refuse_without_terminal("open")?;
    let Wished { session, creation, command, as_root } = wished;
    let connector = Connector::to(project, context);
    let asked = Asked::of_connector(&connector, creation).await?;
    asked.refuse_kept(&connector).await?;
    let mut connected = connector.up(&asked.wanted(context)).await?;
    asked.begin(&mut connected, &connector).await?;
    asked.attached(&mut connected, &connector).await?;
    let connector = connector.of_root(as_root);
    if as_root {
        connected = Box::pin(connector.running()).await?;
    }
    control::make_room(&mut connected.connection, &connector.name(), session, command).await?;
    let start = if as_root { Start::default() } else { asked.start_of(session) };
    let variables = start.variables();
    let command = if command.is_empty() { &start.command } else { command };
    let directory = directory.or(start.directory);
    let visit = Visit { connector: &connector, session, creation, command, directory, variables };
    Box::pin(visit.enter(connected, visit.program())).await
}

fn refuse_without_terminal(verb: &'static str) -> Result<()> {
    if Terminal::is_present() { Ok(()) } else { Err(Error::Needs { verb, needs: "terminal" }) }
}

/// `WHARF_PROJECT` says which project a name stands for before a container does; it counts only where the name agrees.
async fn project_of(args: &Attach, context: &Context) -> Result<SessionTarget> {
    let said = args.project.as_deref().map(Project::from_label);
    match said.filter(|project| args.target.as_deref() == Some(project.container_name().as_str())) {
        Some(project) => Ok(SessionTarget { project, session: args.session.clone() }),
        None if args.create => target::resolve_existing_session(args.target.as_deref(), args.session.as_ref(), context).await,
        None => target::resolve_session(args.target.as_deref(), args.session.as_ref(), context).await,
    }
}

/// A terminal's stay in a session, and what it takes to come back to it.
struct Visit<'a> {
    connector: &'a Connector<'a>,
    session: &'a SessionName,
    creation: &'a Creation,
    /// What the session runs where it has to be started.
    command: &'a [String],
    /// Where it starts; in the project where `None`.
    directory: Option<String>,
    /// What its environment has besides, where it is started.
    variables: Vec<String>,
}

impl Visit<'_> {
    fn program(&self) -> Program {
        commands::attach_or_create(self.session, self.command)
    }

    /// Shows the session until it ends or this terminal goes. A connection that is lost meanwhile is made anew: the session
    /// is not in it.
    async fn enter(&self, mut connected: Connected, mut program: Program) -> Result<ExitCode> {
        let Connector { project, context, .. } = self.connector;
        // What the host's tmux takes for the pane's directory, and opens new panes in.
        let _ = env::set_current_dir(project.path());
        let pane = ShownIn::note(project, self.session, context);
        watch::ensure(false, context);
        // Caught between two connections as well: there is nothing to take leave from then.
        let mut signals = Signals::listen().map_err(|source| Error::io("listen for signals", source))?;
        let mut quick_losses = 0;
        let mut has_been_shown = false;
        loop {
            let since = Instant::now();
            let creates = program == self.program();
            let shown = self.show(&mut connected, program, &pane, !has_been_shown, &mut signals).await?;
            let ControlFlow::Continue(end) = shown else {
                return Ok(INTERRUPTED.into());
            };
            let next = match end {
                End::Here => return Ok(ExitCode::SUCCESS),
                End::Exited(0) => match control::exit_code(&mut connected.connection, &self.connector.name(), self.session).await
                {
                    Ok(code) => return Ok(exit::with(code)),
                    // It ended with the container.
                    Err(_) => Box::pin(self.regain_after(Duration::ZERO)).await?,
                },
                // A session that never was is an error; one that was made here, or shown for a while, has ended.
                End::Exited(code) if !creates && !has_been_shown && since.elapsed() < SOON => {
                    return Err(self.why_it_failed(code).await);
                }
                End::Exited(code) => self.over(self.why_it_failed(code).await).await?,
                End::Lost if quick_losses == LOSSES => {
                    return Err(Error::lost(&self.connector.name(), io::ErrorKind::ConnectionReset.into()));
                }
                End::Lost => {
                    has_been_shown = true;
                    quick_losses = if since.elapsed() < SOON { quick_losses + 1 } else { 0 };
                    let pause = if quick_losses > 1 { SOON } else { Duration::ZERO };
                    tokio::select! {
                        next = Box::pin(self.regain_after(pause)) => next?,
                        _ = signals.recv() => return Ok(ExitCode::SUCCESS),
                    }
                }
            };
            (connected, program) = match next {
                // What was lost has been started: a session that has ended meanwhile is not started again.
                Next::GoOn(connected) => (connected, commands::attach(self.session)),
                Next::StartAgain => (self.up_again().await?, self.program()),
                Next::Close => return Ok(ExitCode::FAILURE),
            };
        }
    }

    async fn up_again(&self) -> Result<Connected> {
        let Connector { project, context, .. } = self.connector;
        let asked = Asked::of(project, self.creation, context)?;
        let users = Connector::to(project, context);
        let mut connected = users.up(&asked.wanted(context)).await?;
        asked.begin(&mut connected, &users).await?;
        if self.connector.is_as_root() { self.connector.running().await } else { Ok(connected) }
    }

    /// Shows the session until this connection or one of its ends goes. Breaks off where a signal comes before the session.
    async fn show(
        &self,
        connected: &mut Connected,
        program: Program,
        pane: &ShownIn<'_>,
        is_first: bool,
        signals: &mut Signals,
    ) -> Result<ControlFlow<(), End>> {
        let context = self.connector.context;
        let agent = context.serve_agent(&connected.host_dir);
        let mut environment = environment::for_terminal(|name| context.variable(name), agent.is_some());
        environment.extend(self.variables.iter().cloned());
        environment.extend(git::share_with_session(self.connector.project.path(), &connected.host_dir).await);
        let size = Some(Terminal::size().unwrap_or(USUAL_SIZE));
        let program = commands::with_mouse(program, self.session, context.tmux.is_some());
        let run = Run { program, environment, directory: self.directory.clone(), terminal: size, follow: pane.follow() };
        let asked = connected.connection.request(Request::Run(run)).await;
        // Not in raw mode yet: a Ctrl-C that somebody presses meanwhile is a signal.
        tokio::select! {
            is_there = self.connector.wait_at(connected) => is_there?,
            _ = signals.recv() => return Ok(ControlFlow::Break(())),
        }
        let terminal = Terminal::take().map_err(|source| Error::io("take over the terminal", source))?;
        let end = match asked {
            Ok(()) => {
                if is_first && !self.connector.is_as_root() {
                    // While the session comes.
                    history::record(&context.state_dir, self.connector.project, self.session, Timestamp::now());
                }
                let goodbye = Goodbye::Detach { key: context.tmux.is_none() };
                tokio::select! {
                    end = pump(&terminal, size, &mut connected.connection, goodbye, pane) => end,
                    () = Box::pin(keys::follow_format(self.connector)) => Ok(End::Lost),
                }
            }
            Err(_) => Ok(End::Lost),
        };
        // Whoever left by the front door has done it.
        if !matches!(end, Ok(End::Exited(0) | End::Here)) {
            terminal.reset_screen().await;
        }
        end.map(ControlFlow::Continue).map_err(|source| Error::io("attach the terminal", source))
    }

    async fn regain_after(&self, pause: Duration) -> Result<Next> {
        tokio::time::sleep(pause).await;
        match heal::regain(self.connector).await {
            Err(error) => self.over(error).await,
            next => next,
        }
    }

    /// What was shown is over: a question in a pane, which would close, where there is something to start again.
    async fn over(&self, error: Error) -> Result<Next> {
        if self.connector.context.is_panes_program() && heal::can_start_again(&error) {
            Ok(heal::ask(self.connector, &error).await)
        } else {
            Err(error)
        }
    }

    async fn why_it_failed(&self, exit_code: i32) -> Error {
        let (connector, session) = (self.connector, self.session);
        let container = connector.name();
        if let Some(lack) = control::lack(&container, exit_code) {
            return lack;
        }
        // A program in the container ends with it, and can be heard of first.
        let mut connected = match connector.running().await {
            Ok(connected) => connected,
            Err(error) => return error,
        };
        let none = control::refuse_none(&mut connected.connection, &container, session).await;
        none.err().unwrap_or(Error::ClientFailed { container, exit_code: exit_code.into() })
    }
}

async fn show_line(session: &SessionName, project: &Project, context: &Context) -> Result<ExitCode> {
    let seen = Connector::to(project, context).lifecycle()?.look(None).await?;
    let container = plan::attach(project, &seen)?;
    let launch = container.launch.ok_or_else(|| Error::NoTools { container: container.name.clone() })?;
    let mut line = vec!["docker".to_owned(), "exec".to_owned(), "-it".to_owned()];
    for pair in environment::for_terminal(|name| context.variable(name), false) {
        line.extend(["--env".to_owned(), pair]);
    }
    line.push(container.name.to_string());
    line.extend(launch.guest());
    line.extend(commands::attach(session).words());
    print::line(line.iter().map(|word| quote::shell_if_needed(word)).collect::<Vec<_>>().join(" "))?;
    Ok(ExitCode::SUCCESS)
}
