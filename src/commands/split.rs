//! `wharf split`

use std::process::ExitCode;

use super::open::attach_command;
use crate::cli::{Creation, Split};
use crate::context::Context;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::session::SessionName;
use crate::tmux::NewPane;
use crate::way::control;

pub async fn run(args: Split, context: &Context) -> Result<ExitCode> {
    let tmux = context.tmux("split")?;
    let pane = context.pane.as_ref().ok_or(Error::Needs { verb: "split", needs: "pane" })?;
    let place = tmux.place(pane)?;
    let (Some(project), Some(session)) = (place.project, place.session) else {
        return Err(Error::Needs { verb: "split", needs: "pane that shows a session" });
    };
    let entry = Entry::to(&project, context);
    let mut door = entry.running().await?;
    let running = control::sessions(&mut door.connection, &entry.name()).await?;
    let running: Vec<SessionName> = running.into_iter().map(|session| session.name).collect();
    let directory = control::directory(&mut door.connection, &entry.name(), &session).await?;
    let new = session.next_to(&running);
    let environment = [("WHARF_PROJECT", project.as_str()), ("WHARF_DIRECTORY", &directory)];
    let new = NewPane {
        project: &project,
        session: &new,
        command: attach_command(&project, &new, &Creation::default(), &[])?,
        environment: environment.map(|(name, value)| format!("{name}={value}")).to_vec(),
    };
    tmux.open_beside(pane, &place.window, args.beside, new)?;
    Ok(ExitCode::SUCCESS)
}
