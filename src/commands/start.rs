//! `wharf start`

use std::process::ExitCode;

use super::wanted;
use crate::cli::Start;
use crate::context::Context;
use crate::error::Result;
use crate::lifecycle::Lifecycle;
use crate::target;

pub async fn run(args: Start, context: &Context) -> Result<ExitCode> {
    let project = target::resolve_existing(args.target.as_deref(), context).await?;
    let engine = context.engine()?;
    let lifecycle = Lifecycle { engine, project: &project };
    let up = lifecycle.up(&wanted(&args.creation, context)).await?;
    if up.started {
        lifecycle.settle().await?;
    }
    println!("{}", up.container.name);
    Ok(ExitCode::SUCCESS)
}
