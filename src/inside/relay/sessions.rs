//! The sessions that run, known without asking each time: the configuration signals every change.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::UnixStream;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::codec::{FramedRead, FramedWrite};

use crate::inside::tmux::invocation;
use crate::session::{Session, TMUX_SOCKET, commands};
use crate::wire::{Codec, Frame, Program};

/// What the configuration's hooks signal, by `wait-for -S`. tmux keeps a signal that nobody waits for until somebody does.
const CHANNEL: &str = "wharf-sessions";
/// How often to look for what no hook tells: output in a session, a server that was started by hand.
pub const PULSE: Duration = Duration::from_secs(2);
/// How long tmux may take to answer; milliseconds are usual. Less than the client waits for the relay.
const PATIENCE: Duration = Duration::from_millis(1500);

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
    sessions: Vec<Session>,
    /// The count of changes before it was asked, and when that was; `None` where nothing would tell of a change since.
    asked: Option<(u64, Instant)>,
    is_watched: bool,
}

/// tmux does not answer.
#[derive(Debug)]
pub struct NoAnswer;

impl Sessions {
    /// The sessions that run now, as far as hooks tell of changes.
    pub async fn now(self: &Arc<Self>) -> Result<Vec<Session>, NoAnswer> {
        self.within(Duration::MAX).await
    }

    /// The sessions that run now, with what no hook tells no older than this.
    async fn within(self: &Arc<Self>, age: Duration) -> Result<Vec<Session>, NoAnswer> {
        let mut known = self.known.lock().await;
        // Before the question: a change that comes between it and the answer counts as one after both.
        let changes = *self.changes.borrow();
        if known.asked.is_some_and(|(as_of, when)| as_of == changes && when.elapsed() < age) {
            return Ok(known.sessions.clone());
        }
        let when = Instant::now();
        // Whoever asks may leave before the answer, and what was known before is no answer then.
        known.asked = None;
        let listed = timeout(PATIENCE, list()).await.map_err(|_| NoAnswer)?;
        if listed.is_some() && !known.is_watched {
            known.is_watched = true;
            tokio::spawn(Arc::clone(self).watch());
        }
        known.asked = (listed.is_some() && known.is_watched).then_some((changes, when));
        known.sessions = listed.unwrap_or_default();
        Ok(known.sessions.clone())
    }

    /// The same, whatever was known before.
    pub async fn asked_anew(self: &Arc<Self>) -> Result<Vec<Session>, NoAnswer> {
        self.within(Duration::ZERO).await
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
            let Ok(now) = self.within(pulse).await else {
                return writer.send(NoAnswer::frame()).await;
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
        let mut wait = tmux(&["display-message", "-p", "waiting", ";", "wait-for", CHANNEL])?;
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

impl NoAnswer {
    /// What a client is told in place of sessions.
    pub fn frame() -> Frame {
        Frame::Refused(format!("the tmux in the container did not answer within {} ms", PATIENCE.as_millis()))
    }
}

/// `None` where no server runs.
async fn list() -> Option<Vec<Session>> {
    // A tmux without a server says nothing else, and takes a hundred times as long.
    UnixStream::connect(TMUX_SOCKET).await.ok()?;
    let Program::Tmux(question) = commands::list() else {
        return None;
    };
    let output = tmux(&question)?.stdout(Stdio::piped()).output().await.ok()?;
    let printed = output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())?;
    Some(printed.lines().filter_map(Session::parse).collect())
}

fn tmux(arguments: &[impl AsRef<str>]) -> Option<tokio::process::Command> {
    let arguments: Vec<String> = arguments.iter().map(|word| word.as_ref().to_owned()).collect();
    let mut command = tokio::process::Command::from(invocation(&arguments).ok()?.command());
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    Some(command)
}
