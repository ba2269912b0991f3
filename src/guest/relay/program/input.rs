//! What a client sends to its program: input, which waits until the program takes it, and signals and sizes, which don't.

use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use bytes::{Buf, BytesMut};
use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio_util::codec::FramedRead;

use super::Group;
use crate::model::Size;
use crate::protocol::{Codec, Frame, WINDOW};

/// How much a program has taken when its client is told: often enough that the window never closes on a program that
/// reads, and never for what a person types.
const REPORT: usize = WINDOW / 4;

/// What the program has taken and the client was not told yet. Whoever writes to the client waits for it.
#[derive(Debug, Default)]
pub struct Taken {
    count: AtomicUsize,
    grown: Notify,
}

impl Taken {
    fn add(&self, count: usize) {
        if self.count.fetch_add(count, Relaxed) + count >= REPORT {
            self.grown.notify_one();
        }
    }

    /// Waits until there is enough to report.
    pub async fn report(&self) -> Frame {
        loop {
            if self.count.load(Relaxed) >= REPORT {
                return Frame::Taken(u32::try_from(self.count.swap(0, Relaxed)).unwrap_or(u32::MAX));
            }
            self.grown.notified().await;
        }
    }
}

/// Input on its way: what has come, and where it goes, until that takes no more.
struct Input<I> {
    program: Option<I>,
    waiting: BytesMut,
    is_complete: bool,
}

/// Passes on what the client sends, until it goes: that is an error, and a client that sends more input than it may is an
/// error of kind `InvalidData`.
pub async fn pass_on<R: AsyncRead + Unpin, I: AsyncWrite + Unpin>(
    reader: &mut FramedRead<R, Codec>,
    program: I,
    resize: impl Fn(&I, Size),
    group: Group,
    taken: &Taken,
) -> io::Error {
    let mut input = Input { program: Some(program), waiting: BytesMut::new(), is_complete: false };
    loop {
        tokio::select! {
            frame = reader.next() => match frame {
                Some(Ok(Frame::Input(bytes))) => {
                    if let Err(error) = input.push(&bytes) {
                        return error;
                    }
                }
                Some(Ok(Frame::Resize(size))) => {
                    if let Some(program) = &input.program {
                        resize(program, size);
                    }
                }
                Some(Ok(Frame::Signal(number))) => group.signal(number),
                _ => return io::ErrorKind::BrokenPipe.into(),
            },
            count = input.write(), if input.has_work() => taken.add(count),
        }
    }
}

impl<I: AsyncWrite + Unpin> Input<I> {
    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.waiting.len() + bytes.len() > WINDOW {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "more input than was asked for"));
        }
        self.is_complete |= bytes.is_empty();
        // What nobody reads is not reported as taken either: the client has no reason to send more of it.
        if self.program.is_some() {
            self.waiting.extend_from_slice(bytes);
        }
        self.close_at_end();
        Ok(())
    }

    fn has_work(&self) -> bool {
        self.program.is_some() && !self.waiting.is_empty()
    }

    /// Writes what the program takes at once; how much that was. One that takes no more is not an error: it may still have
    /// something to say.
    async fn write(&mut self) -> usize {
        let Some(program) = &mut self.program else {
            return 0;
        };
        let count = program.write(&self.waiting).await.unwrap_or(0);
        if count == 0 {
            self.program = None;
            self.waiting.clear();
        }
        self.waiting.advance(count);
        if self.waiting.is_empty() {
            // A client that has pasted something once does not cost its size from then on.
            self.waiting = BytesMut::new();
        }
        self.close_at_end();
        count
    }

    fn close_at_end(&mut self) {
        if self.is_complete && self.waiting.is_empty() {
            self.program = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn input<I>(program: I) -> Input<I> {
        Input { program: Some(program), waiting: BytesMut::new(), is_complete: false }
    }

    #[test]
    fn no_more_is_kept_than_the_window() {
        let (_reads_nothing, program) = tokio::io::simplex(1);
        let mut input = input(program);
        input.push(&vec![7; WINDOW]).unwrap();
        assert_eq!(input.push(b"x").unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(input.write().now_or_never(), Some(1));
        assert_eq!(input.write().now_or_never(), None);
        input.push(b"x").unwrap();
    }

    #[test]
    fn the_end_comes_after_what_was_sent_before() {
        let (mut reads, program) = tokio::io::duplex(2);
        let mut input = input(program);
        for bytes in [&b"abc"[..], b""] {
            input.push(bytes).unwrap();
        }
        assert_eq!(input.write().now_or_never(), Some(2));
        assert!(input.program.is_some());
        let mut read = [0; 2];
        tokio::io::AsyncReadExt::read_exact(&mut reads, &mut read).now_or_never().unwrap().unwrap();
        assert_eq!(input.write().now_or_never(), Some(1));
        assert!(input.program.is_none());
    }

    #[test]
    fn little_is_not_worth_a_report() {
        let taken = Taken::default();
        taken.add(REPORT - 1);
        assert_eq!(taken.report().now_or_never(), None);
        taken.add(2);
        assert_eq!(taken.report().now_or_never(), Some(Frame::Taken(u32::try_from(REPORT).unwrap() + 1)));
        assert_eq!(taken.report().now_or_never(), None);
    }
}
