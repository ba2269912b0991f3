//! Programs that run in a container beside its first process.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bollard::models::ExecConfig;
use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};

use super::upgrade::{self, Upgraded};
use super::{Engine, one_line};
use crate::error::Result;

/// As much as the engine passes on at once.
const PIECE: usize = 32 * 1024;
/// How much of what a program says beside its output is kept.
const MAX_SAID: usize = 4096;

/// A program that the engine has prepared, and does not run yet. One that is never started is forgotten by the engine.
pub struct Exec {
    prepared: upgrade::PreparedExec,
    /// What is being done, for an error.
    action: String,
}

impl Engine {
    /// Prepares a program without a terminal, which starts in `/`. For who knows what to run before whether to: until it is
    /// started, the engine can still be asked about the container.
    pub async fn prepare_exec(&self, container: &str, command: Vec<String>) -> Result<Exec> {
        let config = ExecConfig {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(false),
            // Not the container's own, which may be gone: since 1.1.12, runc runs nothing in a directory that it can't name.
            working_dir: Some("/".to_owned()),
            cmd: Some(command),
            ..ExecConfig::default()
        };
        let action = format!("start a program in container `{container}`");
        let prepare = upgrade::prepare_exec(&self.socket, container, &config);
        match self.within(super::LOOK, &action, prepare).await? {
            Ok(prepared) => Ok(Exec { prepared, action }),
            Err(error) => Err(self.explain(&action, error)),
        }
    }

    /// Runs it; the stream is its standard input and output. When the stream is dropped, or this process dies, the engine
    /// closes the program's input.
    pub async fn start_exec(&self, exec: Exec) -> Result<ExecStream> {
        let Exec { prepared, action } = exec;
        let started = self.within(super::WORK, &action, prepared.start()).await?;
        started.map(ExecStream::new).map_err(|error| self.explain(&action, error))
    }
}

/// A program's standard input and output, from the engine's multiplexed stream: each piece of output comes behind eight
/// bytes, the number of its stream, three zeros and its length (big-endian).
pub struct ExecStream {
    /// Buffered: a piece's header and the piece itself come in one read.
    upgraded: BufReader<Upgraded>,
    header: [u8; 8],
    have: usize,
    /// What is left of the current piece.
    left: usize,
    said: Said,
}

/// What a program said on standard error, and the engine in its place.
#[derive(Debug, Clone, Default)]
pub struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    /// One line; `None` where nothing was said.
    pub fn text(&self) -> Option<String> {
        let bytes = self.0.lock().ok()?;
        let text = one_line(&String::from_utf8_lossy(&bytes)).replace(char::is_control, "");
        (!text.is_empty()).then_some(text)
    }

    fn extend(&self, bytes: &[u8]) {
        if let Ok(mut said) = self.0.lock() {
            let room = MAX_SAID.saturating_sub(said.len());
            said.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

impl ExecStream {
    fn new(upgraded: Upgraded) -> Self {
        Self { upgraded: BufReader::with_capacity(PIECE, upgraded), header: [0; 8], have: 0, left: 0, said: Said::default() }
    }

    pub fn said(&self) -> Said {
        self.said.clone()
    }

    fn is_output(&self) -> bool {
        self.header[0] == 1
    }

    /// Reads to the next piece's beginning; false at the end of the stream.
    fn poll_header(&mut self, task: &mut Context) -> Poll<io::Result<bool>> {
        while self.left == 0 {
            let mut rest = ReadBuf::new(&mut self.header[self.have..]);
            ready!(Pin::new(&mut self.upgraded).poll_read(task, &mut rest))?;
            match rest.filled().len() {
                0 => {
                    return Poll::Ready(Ok(false));
                }
                count => self.have += count,
            }
            if self.have == self.header.len() {
                let [stream, _, _, _, a, b, c, d] = self.header;
                self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                self.have = 0;
                if stream > 2 {
                    // An engine that could not run the program says why without a header.
                    self.said.extend(&self.header);
                    self.header[0] = 2;
                    self.left = usize::MAX;
                }
            }
        }
        Poll::Ready(Ok(true))
    }
}

impl AsyncRead for ExecStream {
    fn poll_read(self: Pin<&mut Self>, task: &mut Context, buffer: &mut ReadBuf) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while ready!(this.poll_header(task))? {
            if this.is_output() {
                let length = this.left.min(buffer.remaining());
                let mut piece = ReadBuf::new(buffer.initialize_unfilled_to(length));
                ready!(Pin::new(&mut this.upgraded).poll_read(task, &mut piece))?;
                let count = piece.filled().len();
                this.left -= count;
                buffer.advance(count);
                return Poll::Ready(Ok(()));
            }
            let mut space = [0; 512];
            let length = this.left.min(space.len());
            let mut piece = ReadBuf::new(&mut space[..length]);
            ready!(Pin::new(&mut this.upgraded).poll_read(task, &mut piece))?;
            if piece.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.left -= piece.filled().len();
            this.said.extend(piece.filled());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ExecStream {
    fn poll_write(self: Pin<&mut Self>, task: &mut Context, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().upgraded).poll_write(task, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, task: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().upgraded).poll_flush(task)
    }

    fn poll_shutdown(self: Pin<&mut Self>, task: &mut Context) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().upgraded).poll_shutdown(task)
    }
}
