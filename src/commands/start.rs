//! `wharf start`

use std::process::ExitCode;

use super::Asked;
use super::wait::{timed_out, until_ready, within};
use crate::cli::{Creation, Start};
use crate::commands::target::{self, SessionTarget};
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::Result;
use crate::output::print;
use crate::project::Project;

pub async fn run(args: Start, context: &Context) -> Result<ExitCode> {
    let project = target::resolve_existing(args.target.as_deref(), context).await?;
    start(&project, &args.creation, context).await?;
    if args.wait {
        let target = SessionTarget { project: project.clone(), session: None };
        match within(args.timeout, Box::pin(until_ready(&target, context))).await {
            Ok(ready) => ready?,
            Err(late) => return Ok(timed_out(&late, context)),
        }
    }
    print::line(project.container_name())?;
    Ok(ExitCode::SUCCESS)
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
