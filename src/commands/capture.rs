//! `wharf capture`

use std::process::ExitCode;

use crate::cli::Capture;
use crate::context::Context;
use crate::entry::Entry;
use crate::error::Result;
use crate::print;
use crate::target;
use crate::way::control;

pub async fn run(args: Capture, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.target.as_deref(), context).await?;
    let entry = Entry::to(&project, context);
    let mut door = entry.running().await?;
    let screen = control::capture(&mut door.connection, &entry.name(), &args.session, args.escapes, args.history).await?;
    let screen = if args.escapes { screen } else { without_control_characters(&screen) };
    print::bytes(&screen).map(|()| ExitCode::SUCCESS)
}

/// tmux prints none of its own accord; what is in the container may be anything.
fn without_control_characters(screen: &[u8]) -> Vec<u8> {
    let is_shown = |c: &char| *c == '\n' || !c.is_control();
    String::from_utf8_lossy(screen).chars().filter(is_shown).collect::<String>().into_bytes()
}
