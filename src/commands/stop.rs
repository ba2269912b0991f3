//! `wharf stop`

use std::process::ExitCode;

use futures_util::future::join_all;

use crate::cli::Stop;
use crate::commands::target;
use crate::container::connect::Connector;
use crate::container::plan::{self, Step};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::print;
use crate::project::Project;

pub async fn run(args: Stop, context: &Context) -> Result<ExitCode> {
    let projects: Vec<Result<Project>> = if args.all {
        let containers = context.containers().await?;
        containers.into_iter().filter(|listed| listed.state.is_up()).map(|listed| Ok(listed.project)).collect()
    } else if args.targets.is_empty() {
        vec![target::resolve(None, context).await]
    } else {
        join_all(args.targets.iter().map(|target| target::resolve(Some(target), context))).await
    };
    if projects.is_empty() {
        print::line("no container runs")?;
    }
    let stopped = join_all(projects.into_iter().map(async |project| stop(&project?, context).await)).await;
    all_or_several(stopped)
}

async fn stop(project: &Project, context: &Context) -> Result<()> {
    let what = match stop_container(project, context).await?.last() {
        None => "was not running:",
        // It was made to go with its end.
        Some(Step::RemoveContainer { .. }) => "stopped and removed",
        Some(_) => "stopped",
    };
    print::line(format_args!("{what} {}", project.container_name()))?;
    Ok(())
}

/// What it took to stop it, which is nothing where it did not run.
pub async fn stop_container(project: &Project, context: &Context) -> Result<Vec<Step>> {
    let connector = Connector::to(project, context);
    let lifecycle = connector.lifecycle()?;
    let steps = plan::stop(project, &lifecycle.look(None).await?)?;
    lifecycle.take(&steps).await?;
    Ok(steps)
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
