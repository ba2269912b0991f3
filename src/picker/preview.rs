//! What is shown of the row that is selected: its session's screen, or what is known of its container.

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::text::Line;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::escapes;
use super::row::Standing;
use crate::connection::{Connection, control};
use crate::container::connect::Connector;
use crate::container::drift;
use crate::context::Context;
use crate::engine::Listed;
use crate::error::Result;
use crate::model::SessionName;
use crate::output::ago::ago;
use crate::project::Project;
use crate::quote;
use crate::tmux::{PaneId, TmuxServer};

/// How long whoever is asked for a preview may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a container may take, into which the engine may have to start a relay first.
const CONTAINER: Duration = Duration::from_secs(5);
/// How many of a log's last lines are shown.
const LOG_LINES: usize = 100;

/// What a preview is of. Another one is another preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub project: Project,
    pub session: Option<SessionName>,
    /// The host's pane that shows the session.
    pub pane: Option<PaneId>,
    pub container: Option<Listed>,
    pub standing: Standing,
    pub last_used: Option<Timestamp>,
    pub is_gone: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Preview {
    pub lines: Vec<Line<'static>>,
    /// Whether the last lines count most, as of a screen.
    pub is_screen: bool,
}

/// The way into the container whose session was looked at last. By exec, each way in is a program that the engine starts.
pub type Kept = Cell<Option<(Project, Connection)>>;

/// Asks for it. It comes or it does not: nobody has to wait for it.
pub async fn look(subject: &Subject, kept: &Kept, context: &Context) -> Preview {
    let before = kept.take().filter(|(project, _)| *project == subject.project);
    let screen = match (&subject.session, &subject.pane, &context.tmux) {
        (Some(_), Some(pane), Some(tmux)) => timeout(PATIENCE, capture_pane(tmux.clone(), pane.clone())).await.ok().flatten(),
        (Some(session), ..) => {
            let captured = capture_session(&subject.project, session, before.map(|(_, connection)| connection), context);
            timeout(CONTAINER, captured).await.ok().and_then(Result::ok).map(|(screen, connection)| {
                kept.set(Some((subject.project.clone(), connection)));
                screen
            })
        }
        (None, ..) => None,
    };
    if let Some(captured) = screen {
        return Preview { lines: escapes::lines(&captured), is_screen: true };
    }
    let mut preview = known(subject, Timestamp::now());
    if let Ok(lines) = timeout(PATIENCE, of_container(subject, context)).await {
        preview.lines.extend(lines);
    }
    preview
}

async fn capture_pane(tmux: TmuxServer, pane: PaneId) -> Option<String> {
    let (done, captured) = oneshot::channel();
    // Not the runtime's own threads: their end would be waited for.
    std::thread::spawn(move || drop(done.send(tmux.capture(&pane))));
    captured.await.ok()?.ok()
}

/// With the connection that it came by.
async fn capture_session(
    project: &Project,
    session: &SessionName,
    mut before: Option<Connection>,
    context: &Context,
) -> Result<(String, Connection)> {
    loop {
        let had_one = before.is_some();
        let mut connection = match before.take() {
            Some(connection) => connection,
            None => Connector::to(project, context).running().await?.connection,
        };
        match control::capture(&mut connection, &project.container_name(), session, true, None).await {
            Ok(screen) => return Ok((String::from_utf8_lossy(&screen).into_owned(), connection)),
            // It may have been lost, as by a restart.
            Err(_) if had_one => {}
            Err(error) => return Err(error),
        }
    }
}

/// What is known without asking anybody.
pub fn known(subject: &Subject, now: Timestamp) -> Preview {
    let mut facts = vec![("project", quote::visible(subject.project.as_str()))];
    if subject.is_gone {
        facts.push(("", "its directory is gone".to_owned()));
    }
    if let Some(container) = &subject.container {
        facts.push(("container", container.name.to_string()));
        facts.push(("state", container.state.to_string()));
        facts.push(("image", quote::visible(&container.image)));
        facts.extend(container.ports.iter().map(|port| ("port", port.to_string())));
    } else if subject.standing == Standing::New {
        facts.push(("container", "none yet: Enter makes one".to_owned()));
    }
    if let Some(last) = subject.last_used {
        facts.push(("used", ago(last, now)));
    }
    let lines = facts.into_iter().map(|(key, value)| Line::raw(format!("{key:<10} {value}")));
    Preview { lines: lines.collect(), is_screen: false }
}

/// What `wharf rebuild` would apply, and the end of the log.
async fn of_container(subject: &Subject, context: &Context) -> Vec<Line<'static>> {
    let (Some(container), Ok(engine)) = (&subject.container, context.engine()) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let now = engine.image(&container.image).await.ok().flatten();
    if let Some(drift) = drift::of_listed(container, now.map(|now| now.id), context).await.line() {
        lines.push(Line::raw(format!("{:<10} {}", "changed", quote::printable(&drift))));
    }
    if let Ok(log) = engine.last_log_lines(&container.name, LOG_LINES).await
        && !log.is_empty()
    {
        lines.push(Line::raw(""));
        lines.extend(escapes::plain_lines(&log.join("\n")));
    }
    lines
}
