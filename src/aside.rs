//! What may take too long for whoever asks: a disk that hangs lets nobody cancel.

/// Done by a thread of its own, which ends with the process where that is too much to wait for.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.await.ok()
}
