//! `wharf capture`

use std::process::ExitCode;

use crate::cli::Capture;
use crate::commands::target;
use crate::connection::control;
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::Result;
use crate::output::print;

pub async fn run(args: Capture, context: &Context) -> Result<ExitCode> {
    let target = target::resolve_session(args.target.as_deref(), args.session.as_ref(), context).await?;
    let connector = Connector::to(&target.project, context);
    let mut connected = connector.running().await?;
    let session = target.session();
    let screen = control::capture(&mut connected.connection, &connector.name(), &session, args.escapes, args.history).await?;
    let screen = if args.escapes { screen } else { without_control_characters(&screen) };
    print::bytes(&screen).map(|()| ExitCode::SUCCESS)
}

/// tmux prints none of its own accord; what is in the container may be anything.
fn without_control_characters(screen: &[u8]) -> Vec<u8> {
    let is_shown = |c: &char| *c == '\n' || !c.is_control();
    String::from_utf8_lossy(screen).chars().filter(is_shown).collect::<String>().into_bytes()
}
