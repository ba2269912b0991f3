//! What may take too long for whoever asks: a disk that hangs, as a network's does, lets nobody cancel. It is done by a
//! thread of its own, which ends with the process where that is too much to wait for.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a disk that works may take for what a person waits for.
pub const DISK: Duration = Duration::from_secs(2);

pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    spawn(Box::new(move || drop(sender.send(work()))));
    receiver.await.ok()
}

/// The same, for no longer than `limit`.
pub async fn aside_within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::time::timeout(limit, aside(work)).await.ok().flatten()
}

/// The same for who has nothing else to do meanwhile.
pub fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    spawn(Box::new(move || drop(sender.send(work()))));
    receiver.recv_timeout(limit).ok()
}

/// In one piece for all: a thread's beginning and end are 4 kB of program for each kind of work.
fn spawn(work: Box<dyn FnOnce() + Send>) {
    thread::spawn(work);
}
