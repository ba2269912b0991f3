//! Whether a container, or a session, is ready: more than up.

use std::time::Duration;

use regex_lite::Regex;
use tokio::time::sleep;

use crate::cli::Creation;
use crate::commands::asked::Asked;
use crate::commands::target::SessionTarget;
use crate::config::Ready;
use crate::connection::{Connection, control};
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::SessionName;
use crate::protocol::{Program, Run};

const POLL: Duration = Duration::from_millis(200);

/// Waits until what the configuration has as `ready` is so: of the session that is named, else of the container and of each
/// session that says it. An error where one of them has ended.
pub async fn until_ready(target: &SessionTarget, context: &Context) -> Result<()> {
    let connector = Connector::to(&target.project, context);
    let asked = Asked::of_connector(&connector, &Creation::default()).await?;
    let mut checks: Vec<(Option<SessionName>, Option<Ready>)> = match &target.session {
        Some(session) => vec![(Some(session.clone()), asked.ready_of(session))],
        None => asked.all_ready(),
    };
    let mut connection = connector.running().await?.connection;
    loop {
        let mut left = Vec::new();
        for (session, ready) in checks {
            match is_ready(session.as_ref(), ready.as_ref(), &mut connection, &connector).await {
                Ok(true) => {}
                Ok(false) => left.push((session, ready)),
                // A relay that has gone is no answer; a container that has ended says why.
                Err(Error::Lost { .. }) => {
                    connection = match connector.running().await {
                        Ok(connected) => connected.connection,
                        Err(error) => return Err(connector.lifecycle()?.failure().await.unwrap_or(error)),
                    };
                    left.push((session, ready));
                }
                Err(error) => return Err(error),
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        checks = left;
        sleep(POLL).await;
    }
}

async fn is_ready(
    session: Option<&SessionName>,
    ready: Option<&Ready>,
    connection: &mut Connection,
    connector: &Connector<'_>,
) -> Result<bool> {
    let container = connector.name();
    if let Some(session) = session {
        let running = control::sessions(connection, &container).await?;
        match running.iter().find(|listed| listed.name == *session).map(|found| found.exit_code) {
            None => {
                let running = running.into_iter().map(|listed| listed.name).collect();
                return Err(Error::NoSession { container, session: session.clone(), running });
            }
            Some(Some(exit_code)) => {
                let lines = control::last_lines(connection, &container, session).await;
                return Err(Error::SessionEnded { container, session: session.clone(), exit_code, lines });
            }
            Some(None) => {}
        }
    }
    let Some(Ready { command, port, line }) = ready else { return Ok(true) };
    if let Some(port) = port {
        let listens = Program::Own(vec!["listens".to_owned(), port.to_string()]);
        if !succeeds(listens, connection, connector).await? {
            return Ok(false);
        }
    }
    if let Some(line) = command {
        let words = ["sh", "-c", line].map(str::to_owned).to_vec();
        if !succeeds(Program::Command(words), connection, connector).await? {
            return Ok(false);
        }
    }
    match line.as_deref().map(Regex::new) {
        // It was read before.
        None | Some(Err(_)) => Ok(true),
        Some(Ok(pattern)) => {
            let lines = match session {
                Some(session) => control::screen(connection, &container, session, usize::MAX).await?.lines,
                None => connector.context.engine()?.log_of_this_start(&container).await?,
            };
            Ok(lines.iter().any(|line| pattern.is_match(line)))
        }
    }
}

async fn succeeds(program: Program, connection: &mut Connection, connector: &Connector<'_>) -> Result<bool> {
    let run = Run { program, environment: Vec::new(), directory: None, terminal: None, follow: None };
    let ended = connection.output(run, &[]).await.map_err(|source| Error::lost(&connector.name(), source))?;
    Ok(ended.exit_code == 0)
}
