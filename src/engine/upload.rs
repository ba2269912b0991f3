//! A request's body that is written while it is sent, by a thread that reads files.

use std::io::{self, BufWriter, Write};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};

/// How much to hold for an engine that is slower than this machine's disk.
const PIECE: usize = 64 << 10;
const PIECES: usize = 16;

pub type Body = StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>;

/// Where a body is written to, piece by piece.
pub struct Pieces(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The body that `pack` writes, and the thread that does so.
pub fn upload(pack: impl FnOnce(BufWriter<Pieces>) -> io::Result<()> + Send + 'static) -> (Body, JoinHandle<io::Result<()>>) {
    let (sender, receiver) = mpsc::channel(PIECES);
    let body = stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
    let failed = sender.clone();
    let packed = tokio::task::spawn_blocking(move || {
        let packed = pack(BufWriter::with_capacity(PIECE, Pieces(sender)));
        if packed.is_err() {
            // So that the engine does not take what it has for the whole.
            let _ = failed.blocking_send(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        packed
    });
    (StreamBody::new(body.map(|piece: io::Result<Bytes>| piece.map(Frame::data)).boxed()), packed)
}

/// Where a request has failed because its body could not be written, that is why.
pub async fn blame(answer: Result<()>, packed: JoinHandle<io::Result<()>>) -> Result<()> {
    match (answer, packed.await) {
        // An engine that has said no reads no further.
        (Err(error), Ok(Err(cause))) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(cause.downcast::<Error>().unwrap_or(error))
        }
        (answer, _) => answer,
    }
}
