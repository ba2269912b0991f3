//! `wharf sessions`

use std::process::ExitCode;

use tabled::builder::Builder;
use tabled::settings::{Padding, Style};

use crate::cli::Sessions;
use crate::context::Context;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::session::{Session, control};
use crate::target;

pub async fn run(args: Sessions, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.target.as_deref(), context).await?;
    let entry = Entry::to(&project, context);
    let mut door = entry.running().await?;
    let sessions = control::sessions(&mut door.connection, &entry.name()).await?;
    if args.json {
        let json = serde_json::to_string_pretty(&sessions).map_err(|error| Error::io("print JSON", error.into()))?;
        println!("{json}");
    } else if sessions.is_empty() {
        println!("no session runs in container {}", entry.name());
    } else {
        print!("{}", table(&sessions));
    }
    Ok(ExitCode::SUCCESS)
}

fn table(sessions: &[Session]) -> String {
    let mut builder = Builder::default();
    builder.push_record(["SESSION", "ATTACHED", "CREATED", "BELL", "EXIT CODE"]);
    for session in sessions {
        let created =
            jiff::Timestamp::from_second(session.created).map_or_else(|_| "-".to_owned(), |created| created.to_string());
        let bell = if session.bell { "yes" } else { "-" };
        let exit_code = session.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string());
        builder.push_record([session.name.to_string(), session.attached.to_string(), created, bell.to_owned(), exit_code]);
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
