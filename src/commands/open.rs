//! `wharf open`

use std::env;
use std::mem;
use std::process::ExitCode;

use jiff::Timestamp;

use super::attach::Wished;
use super::consent::Ending;
use super::rebuild::recreate;
use super::stop::all_or_several;
use super::{Asked, attach, hooks, watch};
use crate::cli::Open;
use crate::commands::target::{self, SessionTarget};
use crate::connection::control::{self, Start};
use crate::connection::{environment, git};
use crate::container::connect::{Connected, Connector};
use crate::container::{drift, plan};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::history;
use crate::image::build::Recipe;
use crate::model::SessionName;
use crate::output::{print, report};
use crate::project::Project;
use crate::protocol::sshd::PORT_VARIABLE;
use crate::tmux::{NewPane, Switch, TmuxServer};

impl Open {
    fn session(&self) -> SessionName {
        self.session.clone().unwrap_or_else(|| SessionName::usual(self.root))
    }

    fn wished<'a>(&'a self, session: &'a SessionName) -> Wished<'a> {
        Wished { session, creation: &self.creation, command: &self.command, as_root: self.root }
    }
}

pub async fn run(mut args: Open, context: &Context) -> Result<ExitCode> {
    args.creation.remove_on_exit = args.rm;
    if let [] | [_] = args.targets[..] {
        let target = args.targets.pop();
        return open_target(&mut args, target.as_deref(), context).await;
    }
    if context.tmux.is_none() && !args.detach {
        return Err(Error::Needs { verb: "open", needs: "tmux to open several projects" });
    }
    let named = args.session.clone();
    let mut outcomes = Vec::new();
    // One after the other: their windows come in this order, and it may ask.
    for target in mem::take(&mut args.targets) {
        args.session.clone_from(&named);
        outcomes.push(Box::pin(open_target(&mut args, Some(&target), context)).await.map(drop));
    }
    all_or_several(outcomes)
}

/// Opens the session that a target names, else the one of the arguments.
async fn open_target(args: &mut Open, target: Option<&str>, context: &Context) -> Result<ExitCode> {
    let SessionTarget { project, session } = target::resolve_existing_session(target, args.session.as_ref(), context).await?;
    args.session = session;
    open(args, &project, context).await
}

async fn open(args: &Open, project: &Project, context: &Context) -> Result<ExitCode> {
    if args.fresh {
        let ending = Ending { verb: "open --fresh", does: "Recreate", force: args.force };
        Box::pin(recreate(project, &args.creation, ending, context)).await?;
    }
    if args.detach {
        return open_detached(args, project, context).await;
    }
    if let Some(tmux) = &context.tmux {
        return open_window(args, project, tmux, context).await;
    }
    let session = args.session();
    Box::pin(hooks::tell(project, context)).await;
    let code = attach::create_and_enter(project, args.wished(&session), None, context).await?;
    drift::tell(project, context).await;
    Ok(code)
}

pub async fn open_detached(args: &Open, project: &Project, context: &Context) -> Result<ExitCode> {
    let connector = Connector::to(project, context);
    let asked = Asked::of_connector(&connector, &args.creation).await?;
    asked.refuse_kept(&connector).await?;
    let mut connected = connector.up(&asked.wanted(context)).await?;
    asked.begin(&mut connected, &connector).await?;
    let session = args.session();
    let environment = session_environment(&connector, &connected).await;
    let connector = connector.of_root(args.root);
    let mut start = Start { environment, ..asked.start_of(&session) };
    if args.root {
        connected = connector.running().await?;
        start = Start { environment: start.environment, ..Start::default() };
    }
    control::create(&mut connected.connection, &connector.name(), &session, &args.command, start).await?;
    print::line(format_args!("{} runs session {session}", connector.name()))?;
    if !args.root {
        history::record(&context.state_dir, project, &session, Timestamp::now());
    }
    Box::pin(hooks::tell(project, context)).await;
    drift::tell(project, context).await;
    Ok(ExitCode::SUCCESS)
}

/// What a session without a terminal has in its environment.
pub async fn session_environment(connector: &Connector<'_>, connected: &Connected) -> Vec<String> {
    let mut environment = environment::for_terminal(|name| connector.context.variable(name), false);
    environment.extend(git::share(connector.project.path(), &connected.host_dir).await);
    environment
}

