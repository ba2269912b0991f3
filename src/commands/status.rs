//! `wharf status`

use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::Status as Arguments;
use crate::commands::target;
use crate::container::drift;
use crate::context::Context;
use crate::engine::{Container, label};
use crate::error::Result;
use crate::model::{Condition, ContainerName, Session, SessionName, Status};
use crate::output::print;
use crate::project::Project;

#[derive(Serialize)]
struct Report {
    name: String,
    project: String,
    container: String,
    state: &'static str,
    exit_code: Option<i64>,
    drift: bool,
    /// The sessions that nobody looks at and that have rung.
    bells: Vec<SessionName>,
    /// The sessions that wait for their user.
    waiting: Vec<SessionName>,
}

pub async fn run(args: Arguments, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.target.as_deref(), context).await?;
    let name = project.container_name();
    let status = match see(&name, context).await {
        Ok(Some((container, _))) => {
            let sessions = sessions_of(&project, context).await;
            Status {
                has_drifted: drift::of(&project, &container, context).await.is_any(),
                bells: Session::unseen_bells(&sessions),
                waiting: Session::waiting(&sessions, Timestamp::now().as_second()),
                ..Status::from(Condition::of(&container))
            }
        }
        Ok(None) => Status::from(Condition::None),
        Err(error) if error.is_engine_lost() => Status::from(Condition::NoEngine),
        Err(error) => return Err(error),
    };
    if args.json {
        let report = Report {
            name: project.short_name().to_owned(),
            project: project.to_string(),
            container: name.to_string(),
            state: status.condition.word(),
            exit_code: status.condition.exit_code(),
            drift: status.has_drifted,
            bells: status.bells,
            waiting: status.waiting,
        };
        print::json(&report)?;
    } else {
        print::line(args.format.fill(&project, &status))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The project's container as the engine has it, and which project that is. One that wharf did not make is none.
pub async fn see(name: &ContainerName, context: &Context) -> Result<Option<(Container, Project)>> {
    let container = context.engine()?.container(name).await?;
    Ok(container.and_then(|container| {
        let project = Project::from_label(container.labels.get(label::PROJECT)?);
        let is_its = container.belongs_to(&project) && project.container_name() == *name;
        is_its.then_some((container, project))
    }))
}

/// Only a relay is asked: it says at once, and whoever asks does so again and again.
async fn sessions_of(project: &Project, context: &Context) -> Vec<Session> {
    let Some(mut connection) = context.relays_of(project).knock(&project.container_name()).await else {
        return Vec::new();
    };
    connection.sessions().await.unwrap_or_default()
}
