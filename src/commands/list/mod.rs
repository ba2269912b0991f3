//! `wharf list`

mod live;
mod table;

use std::collections::{BTreeSet, HashMap};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::List;
use crate::context::Context;
use crate::drift;
use crate::engine::{Engine, Listed, Published, State};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::history::History;
use crate::session::SessionName;
use table::Look;
pub use table::printable;

/// How many containers to ask for their sessions at once, and how long in all.
const AT_ONCE: usize = 16;
const SESSIONS: Duration = Duration::from_millis(1500);

#[derive(Serialize)]
struct Row {
    name: String,
    project: String,
    container: String,
    state: State,
    image: String,
    /// `null` where the container did not say in time.
    sessions: Option<Vec<String>>,
    ports: Vec<String>,
    created_at: String,
    /// RFC 3339
    last_used: Option<Timestamp>,
    orphaned: bool,
    drift: Vec<String>,
}

const EMPTY: &str = "no project has a container yet; `wharf open` makes one\n";

pub async fn run(args: List, context: &Context) -> Result<ExitCode> {
    if args.watch {
        return live::run(context).await;
    }
    let rows = rows(context).await?;
    let text = if args.json {
        let json = serde_json::to_string_pretty(&rows).map_err(|error| Error::io("print JSON", error.into()))?;
        format!("{json}\n")
    } else if rows.is_empty() {
        EMPTY.to_owned()
    } else {
        let look = Look { width: terminal_width(), home: context.home.as_deref(), now: Timestamp::now() };
        table::table(&rows, look)
    };
    match anstream::stdout().write_all(text.as_bytes()) {
        // The reader has seen enough, as in `wharf list | head -1`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        printed => printed.map(|()| ExitCode::SUCCESS).map_err(|source| Error::io("print the list", source)),
    }
}

async fn rows(context: &Context) -> Result<Vec<Row>> {
    let engine = context.engine()?;
    let containers = engine.containers().await?;
    let (sessions, images) = tokio::join!(sessions_of(context, &containers), images_now(engine, &containers));
    let history = History::read(&context.state_dir);
    let rows = containers.into_iter().zip(sessions).map(|(listed, sessions)| {
        let now = images.get(&listed.image).map(String::as_str);
        let drift = drift::of_listed(&listed, now, context).sentences();
        let last_used = history.last_used(&listed.project);
        Row { last_used, drift, ..row(listed, sessions) }
    });
    Ok(rows.collect())
}

/// The digests that names of images stand for now where they have stood for others. An image that is gone, or whose name
/// nobody can ask for, has none.
async fn images_now(engine: &Engine, containers: &[Listed]) -> HashMap<String, String> {
    let changed = containers.iter().filter(|listed| !listed.has_current_image);
    let names: BTreeSet<&str> = changed.map(|listed| listed.image.as_str()).collect();
    let ask = async |name: &str| Some((name.to_owned(), engine.image(name).await.ok()??.id));
    let asked = stream::iter(names).map(ask).buffer_unordered(AT_ONCE);
    asked.filter_map(std::future::ready).collect().await
}

/// In the order of `containers`. Whoever does not answer in time has unknown sessions, and holds nobody up.
async fn sessions_of(context: &Context, containers: &[Listed]) -> Vec<Option<Vec<SessionName>>> {
    let deadline = tokio::time::Instant::now() + SESSIONS;
    let ask = async |listed: &Listed| {
        if !listed.state.can_attach() {
            return Some(Vec::new());
        }
        let ask = async {
            let mut door = Entry::to(&listed.project, context).running().await.ok()?;
            door.connection.sessions().await.ok()
        };
        let sessions = tokio::time::timeout_at(deadline, ask).await.ok()??;
        Some(sessions.into_iter().map(|session| session.name).collect())
    };
    stream::iter(containers).map(ask).buffered(AT_ONCE).collect().await
}

fn row(listed: Listed, sessions: Option<Vec<SessionName>>) -> Row {
    Row {
        name: listed.project.short_name().to_owned(),
        project: listed.project.to_string(),
        container: listed.name.to_string(),
        state: listed.state,
        image: listed.image,
        sessions: sessions.map(|names| names.iter().map(SessionName::to_string).collect()),
        ports: listed.ports.iter().map(Published::to_string).collect(),
        created_at: listed.created_at,
        last_used: None,
        orphaned: listed.project.is_orphaned(),
        drift: Vec::new(),
    }
}

pub fn terminal_width() -> Option<usize> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    rustix::termios::tcgetwinsize(stdout).ok().map(|size| usize::from(size.ws_col)).filter(|&columns| columns > 0)
}

fn has_colour() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}
