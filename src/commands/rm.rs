//! `wharf rm`

use std::process::ExitCode;

use super::consent::{self, Ending};
use super::stop::all_or_several;
use crate::cli::Rm;
use crate::commands::target;
use crate::container::connect::Connector;
use crate::container::plan;
use crate::context::Context;
use crate::engine::label;
use crate::error::Result;
use crate::output::print;
use crate::paths;
use crate::project::Project;

pub async fn run(args: Rm, context: &Context) -> Result<ExitCode> {
    let targets: Vec<Option<&str>> =
        if args.targets.is_empty() { vec![None] } else { args.targets.iter().map(|t| Some(t.as_str())).collect() };
    let mut outcomes = Vec::new();
    // One after the other, because it may ask.
    for target in targets {
        outcomes.push(match target::resolve(target, context).await {
            Ok(project) => Box::pin(remove(&project, &args, context)).await,
            Err(error) => Err(error),
        });
    }
    all_or_several(outcomes)
}

pub async fn remove(project: &Project, args: &Rm, context: &Context) -> Result<()> {
    let connector = Connector::to(project, context);
    let lifecycle = connector.lifecycle()?;
    // What cannot be done is said before it is asked.
    plan::remove(project, &lifecycle.look(None).await?, args.volumes)?;
    let ending = Ending { verb: "rm", does: "Remove", force: args.force };
    let (_lock, seen) = consent::to_end_sessions(ending, &connector).await?;
    lifecycle.take(&plan::remove(project, &seen, args.volumes)?).await?;
    let _ = paths::remove(&project.container_name(), &context.state_dir);
    if let Some(network) = seen.container.as_ref().and_then(|container| container.labels.get(label::NETWORK)) {
        let _lock = paths::lock_networks(&context.state_dir).await?;
        // That of the last container; one that stays is nothing to complain of.
        let _ = context.engine()?.remove_unused_network(network).await;
    }
    print::line(format_args!("removed {}{}", project.container_name(), if args.volumes { " and its volumes" } else { "" }))?;
    Ok(())
}
