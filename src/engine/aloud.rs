//! Work that the engine talks about while it is at it: a pull, a build. Each of its lines is an object of JSON.
//!
//! Over a connection of our own: bollard 0.21 bounds such a request as a whole and not its silence, and encodes credentials in
//! a way that engines read only where they hold no `?`, `>` or `~`.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Body;
use serde::Deserialize;

use super::upgrade::{self, UpgradeError};
use super::{Engine, one_line};
use crate::error::{Error, Result};

/// What an engine says in one line.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    /// The layer that it is about.
    #[serde(default)]
    pub id: Option<String>,
    #[serde(default)]
    pub status: Option<String>,
    /// What a build prints.
    #[serde(default)]
    pub stream: Option<String>,
    #[serde(default, rename = "progressDetail")]
    pub progress: Option<Amount>,
    #[serde(default)]
    pub error: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
pub(super) struct Amount {
    #[serde(default)]
    pub current: Option<u64>,
    #[serde(default)]
    pub total: Option<u64>,
}

impl Engine {
    /// Sends a request and hears what the engine says until it is done. What it calls an error is one. An engine that is there
    /// and says nothing for longer than `silence` is given up; without that it may take its time.
    pub(super) async fn aloud<B>(
        &self,
        action: &str,
        silence: Option<Duration>,
        request: Request<B>,
        mut hear: impl FnMut(Said),
    ) -> Result<()>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let response = self.heard(action, silence, upgrade::send(&self.socket, request)).await?;
        let mut body = response.map_err(|error| self.explain(action, error))?;
        let mut rest = BytesMut::new();
        while let Some(frame) = self.heard(action, silence, body.frame()).await? {
            let frame = frame.map_err(|error| self.explain(action, UpgradeError::from(error)))?;
            let Ok(bytes) = frame.into_data() else { continue };
            rest.extend_from_slice(&bytes);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest.split_to(end);
                rest.advance(1);
                said(action, &line, &mut hear)?;
            }
        }
        said(action, &rest, &mut hear)
    }

    async fn heard<T>(&self, action: &str, silence: Option<Duration>, call: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            heard = call => Ok(heard),
            lost = self.lost() => Err(lost),
            within = passed(silence) => Err(Error::Stalled { action: action.to_owned(), within }),
        }
    }
}

/// Ends when that time has passed.
async fn passed(silence: Option<Duration>) -> Duration {
    match silence {
        Some(silence) => {
            tokio::time::sleep(silence).await;
            silence
        }
        None => std::future::pending().await,
    }
}

fn said(action: &str, line: &[u8], hear: &mut impl FnMut(Said)) -> Result<()> {
    // What is no object of JSON says nothing that anybody waits for.
    let Ok(said) = serde_json::from_slice::<Said>(line) else { return Ok(()) };
    if let Some(message) = said.error {
        return Err(Error::Engine { action: action.to_owned(), message: one_line(&message), status: None });
    }
    hear(said);
    Ok(())
}
