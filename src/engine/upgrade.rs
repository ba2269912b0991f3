//! Requests over a connection of our own: `_ping` for its header, and the exec stream.
//!
//! bollard's `start_exec` decodes a TTY's output as if it were multiplexed, and loses what follows a `\x01` or `\x02`.

use std::io;
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::upgrade::Upgraded;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// The raw bytes of a terminal, both ways.
pub type AttachStream = TokioIo<Upgraded>;

/// What the engine said in place of the stream.
#[derive(Debug)]
pub enum UpgradeError {
    Io(io::Error),
    Refused { status: StatusCode, message: String },
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for UpgradeError {
    fn from(error: E) -> Self {
        Self::Io(io::Error::other(error))
    }
}

/// Asks whether an engine is there (0.2 ms).
pub async fn ping(socket: &Path) -> io::Result<()> {
    let mut sender = connect(socket).await?;
    let request = Request::get("/_ping").header(header::HOST, "docker").body(Full::default()).map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    if response.headers().contains_key("Api-Version") {
        Ok(())
    } else {
        Err(io::Error::other("what answers there is not a container engine"))
    }
}

/// Starts an exec and takes over its connection.
pub async fn start_exec(socket: &Path, exec: &str, tty: bool) -> Result<AttachStream, UpgradeError> {
    let mut sender = connect(socket).await.map_err(UpgradeError::Io)?;
    let request = Request::post(format!("/exec/{exec}/start"))
        .header(header::HOST, "docker")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "tcp")
        .body(Full::new(Bytes::from(format!(r#"{{"Detach":false,"Tty":{tty}}}"#))))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(TokioIo::new(hyper::upgrade::on(response).await?));
    }
    let body = response.into_body().collect().await?.to_bytes();
    Err(UpgradeError::Refused { status, message: message_of(&body) })
}

async fn connect(socket: &Path) -> io::Result<SendRequest<Full<Bytes>>> {
    let stream = UnixStream::connect(socket).await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // The connection lives until the upgrade takes it over, or the sender is dropped.
    tokio::spawn(connection.with_upgrades());
    Ok(sender)
}

fn message_of(body: &[u8]) -> String {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let message = parsed.as_ref().and_then(|value| value.get("message")).and_then(|message| message.as_str());
    message.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned)
}
