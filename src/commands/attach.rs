//! `wharf attach`

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use super::wanted;
use crate::cli::{Attach, Creation};
use crate::context::Context;
use crate::engine::{Container, Engine, ExecSpec};
use crate::error::{Error, Result};
use crate::lifecycle::Lifecycle;
use crate::plan;
use crate::project::{ContainerName, Project};
use crate::quote;
use crate::session::agent::AgentSocket;
use crate::session::attach::{End, pump};
use crate::session::terminal::Terminal;
use crate::session::{SessionName, commands, control, environment};
use crate::target;

pub async fn run(args: Attach, context: &Context) -> Result<ExitCode> {
    let project = project_of(&args, context).await?;
    if args.print {
        return print(&args, &project, context).await;
    }
    if args.create {
        return create_and_enter(&project, &args.session, &args.creation, &args.command, context).await;
    }
    refuse_without_terminal("attach")?;
    let engine = context.engine()?;
    let lifecycle = Lifecycle { engine, project: &project };
    let seen = lifecycle.look(None).await?;
    let container = plan::attach(&project, &seen)?;
    enter(&lifecycle, container, &args.session, commands::attach(&args.session), context).await
}

/// Attaches this terminal to a session; creates and starts whatever is not there yet.
pub async fn create_and_enter(
    project: &Project,
    session: &SessionName,
    creation: &Creation,
    command: &[String],
    context: &Context,
) -> Result<ExitCode> {
    refuse_without_terminal("open")?;
    let engine = context.engine()?;
    let lifecycle = Lifecycle { engine, project };
    let container = lifecycle.up(&wanted(creation, context)).await?.container;
    refuse_command_for_running_session(engine, &container.name, session, command).await?;
    enter(&lifecycle, &container, session, commands::attach_or_create(session, command), context).await
}

/// A command that a running session would swallow is not lost in silence.
pub async fn refuse_command_for_running_session(
    engine: &Engine,
    container: &ContainerName,
    session: &SessionName,
    command: &[String],
) -> Result<()> {
    if !command.is_empty() && control::exists(engine, container, session).await? {
        return Err(Error::SessionRuns { container: container.clone(), session: session.clone() });
    }
    Ok(())
}

fn refuse_without_terminal(verb: &'static str) -> Result<()> {
    if Terminal::is_present() { Ok(()) } else { Err(Error::Needs { verb, needs: "terminal" }) }
}

/// `WHARF_PROJECT` says which project a name stands for before a container does; it counts only where the name agrees.
async fn project_of(args: &Attach, context: &Context) -> Result<Project> {
    let said = args.project.as_deref().map(Project::from_label);
    match said.filter(|project| args.target.as_deref() == Some(project.container_name().as_str())) {
        Some(project) => Ok(project),
        None if args.create => target::resolve_existing(args.target.as_deref(), context).await,
        None => target::resolve(args.target.as_deref(), context).await,
    }
}

async fn enter(
    lifecycle: &Lifecycle<'_>,
    container: &Container,
    session: &SessionName,
    command: Vec<String>,
    context: &Context,
) -> Result<ExitCode> {
    // What the host's tmux takes for the pane's directory, and opens new panes in.
    let _ = env::set_current_dir(lifecycle.project.path());
    let _tag = PaneTag::set(lifecycle.project, session, context);
    let agent = serve_agent(container, context);
    let environment = environment::for_terminal(|name| context.variable(name), agent.is_some());
    match attach(lifecycle, container, ExecSpec { command, environment, working_dir: None }, context.tmux.is_none()).await {
        Ok((End::Here, _) | (End::Stream, 0)) => Ok(ExitCode::SUCCESS),
        Ok((End::Stream, exit_code)) => Err(why_it_failed(lifecycle, container, session, exit_code).await),
        // An engine that refuses to run anything may do so because the container has just ended.
        Err(error) => Err(lifecycle.failure().await.unwrap_or(error)),
    }
}

/// The exit code is that of the program in the container, where the stream ended first.
async fn attach(lifecycle: &Lifecycle<'_>, container: &Container, spec: ExecSpec, detach_key: bool) -> Result<(End, i64)> {
    let engine = lifecycle.engine;
    let container = &container.name;
    let terminal = Terminal::take().map_err(|source| Error::io("take over the terminal", source))?;
    let exec = engine.create_exec(container, spec, terminal.size()).await?;
    let (reader, writer) = tokio::io::split(engine.start_exec(container, &exec).await?);
    let end = pump(&terminal, reader, writer, async |size| engine.resize_exec(&exec, size).await, detach_key).await;
    let end = end.map_err(|source| Error::io("attach the terminal", source))?;
    let exit_code = if end == End::Stream { engine.exec_exit_code(&exec).await } else { Ok(0) };
    if !matches!(exit_code, Ok(0)) {
        terminal.reset_screen().await;
    }
    Ok((end, exit_code?))
}

async fn why_it_failed(lifecycle: &Lifecycle<'_>, container: &Container, session: &SessionName, exit_code: i64) -> Error {
    let container = container.name.clone();
    if let Some(error) = lifecycle.failure().await {
        return error;
    }
    if control::could_not_run(exit_code) {
        return Error::NoTmux { container };
    }
    match control::list(lifecycle.engine, &container).await {
        Ok(running) if !running.contains(session) => Error::NoSession { container, session: session.clone(), running },
        Ok(_) => Error::ClientFailed { container, exit_code },
        // It ended while it was asked.
        Err(error) => lifecycle.failure().await.unwrap_or(error),
    }
}

/// An agent that cannot be served is not a reason not to attach: ssh inside says that it has none.
fn serve_agent(container: &Container, context: &Context) -> Option<AgentSocket> {
    let agent = PathBuf::from(context.variable("SSH_AUTH_SOCK").filter(|path| !path.is_empty())?);
    AgentSocket::serve(container.host_dir.as_deref()?, agent).ok()
}

async fn print(args: &Attach, project: &Project, context: &Context) -> Result<ExitCode> {
    let engine = context.engine()?;
    let lifecycle = Lifecycle { engine, project };
    let seen = lifecycle.look(None).await?;
    let container = plan::attach(project, &seen)?;
    let mut line = vec!["docker".to_owned(), "exec".to_owned(), "-it".to_owned()];
    for pair in environment::for_terminal(|name| context.variable(name), false) {
        line.extend(["--env".to_owned(), pair]);
    }
    line.push(container.name.to_string());
    line.extend(commands::attach(&args.session));
    println!("{}", line.iter().map(|word| quote::shell_if_needed(word)).collect::<Vec<_>>().join(" "));
    Ok(ExitCode::SUCCESS)
}

/// The note on a pane that it shows a project; taken back when the attach ends. A window that `open` made has it already.
struct PaneTag<'a> {
    context: &'a Context,
    is_ours: bool,
}

impl<'a> PaneTag<'a> {
    fn set(project: &Project, session: &SessionName, context: &'a Context) -> Self {
        let is_ours = context.variable("WHARF_PROJECT").as_deref() != Some(project.as_str());
        if let (true, Some(tmux), Some(pane)) = (is_ours, &context.tmux, &context.pane) {
            tmux.tag_pane(pane, project, session);
        }
        Self { context, is_ours }
    }
}

impl Drop for PaneTag<'_> {
    fn drop(&mut self) {
        if let (true, Some(tmux), Some(pane)) = (self.is_ours, &self.context.tmux, &self.context.pane) {
            tmux.untag_pane(pane);
        }
    }
}
