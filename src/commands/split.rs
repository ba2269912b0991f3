//! `wharf split`

use std::process::ExitCode;

use super::attach::Wished;
use super::open::attach_command;
use crate::cli::{Creation, Split};
use crate::connection::control;
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::SessionName;
use crate::tmux::NewPane;

pub async fn run(args: Split, context: &Context) -> Result<ExitCode> {
    let tmux = context.tmux("split")?;
    let pane = context.pane.as_ref().ok_or(Error::Needs { verb: "split", needs: "pane" })?;
    let place = tmux.place(pane)?;
    let (Some(project), Some(session)) = (place.project, place.session) else {
        return Err(Error::Needs { verb: "split", needs: "pane that shows a session" });
    };
    let connector = Connector::to(&project, context);
    let mut connected = connector.running().await?;
    let running = control::sessions(&mut connected.connection, &connector.name()).await?;
    let running: Vec<SessionName> = running.into_iter().map(|session| session.name).collect();
    let directory = control::directory(&mut connected.connection, &connector.name(), &session).await?;
    let new = session.next_to(&running);
    let environment = [("WHARF_PROJECT", project.as_str()), ("WHARF_DIRECTORY", &directory)];
    let new = NewPane {
        project: &project,
        session: &new,
        command: attach_command(&project, Wished::new(&new, &Creation::default()))?,
        environment: environment.map(|(name, value)| format!("{name}={value}")).to_vec(),
    };
    tmux.open_beside(pane, &place.window, args.beside, new)?;
    Ok(ExitCode::SUCCESS)
}
