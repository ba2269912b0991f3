//! A container's relay, which tells what happens in sessions that nobody looks at.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::connection;
use crate::model::{ContainerName, Session, SessionName};
use crate::paths;

/// How soon a relay that does not answer is knocked at again, and how rarely at last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Between two words of a relay: what runs in a container does not decide how often everybody's screen is drawn.
const BREATH: Duration = Duration::from_millis(100);

/// A connection to a relay, which ends when this is dropped.
#[derive(Debug)]
pub struct Listener {
    pub id: u64,
    pub wants_activity: bool,
    task: JoinHandle<()>,
}

/// What a relay says of sessions that nobody looks at.
#[derive(Debug)]
pub struct Heard {
    pub container: ContainerName,
    pub listener: u64,
    /// Those that have rung.
    pub bells: Vec<SessionName>,
    /// Those that wait for their user.
    pub waiting: Vec<SessionName>,
    /// Whether anything has happened in one of them since somebody has looked at it.
    pub has_activity: bool,
}

impl Listener {
    pub fn start(
        container: &ContainerName,
        id: u64,
        wants_activity: bool,
        heard: UnboundedSender<Heard>,
        state_dir: &Path,
    ) -> Self {
        let directory = paths::shared(container, state_dir);
        let container = container.clone();
        let tell = move |sessions: &[Session], seen: &mut Seen| {
            let (bells, has_activity) = (Session::unseen_bells(sessions), seen.is_exceeded(sessions) && wants_activity);
            let waiting = Session::waiting(sessions, Timestamp::now().as_second());
            heard.send(Heard { container: container.clone(), listener: id, bells, waiting, has_activity }).is_ok()
        };
        let task = tokio::spawn(listen(directory, wants_activity, tell));
        Self { id, wants_activity, task }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tells of all sessions of a container at each change, until the task is aborted.
pub fn follow_sessions(
    container: &ContainerName,
    state_dir: &Path,
    tell: impl Fn(&[Session]) -> bool + Send + 'static,
) -> JoinHandle<()> {
    let directory = paths::shared(container, state_dir);
    tokio::spawn(async move { listen(directory, true, move |sessions, _| tell(sessions)).await })
}

async fn listen(directory: PathBuf, wants_activity: bool, tell: impl Fn(&[Session], &mut Seen) -> bool) {
    let mut pause = FIRST_PAUSE;
    let mut seen = Seen::default();
    // That somebody has answered a bell, no hook of tmux's tells.
    let mut awaits_answer = false;
    loop {
        if let Some(connection) = connection::knock(&directory).await {
            let polls = wants_activity || awaits_answer;
            let follower = if polls { connection.follow().await } else { connection.follow_alerts().await };
            let mut follower = follower.ok();
            while let Some(Ok(sessions)) = match &mut follower {
                Some(follower) => Some(follower.next().await),
                None => None,
            } {
                if !tell(&sessions, &mut seen) {
                    return;
                }
                pause = FIRST_PAUSE;
                sleep(BREATH).await;
                awaits_answer = sessions.iter().any(Session::waits_by_bell);
                if (wants_activity || awaits_answer) != polls {
                    break;
                }
            }
        }
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// When something last happened in a session while somebody looked, or before anybody could.
#[derive(Debug, Default)]
struct Seen(HashMap<SessionName, i64>);

impl Seen {
    fn is_exceeded(&mut self, sessions: &[Session]) -> bool {
        let mut is_exceeded = false;
        self.0.retain(|name, _| sessions.iter().any(|session| session.name == *name));
        for session in sessions {
            let seen = self.0.entry(session.name.clone()).or_insert(session.activity);
            if session.attached > 0 {
                *seen = session.activity;
            }
            is_exceeded |= session.activity > *seen;
        }
        is_exceeded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: &str, attached: u32, activity: i64) -> Session {
        Session { activity, attached, ..Session::new(name.parse().unwrap()) }
    }

    #[test]
    fn activity_counts_from_when_somebody_looked() {
        let mut seen = Seen::default();
        for (now, is_exceeded) in [
            (session("a", 0, 5), false),
            (session("a", 0, 6), true),
            (session("a", 0, 6), true),
            (session("a", 1, 7), false),
            (session("a", 0, 7), false),
            (session("a", 0, 8), true),
        ] {
            assert_eq!(seen.is_exceeded(std::slice::from_ref(&now)), is_exceeded, "{now:?}");
        }
        // Another of that name.
        assert!(!seen.is_exceeded(&[]));
        assert!(!seen.is_exceeded(&[session("a", 0, 9)]));
    }
}
