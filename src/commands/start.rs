//! `wharf start`

use std::process::ExitCode;

use super::Asked;
use crate::cli::{Creation, Start};
use crate::context::Context;
use crate::entry::Entry;
use crate::error::Result;
use crate::print;
use crate::project::Project;
use crate::target;

pub async fn run(args: Start, context: &Context) -> Result<ExitCode> {
    let project = target::resolve_existing(args.target.as_deref(), context).await?;
    start(&project, &args.creation, context).await?;
    print::line(project.container_name())?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the container exist and run, and with it the sessions that are there from the start.
pub async fn start(project: &Project, creation: &Creation, context: &Context) -> Result<()> {
    let asked = Asked::of(project, creation, context)?;
    let entry = Entry::to(project, context);
    entry.lifecycle()?.up(&asked.wanted(context)).await?;
    if asked.has_beginning() {
        asked.begin(&mut entry.running().await?, &entry).await?;
    }
    Ok(())
}
