//! `wharf stop`

use std::process::ExitCode;

use futures_util::future::join_all;

use crate::cli::Stop;
use crate::context::Context;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::lifecycle::Lifecycle;
use crate::plan;
use crate::project::Project;
use crate::target;

pub async fn run(args: Stop, context: &Context) -> Result<ExitCode> {
    let engine = context.engine()?;
    let projects: Vec<Result<Project>> = if args.all {
        let containers = engine.containers().await?;
        containers.into_iter().filter(|listed| listed.state.is_up()).map(|listed| Ok(listed.project)).collect()
    } else if args.targets.is_empty() {
        vec![target::resolve(None, context).await]
    } else {
        join_all(args.targets.iter().map(|target| target::resolve(Some(target), context))).await
    };
    if projects.is_empty() {
        println!("no container runs");
    }
    let stopped = join_all(projects.into_iter().map(async |project| stop(engine, &project?).await)).await;
    all_or_several(stopped)
}

async fn stop(engine: &Engine, project: &Project) -> Result<()> {
    let lifecycle = Lifecycle { engine, project };
    let steps = plan::stop(project, &lifecycle.look(None).await?)?;
    lifecycle.take(&steps).await?;
    let what = if steps.is_empty() { "was not running:" } else { "stopped" };
    println!("{what} {}", project.container_name());
    Ok(())
}

/// Success where all succeeded; one failure is itself, several are told one by one.
pub fn all_or_several(outcomes: Vec<Result<()>>) -> Result<ExitCode> {
    let total = outcomes.len();
    let mut failures: Vec<Error> = outcomes.into_iter().filter_map(Result::err).collect();
    match failures.len() {
        0 => Ok(ExitCode::SUCCESS),
        1 => Err(failures.remove(0)),
        _ => Err(Error::Several { failures, total }),
    }
}
