//! `wharf start`

use std::process::ExitCode;

use futures_util::{StreamExt, stream};

use super::Asked;
use super::stop::all_or_several;
use super::wait::{timed_out, until_ready, within};
use crate::cli::{Creation, Start};
use crate::commands::target::{self, SessionTarget};
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::print;
use crate::project::Project;

/// How many containers to start at once.
const AT_ONCE: usize = 8;

pub async fn run(args: Start, context: &Context) -> Result<ExitCode> {
    let projects = if args.all { stopped(context).await? } else { target::resolve_each(&args.targets, context).await };
    if projects.is_empty() {
        print::line("every container runs")?;
    }
    let start = async |project: Result<Project>| {
        let project = project?;
        Box::pin(start(&project, &args.creation, context)).await?;
        if args.wait {
            let target = SessionTarget { project: project.clone(), session: None };
            within(args.timeout, Box::pin(until_ready(&target, context))).await??;
        }
        print::line(project.container_name())
    };
    match all_or_several(stream::iter(projects).map(start).buffered(AT_ONCE).collect().await) {
        Err(late @ Error::WaitedTooLong { .. }) => Ok(timed_out(&late, context)),
        started => started,
    }
}

/// The projects that are there and whose container is, but does not run.
async fn stopped(context: &Context) -> Result<Vec<Result<Project>>> {
    let containers = context.engine()?.containers().await?;
    let down = containers.into_iter().filter(|listed| !listed.state.is_up()).map(|listed| listed.project);
    Ok(down.filter(|project| !target::is_orphaned(project)).map(Ok).collect())
}

/// Makes the container exist and run, and with it the sessions that are there from the start.
pub async fn start(project: &Project, creation: &Creation, context: &Context) -> Result<()> {
    let asked = Asked::of(project, creation, context)?;
    let connector = Connector::to(project, context);
    connector.lifecycle()?.up(&asked.wanted(context)).await?;
    if asked.has_beginning() {
        asked.begin(&mut connector.running().await?, &connector).await?;
    }
    Ok(())
}
