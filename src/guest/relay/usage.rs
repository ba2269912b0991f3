//! When somebody last had a program or a terminal of this relay.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How many do at this moment, and since when nobody does, or this relay runs.
#[derive(Debug)]
pub struct Usage(watch::Sender<(usize, Instant)>);

/// One that is going on, for as long as it does.
pub struct Use<'a>(&'a Usage);

impl Usage {
    pub fn begin(&self) -> Use<'_> {
        self.0.send_modify(|(count, _)| *count += 1);
        Use(self)
    }

    /// Zero while it is used.
    pub fn unused(&self) -> Duration {
        let (count, since) = *self.0.borrow();
        if count > 0 { Duration::ZERO } else { since.elapsed() }
    }
}

impl Default for Usage {
    fn default() -> Self {
        Self(watch::Sender::new((0, Instant::now())))
    }
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|(count, since)| (*count, *since) = (*count - 1, Instant::now()));
    }
}
