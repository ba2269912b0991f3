//! Clients that have connected and not said a word: what they cost is bounded, and so is their number.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// How long a client may take to begin. All that are meant well do so at once.
const PATIENCE: Duration = Duration::from_secs(2);
/// Half of the descriptors that a process usually has. Beyond, the one that has been silent longest is dropped for each
/// that comes, so that nobody waits for those who only wait.
const MOST: usize = 512;

#[derive(Default)]
pub struct Silent(VecDeque<AbortHandle>);

impl Silent {
    /// Serves a client once it says something.
    pub fn wait<F>(&mut self, stream: UnixStream, serve: impl FnOnce(UnixStream) -> F + Send + 'static)
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        self.0.retain(|waiting| !waiting.is_finished());
        if self.0.len() >= MOST
            && let Some(longest) = self.0.pop_front()
        {
            longest.abort();
        }
        let waiting = tokio::spawn(async move {
            if let Ok(Ok(())) = timeout(PATIENCE, says_something(&stream)).await {
                tokio::spawn(serve(stream));
            }
        });
        self.0.push_back(waiting.abort_handle());
    }
}

/// tokio may take a new connection for one that can be read.
async fn says_something(stream: &UnixStream) -> io::Result<()> {
    let is_readable = || {
        let mut polled = [PollFd::new(stream, PollFlags::IN)];
        match poll(&mut polled, Some(&Timespec::default()))? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        }
    };
    stream.async_io(Interest::READABLE, is_readable).await
}
