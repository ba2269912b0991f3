//! `wharf restart`

use std::process::ExitCode;

use futures_util::future::join_all;

use super::start::start;
use super::stop::all_or_several;
use crate::cli::{Creation, Restart};
use crate::commands::target;
use crate::container::connect::Connector;
use crate::container::plan;
use crate::context::Context;
use crate::error::Result;
use crate::output::print;
use crate::project::Project;

pub async fn run(args: Restart, context: &Context) -> Result<ExitCode> {
    let targets: Vec<Option<&str>> =
        if args.targets.is_empty() { vec![None] } else { args.targets.iter().map(|target| Some(target.as_str())).collect() };
    let restart = async |target| {
        let project = target::resolve_existing(target, context).await?;
        stop(&project, context).await?;
        start(&project, &Creation::default(), context).await?;
        print::line(format_args!("restarted {}", project.container_name()))?;
        Ok(())
    };
    all_or_several(join_all(targets.into_iter().map(restart)).await)
}

async fn stop(project: &Project, context: &Context) -> Result<()> {
    let connector = Connector::to(project, context);
    let lifecycle = connector.lifecycle()?;
    lifecycle.take(&plan::stop_to_restart(project, &lifecycle.look(None).await?)?).await
}
