//! `wharf restart`

use std::process::ExitCode;

use futures_util::future::join_all;

use super::Asked;
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
    let restart = async |target| {
        let SessionTarget { project, session } = target::resolve_existing_session(target, None, context).await?;
        if let Some(session) = session {
            return restart_session(&project, &session, context).await;
        }
        stop(&project, context).await?;
        start(&project, &Creation::default(), context).await?;
        print::line(format_args!("restarted {}", project.container_name()))?;
        Ok(())
    };
    all_or_several(join_all(targets.into_iter().map(restart)).await)
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

async fn stop(project: &Project, context: &Context) -> Result<()> {
    let connector = Connector::to(project, context);
    let lifecycle = connector.lifecycle()?;
    lifecycle.take(&plan::stop_to_restart(project, &lifecycle.look(None).await?)?).await
}
