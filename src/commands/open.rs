//! `wharf open`

use std::env;
use std::process::ExitCode;

use super::{attach, wanted};
use crate::cli::Open;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::lifecycle::Lifecycle;
use crate::plan;
use crate::project::Project;
use crate::session::{SessionName, control};
use crate::target;
use crate::tmux::{NewWindow, Switch, TmuxServer};

pub async fn run(args: Open, context: &Context) -> Result<ExitCode> {
    let project = target::resolve_existing(args.target.as_deref(), context).await?;
    if args.detach {
        return open_detached(&args, &project, context).await;
    }
    if let Some(tmux) = &context.tmux {
        return open_window(&args, &project, tmux, context).await;
    }
    let session = args.session.clone().unwrap_or_default();
    attach::create_and_enter(&project, &session, &args.creation, &args.command, context).await
}

async fn open_detached(args: &Open, project: &Project, context: &Context) -> Result<ExitCode> {
    let engine = context.engine()?;
    let lifecycle = Lifecycle { engine, project };
    let up = lifecycle.up(&wanted(&args.creation, context)).await?;
    if up.started {
        lifecycle.settle().await?;
    }
    let session = args.session.clone().unwrap_or_default();
    let environment = crate::session::environment::for_terminal(|name| context.variable(name), false);
    control::create(engine, &up.container.name, &session, &args.command, environment).await?;
    println!("{} runs session {session}", up.container.name);
    Ok(ExitCode::SUCCESS)
}

/// Switching to a window that exists asks nothing of the engine.
async fn open_window(args: &Open, project: &Project, tmux: &TmuxServer, context: &Context) -> Result<ExitCode> {
    let container = project.container_name();
    let found = tmux.switch_to(context.pane.as_ref(), &container, args.session.as_ref())?;
    let session = args.session.clone().unwrap_or_default();
    let at = match found {
        Switch::Done if args.command.is_empty() => return Ok(ExitCode::SUCCESS),
        Switch::Done => return Err(Error::SessionRuns { container, session }),
        Switch::NoWindow(at) => at,
    };
    refuse_what_cannot_work(args, project, context).await?;
    let window = NewWindow {
        project,
        session: &session,
        command: attach_command(args, project, &session)?,
        // The container's name stands for the project from its creation on; until then this does.
        environment: format!("WHARF_PROJECT={project}"),
    };
    tmux.open_window(&at, window)?;
    Ok(ExitCode::SUCCESS)
}

/// What can be known before there is a window is said where the key was pressed. The rest of the work is done in the
/// window, which shows how it goes.
async fn refuse_what_cannot_work(args: &Open, project: &Project, context: &Context) -> Result<()> {
    let engine = context.engine()?;
    let wanted = wanted(&args.creation, context);
    let seen = Lifecycle { engine, project }.look(Some(wanted.image.name)).await?;
    plan::up(project, &seen, wanted.image)?;
    let session = args.session.clone().unwrap_or_default();
    match &seen.container {
        Some(container) if container.state.can_attach() && !args.command.is_empty() => {
            attach::refuse_command_for_running_session(engine, &container.name, &session, &args.command).await
        }
        _ => Ok(()),
    }
}

/// The pane's command line, which tmux-resurrect can start again as it reads: no word of it needs quoting.
fn attach_command(args: &Open, project: &Project, session: &SessionName) -> Result<Vec<String>> {
    let wharf = env::current_exe().map_err(|source| Error::io("find wharf's own program", source))?;
    let mut command = vec![wharf.to_string_lossy().into_owned(), "attach".to_owned()];
    command.extend([project.container_name().to_string(), "--create".to_owned(), "--session".to_owned(), session.to_string()]);
    for (flag, value) in [("--image", &args.creation.image), ("--workspace", &args.creation.workspace)] {
        command.extend(value.iter().flat_map(|value| [flag.to_owned(), value.clone()]));
    }
    if !args.command.is_empty() {
        command.push("--".to_owned());
        command.extend(args.command.iter().cloned());
    }
    Ok(command)
}
