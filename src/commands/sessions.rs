//! `wharf sessions`

use std::process::ExitCode;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;
use tabled::builder::Builder;

use crate::cli::Sessions;
use crate::commands::target;
use crate::connection::control;
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::Result;
use crate::model::{ContainerName, Session, SessionState};
use crate::output::local::local;
use crate::output::print;
use crate::project::Project;
use crate::quote::visible;

/// How many containers to ask at once.
const AT_ONCE: usize = 16;

pub async fn run(args: Sessions, context: &Context) -> Result<ExitCode> {
    let (found, container) = if args.all {
        (all(context).await?, None)
    } else {
        let project = target::resolve(args.target.as_deref(), context).await?;
        let connector = Connector::to(&project, context);
        let mut connected = connector.running().await?;
        let sessions = control::all_sessions(&mut connected.connection, &connector.name()).await?;
        (rows(&project, sessions), Some(connector.name()))
    };
    match container {
        _ if args.json => print::json(&found)?,
        Some(container) if found.is_empty() => print::line(format_args!("no session runs in container {container}"))?,
        None if found.is_empty() => print::line("no session runs")?,
        _ => print::text(&table(&found, args.all, print::width()))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A session of a project.
#[derive(Serialize)]
struct Row {
    project: String,
    container: ContainerName,
    state: SessionState,
    #[serde(flatten)]
    session: Session<String>,
}

fn rows(project: &Project, sessions: Vec<Session<String>>) -> Vec<Row> {
    let now = Timestamp::now().as_second();
    let row = |session: Session<String>| Row {
        project: project.to_string(),
        container: project.container_name(),
        state: session.state(now),
        session,
    };
    sessions.into_iter().map(row).collect()
}

/// Those of every container that runs and answers, the ones that wait for their user first.
async fn all(context: &Context) -> Result<Vec<Row>> {
    let running = context.engine()?.containers().await?.into_iter().filter(|listed| listed.state.can_attach());
    let ask = async |project: Project| {
        let connector = Connector::by(context.relays(), &project, context);
        let mut connected = Box::pin(connector.running()).await.ok()?;
        let sessions = control::all_sessions(&mut connected.connection, &connector.name()).await.ok()?;
        Some(rows(&project, sessions))
    };
    let asked = stream::iter(running.map(|listed| listed.project)).map(ask).buffer_unordered(AT_ONCE);
    let mut found: Vec<Row> = asked.filter_map(std::future::ready).collect::<Vec<_>>().await.into_iter().flatten().collect();
    found.sort_by(|a, b| (a.state, &a.project, &a.session.name).cmp(&(b.state, &b.project, &b.session.name)));
    Ok(found)
}

fn table(rows: &[Row], of_all: bool, width: Option<usize>) -> String {
    let mut builder = Builder::default();
    let project = |row: &Row| if of_all { vec![visible(&row.project)] } else { Vec::new() };
    let head = if of_all { vec!["PROJECT"] } else { Vec::new() };
    builder.push_record(head.into_iter().chain(["SESSION", "ATTACHED", "CREATED", "BELL", "STATE", "EXIT CODE"]));
    for row in rows {
        let session = &row.session;
        let created = Timestamp::from_second(session.created).map_or_else(|_| "-".to_owned(), local);
        let bell = if session.bell { "yes" } else { "-" };
        let exit_code = session.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string());
        let cells =
            [session.name.clone(), session.attached.to_string(), created, bell.to_owned(), row.state.to_string(), exit_code];
        builder.push_record(project(row).into_iter().chain(cells));
    }
    print::table(builder, width)
}
