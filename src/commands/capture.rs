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
    let project = target::resolve(args.target.as_deref(), context).await?;
    let connector = Connector::to(&project, context);
    let mut connected = connector.running().await?;
    let screen =
        control::capture(&mut connected.connection, &connector.name(), &args.session, args.escapes, args.history).await?;
    let screen = if args.escapes { screen } else { without_control_characters(&screen) };
    print::bytes(&screen).map(|()| ExitCode::SUCCESS)
}

/// tmux prints none of its own accord; what is in the container may be anything.
fn without_control_characters(screen: &[u8]) -> Vec<u8> {
    let is_shown = |c: &char| *c == '\n' || !c.is_control();
    String::from_utf8_lossy(screen).chars().filter(is_shown).collect::<String>().into_bytes()
}
