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
use crate::error::Result;
use crate::output::print;
use crate::project::Project;

/// How many containers to start at once.
const AT_ONCE: usize = 8;

pub async fn run(args: Start, context: &Context) -> Result<ExitCode> {
    let projects = if args.all { stopped(context).await? } else { target::resolve_each(&args.targets, context).await };
    if projects.is_empty() {
        print::line("every container runs")?;
    }
    let mut late = None;
    let start = async |project: Result<Project>| start_and_tell(project?, &args, context).await;
    let outcomes: Vec<Result<Option<ExitCode>>> = stream::iter(projects).map(start).buffered(AT_ONCE).collect().await;
    let outcomes = outcomes.into_iter().map(|outcome| outcome.map(|code| late = late.or(code))).collect();
    all_or_several(outcomes).map(|code| late.unwrap_or(code))
}

/// Gives an exit code where it was to be waited for, and was not ready in time.
async fn start_and_tell(project: Project, args: &Start, context: &Context) -> Result<Option<ExitCode>> {
    Box::pin(start(&project, &args.creation, context)).await?;
    let name = project.container_name();
    if args.wait {
        let target = SessionTarget { project, session: None };
        match within(args.timeout, Box::pin(until_ready(&target, context))).await {
            Ok(ready) => ready?,
            Err(late) => return Ok(Some(timed_out(&late, context))),
        }
    }
    print::line(name).map(|()| None)
}

/// The projects that are there and whose container is, but does not run.
async fn stopped(context: &Context) -> Result<Vec<Result<Project>>> {
    let containers = context.containers().await?;
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
