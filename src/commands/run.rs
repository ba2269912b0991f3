//! `wharf run`

use std::process::ExitCode;

use super::{Asked, exec};
use crate::cli::Run;
use crate::commands::target;
use crate::container::connect::Connector;
use crate::container::wanted::Wanted;
use crate::context::Context;
use crate::error::Result;
use crate::model::ContainerName;
use crate::paths;
use crate::protocol::Program;

pub async fn run(args: Run, context: &Context) -> Result<ExitCode> {
    let project = target::resolve_existing(args.target.as_deref(), context).await?;
    let name = ContainerName::throw_away(project.as_str());
    let connector = Connector::to_throw_away(&project, name.clone(), context);
    let asked = Asked::of(&project, &args.creation, context)?;
    let wanted = Wanted { throw_away: true, ..asked.wanted(context) };
    // Only this process knows the container, so nothing can answer for it yet.
    let connected = connector.up(&wanted).await?;
    let directory = if args.target.is_none() { exec::below(&project) } else { None };
    let ended = exec::run_in(connected, &project, &name, Program::Command(args.command), directory, args.no_tty, context).await;
    // Its relay has seen the end too, and whoever is first is right.
    let _ = context.engine()?.throw_away_container(&name, name.as_str()).await;
    let _ = paths::remove(&name, &context.state_dir);
    ended
}
