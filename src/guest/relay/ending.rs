//! The end of a container with its last session, where it was made so: nothing on the host has to run for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::sessions::Sessions;
use super::usage::{Usage, Use};
use crate::guest::{last_session, stopping};

/// How often to look where nothing tells of a change.
const PULSE: Duration = Duration::from_secs(2);
/// How long nobody may come before it ends: time for those who follow the sessions to hear of it, too.
const GRACE: Duration = Duration::from_millis(100);

/// Who is served, but for those who only watch.
#[derive(Debug, Default)]
pub struct Clients {
    here: watch::Sender<Count>,
    usage: Usage,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    present: usize,
    /// Since the relay began.
    arrived: u64,
}

/// One of them, for as long as it is there.
pub struct Client(Arc<Clients>);

impl Clients {
    pub fn enter(self: &Arc<Self>) -> Client {
        self.here.send_modify(|count| *count = Count { present: count.present + 1, arrived: count.arrived + 1 });
        Client(Arc::clone(self))
    }

    fn are_gone(&self) -> bool {
        self.here.borrow().present == 0
    }

    fn arrived(&self) -> u64 {
        self.here.borrow().arrived
    }

    /// For how long no client has had a program or a terminal, as far as anybody knows.
    pub fn unused(&self) -> Duration {
        if last_session::serves_by_exec() { Duration::ZERO } else { self.usage.unused() }
    }
}

impl Client {
    /// Has a program or a terminal from now on.
    pub fn uses(&self) -> Use<'_> {
        self.0.usage.begin()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.here.send_modify(|count| count.present -= 1);
    }
}

/// Waits until the container's last session has ended and nobody runs anything in it. Whoever is greeted after that has come
/// too late: so nobody may be.
pub async fn until_due(sessions: &Arc<Sessions>, clients: &Arc<Clients>) {
    let mut changes = sessions.changes();
    let mut coming_and_going = clients.here.subscribe();
    loop {
        changes.mark_unchanged();
        coming_and_going.mark_unchanged();
        if is_over(sessions, clients).await {
            sleep(GRACE).await;
            if is_over(sessions, clients).await {
                return;
            }
        }
        tokio::select! {
            _ = changes.changed() => {}
            _ = coming_and_going.changed() => {}
            () = sleep(PULSE) => {}
        }
    }
}

/// False where nobody knows: an end is never undone.
async fn is_over(sessions: &Arc<Sessions>, clients: &Clients) -> bool {
    // Of a session that has just been made, nobody need have told yet.
    let is_quiet = || clients.are_gone() && !last_session::serves_by_exec() && !stopping::has_begun();
    // Whoever comes and goes while the sessions are asked for may leave one behind that was not there then.
    let arrivals = || (clients.arrived(), last_session::arrivals_by_exec());
    let before = arrivals();
    is_quiet()
        && sessions.none_runs().await.unwrap_or(false)
        && last_session::has_begun().await.unwrap_or(false)
        && is_quiet()
        && arrivals() == before
}