/// Switching to a window that exists asks nothing of the engine. A command gets a window of its own: one that shows the
/// project would swallow it, even where its session has ended.
pub async fn open_window(args: &Open, project: &Project, tmux: &TmuxServer, context: &Context) -> Result<ExitCode> {
    let pane = context.pane.as_ref();
    let session = args.session();
    let found = if args.command.is_empty() {
        tmux.switch_to(pane, &project.container_name(), args.session.as_ref().or(args.root.then_some(&session)))?
    } else {
        Switch::NoWindow(tmux.session_at(pane)?)
    };
    watch::ensure(false, context);
    if found == Switch::Done {
        if !args.root {
            history::record(&context.state_dir, project, &session, Timestamp::now());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let exposure = refuse_what_cannot_work(args, project, context).await?;
    // The window's own environment is that of the tmux server.
    let ssh_port = context.variable(PORT_VARIABLE).map(|port| format!("{PORT_VARIABLE}={port}"));
    let window = NewPane {
        project,
        session: &session,
        command: attach_command(project, args.wished(&session))?,
        // The container's name stands for the project from its creation on; until then this does.
        environment: [Some(format!("WHARF_PROJECT={project}")), ssh_port].into_iter().flatten().collect(),
    };
    match found {
        Switch::Dead(dead) => tmux.revive(&dead, window)?,
        Switch::NoWindow(at) => tmux.open_window(&at, window)?,
        Switch::Done => {}
    }
    // A message goes with the window that it was shown over.
    if let Some(exposure) = exposure {
        report::note(&exposure, context);
    }
    Box::pin(hooks::tell(project, context)).await;
    drift::tell(project, context).await;
    Ok(ExitCode::SUCCESS)
}

/// What can be known before there is a window is said where the key was pressed. The rest of the work is done in the
/// window, which shows how it goes. What people should know of a container that will be made is given back.
async fn refuse_what_cannot_work(args: &Open, project: &Project, context: &Context) -> Result<Option<String>> {
    let connector = Connector::to(project, context);
    let session = args.session();
    let asked = Asked::of_connector(&connector, &args.creation).await?;
    asked.refuse_kept(&connector).await?;
    if args.root {
        // Of root's sessions only root's tmux knows, which the window asks.
    } else if let Some(mut connected) = connector.knock().await {
        control::refuse_if_runs(&mut connected.connection, &connector.name(), &session, &args.command).await?;
        return Ok(None);
    }
    let wanted = asked.wanted(context);
    let seen = connector.lifecycle()?.look(Some(wanted.image)).await?;
    if seen.container.is_none() {
        connector.lifecycle()?.check_gpus(&wanted).await?;
        wanted.image.build.map_or(Ok(()), Recipe::check)?;
    }
    plan::up(project, &seen, wanted.image)?;
    let Some(container) = seen.container else {
        return Ok(wanted.resources.exposure(project));
    };
    if container.state.can_attach() && !args.command.is_empty() && !args.root {
        let mut connected = connector.running().await?;
        control::refuse_if_runs(&mut connected.connection, &connector.name(), &session, &args.command).await?;
    }
    Ok(None)
}

/// The pane's command line, which tmux-resurrect can start again as it reads: no word of it needs quoting.
pub fn attach_command(project: &Project, wished: Wished) -> Result<Vec<String>> {
    let Wished { session, creation, command: session_command, as_root } = wished;
    let wharf = env::current_exe().map_err(|source| Error::io("find wharf's own program", source))?;
    let mut command = vec![wharf.to_string_lossy().into_owned(), "attach".to_owned()];
    command.extend([project.container_name().to_string(), "--create".to_owned(), "--session".to_owned(), session.to_string()]);
    for (flag, value) in [
        ("--image", &creation.image),
        ("--workspace", &creation.workspace),
        ("--profile", &creation.profile),
        ("--config", &creation.config),
    ] {
        command.extend(value.iter().flat_map(|value| [flag.to_owned(), value.clone()]));
    }
    command.extend(creation.ssh_port.iter().flat_map(|port| ["--ssh-port".to_owned(), port.to_string()]));
    if creation.remove_on_exit {
        command.push("--rm".to_owned());
    }
    if creation.read_only {
        command.push("--read-only".to_owned());
    }
    if as_root {
        command.push("--root".to_owned());
    }
    if !session_command.is_empty() {
        command.push("--".to_owned());
        command.extend(session_command.iter().cloned());
    }
    Ok(command)
}
