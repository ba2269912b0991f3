//! `wharf wait`

use std::io::{self, ErrorKind};
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::{Wait, WaitFor};
use crate::commands::target;
use crate::connection::Follower;
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{Session, SessionName};

/// How many connections in a row may be lost before one has answered.
const LOSSES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(50);

pub async fn run(args: Wait, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.target.as_deref(), context).await?;
    let connector = Connector::to(&project, context);
    let mut follower = follow(&connector).await?;
    let mut losses = 0;
    let mut before: Option<Session> = None;
    loop {
        let sessions = match follower.next().await {
            Ok(sessions) => sessions,
            // The relay has gone. The sessions are not in it, but in the container.
            Err(error) if is_lost(&error) && losses < LOSSES => {
                losses += 1;
                match again(&connector).await {
                    Ok(again) => follower = again,
                    // A container that stops takes its sessions with it.
                    Err(error) if error.is_stopped() && before.is_some() && args.until == WaitFor::End => {
                        return Ok(ExitCode::SUCCESS);
                    }
                    Err(error) => return Err(error),
                }
                continue;
            }
            Err(source) => return Err(Error::lost(&connector.name(), source)),
        };
        losses = 0;
        let now = sessions.iter().find(|session| session.name == args.session);
        match (now, &before, args.until) {
            (None, Some(_), WaitFor::End) => return Ok(ExitCode::SUCCESS),
            (None, _, _) => return Err(no_session(&connector, args.session, &sessions)),
            // What it showed last is kept, but nothing runs in it any more.
            (Some(now), _, WaitFor::End) if now.exit_code.is_some() => return Ok(ExitCode::SUCCESS),
            (Some(now), _, WaitFor::Bell) if now.bell => return Ok(ExitCode::SUCCESS),
            (Some(now), Some(before), WaitFor::Activity) if now.activity > before.activity => return Ok(ExitCode::SUCCESS),
            (Some(now), ..) => before = Some(now.clone()),
        }
    }
}

/// A relay that ends with its container may still be connected to.
async fn again(connector: &Connector<'_>) -> Result<Follower> {
    for _ in 0..LOSSES {
        match follow(connector).await {
            Err(Error::Lost { source, .. }) if is_lost(&source) => tokio::time::sleep(PAUSE).await,
            followed => return followed,
        }
    }
    follow(connector).await
}

/// Whether there is nobody any more, and not somebody who says something else.
fn is_lost(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

async fn follow(connector: &Connector<'_>) -> Result<Follower> {
    let connected = connector.running().await?;
    connected.connection.follow().await.map_err(|source| Error::lost(&connector.name(), source))
}

fn no_session(connector: &Connector, session: SessionName, running: &[Session]) -> Error {
    let running = running.iter().map(|session| session.name.clone()).collect();
    Error::NoSession { container: connector.name(), session, running }
}
