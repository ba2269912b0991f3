//! Deadlines for what can't be cancelled: a read of a disk that hangs, as a network's may. It runs on a thread of its own, which
//! ends with the process when the deadline has passed.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// How long a disk that works may take for what a person waits for.
pub const DISK: Duration = Duration::from_secs(2);

/// Runs `work` on a thread of its own. `None` where that thread has died.
pub async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    spawn(Box::new(move || drop(sender.send(work()))));
    receiver.await.ok()
}

/// Runs `work` on a thread of its own, and waits for it no longer than `limit`.
pub async fn on_thread_within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::time::timeout(limit, on_thread(work)).await.ok().flatten()
}

/// The same, blocking: for callers outside of the runtime.
pub fn block_within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let shared = Arc::new((Mutex::new(None), Condvar::new()));
    let theirs = Arc::clone(&shared);
    spawn(Box::new(move || {
        let found = work();
        if let Ok(mut place) = theirs.0.lock() {
            *place = Some(found);
        }
        theirs.1.notify_one();
    }));
    let (place, end) = &*shared;
    let (mut found, _) = end.wait_timeout_while(place.lock().ok()?, limit, |found| found.is_none()).ok()?;
    found.take()
}

/// One function for every kind of work: what a thread begins and ends with is no small program.
fn spawn(work: Box<dyn FnOnce() + Send>) {
    thread::spawn(work);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_not_waited_for() {
        assert_eq!(block_within(Duration::from_secs(60), || 1), Some(1));
        assert_eq!(block_within(Duration::from_millis(1), || thread::sleep(Duration::from_secs(60))), None);
    }
}
