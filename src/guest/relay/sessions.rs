//! The sessions that run, known without asking each time: the configuration signals every change.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep};
use tokio_util::codec::{FramedRead, FramedWrite};

use crate::guest::server::{self, NoAnswer};
use crate::model::Session;
use crate::protocol::{Codec, Frame, Program, commands};

/// What the configuration's hooks signal, by `wait-for -S`. tmux keeps a signal that nobody waits for until somebody does.
const CHANNEL: &str = "wharf-sessions";
/// How often to look for what no hook tells: output in a session, a server that was started by hand.
pub const PULSE: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub struct Sessions {
    /// How often something has happened that may have changed them.
    changes: watch::Sender<u64>,
    /// Held by the one that asks, so that all others wait for what it hears.
    known: Mutex<Known>,
}

/// What tmux said last.
#[derive(Debug, Default)]
struct Known {
    sessions: Vec<Session<String>>,
    /// The count of changes before it was asked, and when that was; `None` where nothing would tell of a change since.
    asked: Option<(u64, Instant)>,
    is_watched: bool,
}

impl Sessions {
    /// The sessions that run now, as far as hooks tell of changes.
    pub async fn now(self: &Arc<Self>) -> Result<Vec<Session>, NoAnswer> {
        self.named(Duration::MAX).await
    }

    /// Whether no session runs at all, whatever was known before.
    pub async fn none_runs(self: &Arc<Self>) -> Result<bool, NoAnswer> {
        Ok(self.within(Duration::ZERO).await?.is_empty())
    }

    /// Those that wharf can name, with what no hook tells no older than this.
    async fn named(self: &Arc<Self>, age: Duration) -> Result<Vec<Session>, NoAnswer> {
        Ok(self.within(age).await?.into_iter().filter_map(Session::named).collect())
    }

    /// All of them, with what no hook tells no older than this.
    async fn within(self: &Arc<Self>, age: Duration) -> Result<Vec<Session<String>>, NoAnswer> {
        let mut known = self.known.lock().await;
        // Before the question: a change that comes between it and the answer counts as one after both.
        let changes = *self.changes.borrow();
        if known.asked.is_some_and(|(as_of, when)| as_of == changes && when.elapsed() < age) {
            return Ok(known.sessions.clone());
        }
        let when = Instant::now();
        // Whoever asks may leave before the answer, and what was known before is no answer then.
        known.asked = None;
        let listed = list().await?;
        if listed.is_some() && !known.is_watched {
            known.is_watched = true;
            tokio::spawn(Arc::clone(self).watch());
        }
        known.asked = (listed.is_some() && known.is_watched).then_some((changes, when));
        known.sessions = listed.unwrap_or_default();
        Ok(known.sessions.clone())
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub fn may_have_changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Tells a client of the sessions, and of each change, until it goes; of what no hook tells, this often.
    pub async fn follow<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        self: &Arc<Self>,
        pulse: Duration,
        reader: &mut FramedRead<R, Codec>,
        writer: &mut FramedWrite<W, Codec>,
    ) -> io::Result<()> {
        tokio::select! {
            _ = reader.next() => Ok(()),
            told = self.tell(pulse, writer) => told,
        }
    }

    async fn tell(self: &Arc<Self>, pulse: Duration, writer: &mut FramedWrite<impl AsyncWrite + Unpin, Codec>) -> io::Result<()> {
        let mut changes = self.changes.subscribe();
        let mut told = None;
        loop {
            changes.mark_unchanged();
            let now = match self.named(pulse).await {
                Ok(now) => now,
                Err(no_answer) => return writer.send(refusal(no_answer)).await,
            };
            if told.as_ref() != Some(&now) {
                writer.send(Frame::Sessions(now.clone())).await?;
                told = Some(now);
            }
            // Nothing tells of the first session: no tmux runs yet that could.
            let pause = if self.known.lock().await.is_watched { pulse } else { pulse.min(PULSE) };
            tokio::select! {
                _ = changes.changed() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Counts what the hooks signal until the server ends.
    async fn watch(self: Arc<Self>) {
        while self.wait_for_change().await.is_some() {}
        // Not while somebody asks who takes this for a watch that goes on.
        self.known.lock().await.is_watched = false;
        self.may_have_changed();
    }

    async fn wait_for_change(&self) -> Option<()> {
        let mut wait = server::command(&["display-message", "-p", "waiting", ";", "wait-for", CHANNEL]).ok()?;
        let mut wait = wait.stdout(Stdio::piped()).spawn().ok()?;
        let mut stdout = wait.stdout.take()?;
        // A signal wakes whoever waits at that moment, and is kept only where nobody does: what another relay in this
        // container was woken by before tmux knew of this one is lost here. So both count, the wait and its end.
        stdout.read_u8().await.ok()?;
        self.may_have_changed();
        let status = wait.wait().await.ok()?;
        self.may_have_changed();
        status.success().then_some(())
    }
}

/// What a client is told in place of sessions.
pub fn refusal(_: NoAnswer) -> Frame {
    Frame::Refused("the tmux in the container does not answer".to_owned())
}

/// All of them, under whatever names; `None` where no server runs.
async fn list() -> Result<Option<Vec<Session<String>>>, NoAnswer> {
    let Program::Tmux(question) = commands::list() else {
        return Err(NoAnswer);
    };
    let Some(printed) = server::ask(&question).await? else {
        return Ok(None);
    };
    printed.lines().map(Session::parse).collect::<Option<_>>().map(Some).ok_or(NoAnswer)
}
