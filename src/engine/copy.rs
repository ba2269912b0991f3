//! Files and directories of any size in and out of a container, as streams of tar. It need not run.

use std::io::{self, BufWriter, Read};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, header};
use tokio::sync::mpsc;

use super::listing::escape;
use super::upload::{Pieces, blame, upload};
use super::{Engine, upgrade};
use crate::error::{Error, Result};

/// How many pieces to hold for a disk that is slower than the engine.
const PIECES: usize = 16;

impl Engine {
    /// Puts what `pack` writes as a tar archive below a directory of a container. It may take its time for as long as the engine is
    /// there.
    pub async fn copy_in(
        &self,
        container: &str,
        directory: &str,
        pack: impl FnOnce(BufWriter<Pieces>) -> io::Result<()> + Send + 'static,
    ) -> Result<()> {
        let action = format!("copy into `{directory}` of container `{container}`");
        let (body, packed) = upload(pack);
        let request = Request::put(path(container, directory)).header(header::HOST, "docker");
        let request = request.header(header::CONTENT_TYPE, "application/x-tar").body(body);
        let request = request.map_err(|error| Error::io(action.clone(), io::Error::other(error)))?;
        let sent = tokio::select! {
            sent = upgrade::send(&self.endpoint.socket, request) => sent.map(drop).map_err(|error| self.explain(&action, error)),
            lost = self.lost() => Err(lost),
        };
        blame(sent, packed).await
    }

    /// Gives what is at a path of a container to `unpack`, as a tar archive whose paths begin with the last part of that path.
    pub async fn copy_out(
        &self,
        container: &str,
        from: &str,
        unpack: impl FnOnce(Archived) -> io::Result<()> + Send + 'static,
    ) -> Result<()> {
        let action = format!("copy `{from}` of container `{container}`");
        let request = Request::get(path(container, from)).header(header::HOST, "docker").body(Empty::<Bytes>::new());
        let request = request.map_err(|error| Error::io(action.clone(), io::Error::other(error)))?;
        let (sender, receiver) = mpsc::channel(PIECES);
        let receive = async {
            let mut body = upgrade::send(&self.endpoint.socket, request).await.map_err(|error| self.explain(&action, error))?;
            let unpacked = tokio::task::spawn_blocking(move || unpack(Archived { pieces: receiver, rest: Bytes::new() }));
            while let Some(frame) = body.frame().await {
                let piece = frame.map_err(io::Error::other).map(|frame| frame.into_data().unwrap_or_default());
                // Who has failed takes no more, and says why.
                if sender.send(piece).await.is_err() {
                    break;
                }
            }
            drop(sender);
            let unpacked = unpacked.await.map_err(io::Error::other).flatten();
            unpacked.map_err(|source| Error::io(action.clone(), source))
        };
        tokio::select! {
            copied = receive => copied,
            lost = self.lost() => Err(lost),
        }
    }
}

fn path(container: &str, inside: &str) -> String {
    format!("/containers/{container}/archive?path={}", escape(inside))
}

/// A tar archive as it comes.
pub struct Archived {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    rest: Bytes,
}

impl Read for Archived {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.rest = piece?,
                None => return Ok(0),
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(buffer.len()));
        buffer[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}
