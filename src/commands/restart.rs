//! `wharf restart`

use std::process::ExitCode;

use super::Asked;
use super::consent::{self, Ending};
use super::open::session_environment;
use super::start::start;
use super::stop::all_or_several;
use crate::cli::{Creation, Restart};
use crate::commands::target::{self, SessionTarget};
use crate::connection::control::{self, Start};
use crate::container::connect::Connector;
use crate::container::plan;
use crate::context::Context;
use crate::error::Result;
use crate::model::SessionName;
use crate::output::print;
use crate::project::Project;

pub async fn run(args: Restart, context: &Context) -> Result<ExitCode> {
    let targets: Vec<Option<&str>> =
        if args.targets.is_empty() { vec![None] } else { args.targets.iter().map(|target| Some(target.as_str())).collect() };
    let mut outcomes = Vec::new();
    // One after the other, because it may ask.
    for target in targets {
        outcomes.push(Box::pin(restart(target, args.force, context)).await);
    }
    all_or_several(outcomes)
}

async fn restart(target: Option<&str>, force: bool, context: &Context) -> Result<()> {
    let SessionTarget { project, session } = target::resolve_existing_session(target, None, context).await?;
    if let Some(session) = session {
        return restart_session(&project, &session, context).await;
    }
    stop(&project, force, context).await?;
    start(&project, &Creation::default(), context).await?;
    print::line(format_args!("restarted {}", project.container_name()))?;
    Ok(())
}

/// Its configured command, or what it ran before where none is configured.
async fn restart_session(project: &Project, session: &SessionName, context: &Context) -> Result<()> {
    let connector = Connector::to(project, context);
    let mut connected = connector.running().await?;
    let asked = Asked::of_connector(&connector, &Creation::default()).await?;
    let environment = session_environment(&connector, &connected).await;
    let start = Start { environment, ..asked.start_of(session) };
    control::restart(&mut connected.connection, &connector.name(), session, start).await?;
    print::line(format_args!("restarted session {session} of {}", connector.name()))
}

async fn stop(project: &Project, force: bool, context: &Context) -> Result<()> {
    let connector = Connector::to(project, context);
    let lifecycle = connector.lifecycle()?;
    // What cannot be done is said before it is asked.
    plan::stop_to_restart(project, &lifecycle.look(None).await?)?;
    let ending = Ending { verb: "restart", does: "Restart", force };
    let (_lock, seen) = consent::to_end_sessions(ending, &connector).await?;
    lifecycle.take(&plan::stop_to_restart(project, &seen)?).await
}
