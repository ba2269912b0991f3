//! What a program says, on its way to the client.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::SinkExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::process::Child;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::codec::FramedWrite;

use super::follow::Follower;
use super::input::Taken;
use crate::protocol::{CHUNK, Codec, Frame};

/// How long to wait for more when a program has ended and others, which it has left behind, still hold its output: so long
/// after their last word, and so long in all.
const REST: Duration = Duration::from_millis(100);
const REST_IN_ALL: Duration = Duration::from_secs(1);

/// A program that has said as much as [`CHUNK`] in so long goes on to: from then on, what it says within [`GATHER`] is
/// passed on together. A terminal is read in pieces of 4 kB at most, and each would wake everybody up to who draws it.
const FLOOD: Duration = Duration::from_millis(10);
const GATHER: Duration = Duration::from_millis(1);

/// One stream of a program's, until its end.
pub struct Output<S> {
    stream: Option<S>,
    buffer: BytesMut,
    /// How much was said since when, for as long as [`FLOOD`].
    recent: (Instant, usize),
    /// When to pass on what is in the buffer, where more of it is waited for.
    due: Option<Instant>,
    frame: fn(Bytes) -> Frame,
    /// How much is in the stream that nobody has read.
    unread: fn(&S) -> u64,
    /// What the program itself has said and is not read yet, once it has ended.
    owed: u64,
}

impl<S: AsyncRead + Unpin> Output<S> {
    pub fn new(stream: Option<S>, frame: fn(Bytes) -> Frame, unread: fn(&S) -> u64) -> Self {
        Self { stream, buffer: BytesMut::new(), recent: (Instant::now(), 0), due: None, frame, unread, owed: 0 }
    }

    fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// What comes next; `None` at the end. Of a terminal, that nobody holds it any more reads as an error. Can be cancelled.
    async fn next(&mut self) -> Option<Frame> {
        while let Some(stream) = &mut self.stream {
            self.buffer.reserve(CHUNK.saturating_sub(self.buffer.len()));
            let read = stream.read_buf(&mut self.buffer);
            let count = match self.due {
                Some(due) => match timeout_at(due, read).await {
                    Ok(count) => count.unwrap_or(0),
                    Err(_) => break,
                },
                None => read.await.unwrap_or(0),
            };
            self.owed = self.owed.saturating_sub(count as u64);
            if count == 0 {
                self.stream = None;
                self.owed = 0;
            } else if self.is_flood(count) && self.buffer.len() < CHUNK {
                self.due.get_or_insert_with(|| Instant::now() + GATHER);
                continue;
            }
            break;
        }
        self.due = None;
        (!self.buffer.is_empty()).then(|| (self.frame)(self.buffer.split().freeze()))
    }

    fn is_flood(&mut self, count: usize) -> bool {
        let (since, said) = &mut self.recent;
        if since.elapsed() > FLOOD {
            (*since, *said) = (Instant::now(), 0);
        }
        *said += count;
        *said > CHUNK
    }

    fn note_owed(&mut self) {
        self.owed = self.stream.as_ref().map_or(0, self.unread);
    }
}

/// Copies both streams until the program has ended, and all that it has said has been passed on, and what a follower adds to
/// it. An error means that the client has gone.
pub async fn pass_on<O, E, W>(
    child: &mut Child,
    mut stdout: Output<O>,
    mut stderr: Output<E>,
    mut follower: Option<&mut Follower>,
    writer: &mut FramedWrite<W, Codec>,
    taken: &Taken,
) -> io::Result<ExitStatus>
where
    O: AsyncRead + Unpin,
    E: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut ended: Option<(ExitStatus, Instant)> = None;
    let mut last_word = Instant::now();
    loop {
        let is_open = stdout.is_open() || stderr.is_open();
        let is_owed = stdout.owed > 0 || stderr.owed > 0;
        let rest = match ended {
            Some((status, _)) if !is_open => return Ok(status),
            Some((status, since)) => {
                let rest = (last_word + REST).min(since + REST_IN_ALL);
                if !is_owed && Instant::now() >= rest {
                    return Ok(status);
                }
                rest
            }
            None => last_word,
        };
        let due = follower.as_ref().filter(|_| ended.is_none()).and_then(|follower| follower.due());
        let said = tokio::select! {
            biased;
            said = stdout.next(), if stdout.is_open() => said,
            said = stderr.next(), if stderr.is_open() => said,
            report = taken.report() => Some(report),
            status = child.wait(), if ended.is_none() => {
                last_word = Instant::now();
                ended = Some((status?, last_word));
                stdout.note_owed();
                stderr.note_owed();
                None
            }
            () = sleep_until(rest), if ended.is_some() && !is_owed => None,
            () = sleep_until(due.unwrap_or(rest)), if due.is_some() => {
                if let Some(follower) = &mut follower {
                    follower.look(writer).await?;
                }
                None
            }
        };
        if let Some(said) = said {
            if let (Some(follower), Frame::Output(bytes)) = (&mut follower, &said) {
                follower.hear(bytes);
            }
            writer.send(said).await?;
            last_word = Instant::now();
        }
    }
}
