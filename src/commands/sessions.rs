//! `wharf sessions`

use std::process::ExitCode;

use jiff::Timestamp;
use tabled::builder::Builder;

use crate::cli::Sessions;
use crate::commands::target;
use crate::connection::control;
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::Result;
use crate::model::Session;
use crate::output::local::local;
use crate::output::print;

pub async fn run(args: Sessions, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.target.as_deref(), context).await?;
    let connector = Connector::to(&project, context);
    let mut connected = connector.running().await?;
    let sessions = control::all_sessions(&mut connected.connection, &connector.name()).await?;
    if args.json {
        print::json(&sessions)?;
    } else if sessions.is_empty() {
        print::line(format_args!("no session runs in container {}", connector.name()))?;
    } else {
        print::text(&table(&sessions, print::width()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(sessions: &[Session<String>], width: Option<usize>) -> String {
    let mut builder = Builder::default();
    builder.push_record(["SESSION", "ATTACHED", "CREATED", "BELL", "EXIT CODE"]);
    for session in sessions {
        let created = Timestamp::from_second(session.created).map_or_else(|_| "-".to_owned(), local);
        let bell = if session.bell { "yes" } else { "-" };
        let exit_code = session.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string());
        builder.push_record([session.name.clone(), session.attached.to_string(), created, bell.to_owned(), exit_code]);
    }
    print::table(builder, width)
}
