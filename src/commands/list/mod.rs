//! `wharf list`

mod live;
mod table;

use std::collections::{BTreeSet, HashMap};
use std::iter;
use std::mem;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::List;
use crate::container::connect::Connector;
use crate::container::drift::Comparison;
use crate::container::plan::Drift;
use crate::context::Context;
use crate::deadline::on_thread_within;
use crate::engine::{Engine, Listed, Published};
use crate::error::Result;
use crate::history::History;
use crate::model::{Session, SessionState, State};
use crate::output::{print, report};
use crate::quote;
use table::Look;

/// How many containers to ask for their sessions at once, and how long all of them may take; and how long disks may.
const AT_ONCE: usize = 16;
const PATIENCE: Duration = Duration::from_millis(1500);

#[derive(Serialize)]
struct Row {
    name: String,
    project: String,
    container: String,
    state: State,
    image: String,
    /// `null` where the container did not say in time.
    sessions: Option<Vec<String>>,
    session_states: Option<Vec<SessionRow>>,
    ports: Vec<String>,
    created_at: String,
    /// RFC 3339
    last_used: Option<Timestamp>,
    /// The id of the user who made it; `null` where nobody noted that.
    user: Option<u32>,
    orphaned: bool,
    drift: Vec<String>,
}

/// What a session is doing.
#[derive(Clone, Serialize)]
struct SessionRow {
    name: String,
    state: SessionState,
    /// What its command has ended with.
    exit_code: Option<i32>,
}

const EMPTY: &str = "no project has a container yet; `wharf open` makes one\n";

pub async fn run(args: List, context: &Context) -> Result<ExitCode> {
    if args.watch {
        return live::run(context).await;
    }
    let Found { rows, silent } = find(context).await?;
    if args.json {
        print::json(&rows)?;
    } else if rows.is_empty() {
        print::text(EMPTY)?;
    } else {
        let look = Look { width: print::width(), home: context.home.as_deref(), now: Timestamp::now() };
        print::coloured(&table::table(&rows, look))?;
    }
    if let Some(silent) = silent {
        report::note(&silent, context);
    }
    Ok(ExitCode::SUCCESS)
}

struct Found {
    rows: Vec<Row>,
    /// Which disk did not answer in time, where one did not.
    silent: Option<String>,
}

async fn find(context: &Context) -> Result<Found> {
    let engine = context.engine()?;
    let containers = Arc::new(context.containers().await?);
    let (sessions, images) = tokio::join!(sessions_of(context, &containers), images_now(engine, &containers));
    let disks = on_disk(&containers, images, context).await;
    let silent = containers.get(disks.len()).map(|listed| {
        let project = quote::printable(listed.project.as_str());
        format!("the disk of `{project}` does not answer; of it, and of what comes after it, nobody knows what has changed")
    });
    let history = History::read(&context.state_dir);
    let disks = disks.into_iter().map(Some).chain(iter::repeat_with(|| None));
    let rows = containers.iter().zip(sessions).zip(disks).map(|((listed, sessions), on_disk)| {
        row(listed, sessions, &on_disk.unwrap_or_default(), history.last_used(&listed.project))
    });
    Ok(Found { rows: rows.collect(), silent })
}

/// What a project's directory says.
#[derive(Default)]
struct OnDisk {
    orphaned: bool,
    drift: Drift,
}

/// In the order of `containers`, as far as the disks have said it in time. `images` are the digests that names stand for now.
async fn on_disk(containers: &Arc<Vec<Listed>>, images: HashMap<String, String>, context: &Context) -> Vec<OnDisk> {
    let found = Arc::new(Mutex::new(Vec::with_capacity(containers.len())));
    let (look_at, finds, comparison) = (Arc::clone(containers), Arc::clone(&found), Comparison::new(context));
    on_thread_within(PATIENCE, move || {
        for listed in look_at.iter() {
            let drift = comparison.of(listed, images.get(&listed.image).map(String::as_str));
            let one = OnDisk { orphaned: listed.project.is_orphaned(), drift };
            finds.lock().unwrap_or_else(PoisonError::into_inner).push(one);
        }
    })
    .await;
    mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner))
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
pub(super) async fn sessions_of(context: &Context, containers: &[Listed]) -> Vec<Option<Vec<Session>>> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let relays = context.relays();
    let ask = async |(index, listed): (usize, &Listed)| {
        let ask = async {
            let mut connected = Connector::by(relays, &listed.project, context).running().await.ok()?;
            connected.connection.sessions().await.ok()
        };
        let sessions = tokio::time::timeout_at(deadline, ask).await.ok().flatten();
        (index, sessions)
    };
    // Most do not run, and have none.
    let running = containers.iter().enumerate().filter(|(_, listed)| listed.state.can_attach());
    let mut asked = pin!(stream::iter(running).map(ask).buffer_unordered(AT_ONCE));
    let mut sessions = vec![Some(Vec::new()); containers.len()];
    while let Some((index, found)) = asked.next().await {
        sessions[index] = found;
    }
    sessions
}

fn row(listed: &Listed, sessions: Option<Vec<Session>>, on_disk: &OnDisk, last_used: Option<Timestamp>) -> Row {
    Row {
        name: listed.project.short_name().to_owned(),
        project: listed.project.to_string(),
        container: listed.name.to_string(),
        state: listed.state,
        image: listed.image.clone(),
        sessions: sessions.as_ref().map(|sessions| sessions.iter().map(|session| session.name.to_string()).collect()),
        session_states: sessions.map(|sessions| sessions.iter().map(SessionRow::of).collect()),
        ports: listed.ports.iter().map(Published::to_string).collect(),
        created_at: listed.created_at.clone(),
        last_used,
        user: listed.user,
        orphaned: on_disk.orphaned,
        drift: on_disk.drift.sentences(),
    }
}

impl SessionRow {
    fn of(session: &Session) -> Self {
        let state = session.state(Timestamp::now().as_second());
        Self { name: session.name.to_string(), state, exit_code: session.exit_code }
    }
}
