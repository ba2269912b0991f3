//! `wharf kill`

use std::process::ExitCode;

use futures_util::future::join_all;

use super::stop::all_or_several;
use crate::cli::Kill;
use crate::commands::target;
use crate::connection::control;
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::Result;
use crate::output::print;

pub async fn run(args: Kill, context: &Context) -> Result<ExitCode> {
    let targets: Vec<Option<&str>> =
        if args.targets.is_empty() { vec![None] } else { args.targets.iter().map(|target| Some(target.as_str())).collect() };
    let kill = async |target| {
        let target = target::resolve_session(target, args.session.as_ref(), context).await?;
        let connector = Connector::to(&target.project, context);
        let (name, session) = (connector.name(), target.session());
        let mut connected = connector.running().await?;
        control::kill(&mut connected.connection, &name, &session).await?;
        print::line(format_args!("ended session {session} of {name}"))?;
        Ok(())
    };
    all_or_several(join_all(targets.into_iter().map(kill)).await)
}
