//! The ways into a container that runs: the relay's socket, and the engine's exec behind it. Both lead to a relay that
//! speaks the same protocol, so whoever has a [`Connection`] need not know which way it came.

pub mod agent;
pub mod attach;
mod client;
pub mod control;
pub mod environment;
pub mod git;
pub mod ports;
mod shared_directory;
pub mod signals;
pub mod standard;
pub mod terminal;
mod transport;

use std::io;
use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::engine::{Engine, Exec, RootOf, Said};
use crate::error::{Error, Result};
use crate::model::{ContainerName, Session};
use crate::paths;
use crate::project::Project;
use crate::protocol::{Launch, NEWEST, SOCKET};
use shared_directory::SharedDirectory;

use client::OtherVersion;
pub use client::{Connection, Follower, Output, refusal};
use transport::Stream;

/// How long a relay may take to greet: one that is frozen, or no relay, holds nobody up. Tens of microseconds are usual.
const GREETING: Duration = Duration::from_millis(300);
/// How long a relay may take to greet by exec, where the runtime has to start a program first.
const EXEC_GREETING: Duration = Duration::from_secs(10);

/// How many relays to ask at once.
const AT_ONCE: usize = 16;

/// The relays of this machine's containers.
#[derive(Debug, Clone, Copy)]
pub struct Relays<'a> {
    /// The directory for what is shared with containers; `None` where the engine is to be the only way in.
    pub state_dir: Option<&'a Path>,
}

impl Relays<'_> {
    pub fn are_used(self) -> bool {
        self.state_dir.is_some()
    }

    /// Knocks at a container's relay, whether or not there is such a container.
    pub async fn knock(self, container: &ContainerName) -> Option<Connection> {
        knock(&paths::shared(container, self.state_dir?)).await
    }

    /// The sessions of every container whose relay answers. The engine is not asked.
    pub async fn sessions(self) -> Vec<(Project, Vec<Session>)> {
        let Some(state_dir) = self.state_dir else { return Vec::new() };
        let ask = async |name| {
            let mut connection = self.knock(&name).await?;
            // The name proves what the relay claims.
            let project = Project::from_label(connection.claimed_project()?);
            if project.container_name() != name {
                return None;
            }
            Some((project, connection.sessions().await.ok()?))
        };
        let asked = stream::iter(paths::names(state_dir)).map(ask).buffer_unordered(AT_ONCE);
        asked.filter_map(std::future::ready).collect().await
    }
}

/// Knocks at the relay whose socket is in this directory. `None` where nothing of this version answers: the directory is
/// the container's to write to, so whatever is there instead is not an error, only not a way in.
pub async fn knock(directory: &Path) -> Option<Connection> {
    let greeted = async {
        let stream = connect(directory).await?;
        Connection::greet(Stream::Socket(stream)).await
    };
    timeout(GREETING, greeted).await.ok()?.ok()
}

async fn connect(directory: &Path) -> io::Result<UnixStream> {
    let directory = SharedDirectory::open(directory)?;
    loop {
        match directory.connect(SOCKET).await {
            // So many knock at once that not even one more can wait.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => tokio::time::sleep(Duration::from_millis(5)).await,
            connected => return connected,
        }
    }
}

/// A relay that the engine could start at once.
pub struct Prepared {
    launch: Launch,
    exec: Exec,
}

impl Prepared {
    /// For who is still asking whether to go in, and how wharf is run there: here, as it is almost everywhere.
    pub async fn guess(engine: &Engine, container: &ContainerName) -> Option<Self> {
        Self::new(engine, container.as_str(), Launch::of_this_build(), &["--stdio"]).await.ok()
    }

    async fn new(engine: &Engine, container: &str, launch: Launch, flags: &[&str]) -> Result<Self> {
        let words = ["relay"].iter().chain(flags).map(|&word| word.to_owned());
        let command = launch.guest().into_iter().chain(words).collect();
        Ok(Self { launch, exec: engine.prepare_exec(container, command).await? })
    }
}

/// Goes in through the engine: a relay for this connection alone, which is only starting. [`greeting`] waits for it.
/// `guess` is used where it was right.
pub async fn by_exec(engine: &Engine, container: &ContainerName, launch: Launch, guess: Option<Prepared>) -> Result<Connection> {
    let prepared = match guess {
        Some(guess) if guess.launch == launch => guess,
        _ => Prepared::new(engine, container.as_str(), launch, &["--stdio"]).await?,
    };
    start(engine, container, prepared).await
}

/// Goes in as root, whoever the container's user is.
pub async fn as_root(engine: &Engine, of: RootOf<'_>) -> Result<Connection> {
    Box::pin(engine.ensure_root(of)).await?;
    let prepared = match Prepared::new(engine, &of.name(), of.launch, &["--stdio", "--root"]).await {
        // It was about to end, as nothing was left in it.
        Err(error) if error.is_lost_race() => {
            Box::pin(engine.ensure_root(of)).await?;
            Prepared::new(engine, &of.name(), of.launch, &["--stdio", "--root"]).await?
        }
        prepared => prepared?,
    };
    start(engine, of.container, prepared).await
}

async fn start(engine: &Engine, container: &ContainerName, prepared: Prepared) -> Result<Connection> {
    let stream = engine.start_exec(prepared.exec).await?;
    let said = stream.said();
    Connection::begin(Stream::Exec(stream)).await.map_err(|error| no_way_in(container, &error, &said))
}

/// Waits until a relay has greeted that the engine starts.
pub async fn greeting(connection: &mut Connection, container: &ContainerName) -> Result<()> {
    let said = connection.said();
    match timeout(EXEC_GREETING, connection.greeting()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(no_way_in(container, &error, &said)),
        Err(_) => Err(Error::EngineSlow { action: format!("get into container `{container}`"), within: EXEC_GREETING }),
    }
}

/// `said` is what the program said in place of a greeting.
fn no_way_in(container: &ContainerName, error: &io::Error, said: &Said) -> Error {
    if let Some(OtherVersion(theirs)) = error.get_ref().and_then(|error| error.downcast_ref()) {
        return Error::OtherVersion { container: container.clone(), theirs: *theirs, ours: NEWEST };
    }
    let message = said.text().unwrap_or_else(|| error.to_string());
    Error::NoWayIn { container: container.clone(), message }
}

/// Starts a container's relay again. Whether it worked shows when it is knocked at.
pub async fn revive(engine: &Engine, container: &ContainerName, launch: Launch) {
    let command = [launch.guest(), vec!["relay".to_owned()]].concat();
    let start = async { engine.start_exec(engine.prepare_exec(container.as_str(), command).await?).await };
    if let Ok(mut stream) = start.await {
        let _ = timeout(EXEC_GREETING, tokio::io::copy(&mut stream, &mut tokio::io::sink())).await;
    }
}
