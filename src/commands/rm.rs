//! `wharf rm`

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use super::stop::all_or_several;
use crate::cli::Rm;
use crate::context::Context;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::lifecycle::Lifecycle;
use crate::plan::{self, Seen};
use crate::project::Project;
use crate::session::{SessionName, control};
use crate::spec;
use crate::target;

pub async fn run(args: Rm, context: &Context) -> Result<ExitCode> {
    let engine = context.engine()?;
    let targets: Vec<Option<&str>> =
        if args.targets.is_empty() { vec![None] } else { args.targets.iter().map(|t| Some(t.as_str())).collect() };
    let mut outcomes = Vec::new();
    // One after the other, because it may ask.
    for target in targets {
        outcomes.push(match target::resolve(target, context).await {
            Ok(project) => remove(engine, &project, &args, context).await,
            Err(error) => Err(error),
        });
    }
    all_or_several(outcomes)
}

async fn remove(engine: &Engine, project: &Project, args: &Rm, context: &Context) -> Result<()> {
    let lifecycle = Lifecycle { engine, project };
    let seen = lifecycle.look(None).await?;
    let steps = plan::remove(project, &seen, args.volumes)?;
    if !args.force {
        confirm_live_sessions(engine, project, &seen).await?;
    }
    lifecycle.take(&steps).await?;
    // Only sockets are in there, and nobody is behind them any more.
    let shared = seen
        .container
        .and_then(|container| container.host_dir)
        .filter(|dir| *dir == spec::host_dir(&project.container_name(), &context.state_dir));
    if let Some(shared) = shared {
        let _ = std::fs::remove_dir_all(shared);
    }
    println!("removed {}{}", project.container_name(), if args.volumes { " and its volumes" } else { "" });
    Ok(())
}

async fn confirm_live_sessions(engine: &Engine, project: &Project, seen: &Seen) -> Result<()> {
    let Some(container) = seen.container.as_ref().filter(|container| container.state.is_up()) else {
        return Ok(());
    };
    if !container.state.can_attach() {
        return Err(Error::UnknownSessions { container: container.name.clone(), state: container.state });
    }
    let sessions = control::list(engine, &container.name).await?;
    if sessions.is_empty() {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Error::LiveSessions { container: container.name.clone(), sessions });
    }
    let names: Vec<&str> = sessions.iter().map(SessionName::as_str).collect();
    eprint!("`{project}` has live sessions ({}). Remove its container and end them? [y/N] ", names.join(", "));
    let mut answer = String::new();
    let read = io::stderr().flush().and_then(|()| io::stdin().lock().read_line(&mut answer));
    read.map_err(|source| Error::io("read the answer", source))?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(Error::Cancelled) }
}
