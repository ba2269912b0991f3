//! Requests over a connection of our own: `_ping` for its header, long lists, and the exec stream.
//!
//! A raw connection, because what goes over it has two ends of its own: bollard's exec gives decoded pieces, and no way to
//! tell a program's end from a lost connection.

use std::io;
use std::path::Path;

use bollard::models::ExecConfig;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::http::request;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::UnixStream;

/// The bytes of a program, both ways.
pub type Upgraded = TokioIo<hyper::upgrade::Upgraded>;

/// What came in place of what was asked for.
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
    check_engine(&response)
}

fn check_engine<T>(response: &Response<T>) -> io::Result<()> {
    if response.headers().contains_key("Api-Version") {
        Ok(())
    } else {
        Err(io::Error::other("what answers there is not a container engine"))
    }
}

/// Gets what is at a path of the API.
pub async fn get(socket: &Path, path: &str) -> Result<Bytes, UpgradeError> {
    let mut sender = connect(socket).await.map_err(UpgradeError::Io)?;
    let request = Request::get(path).header(header::HOST, "docker").body(Full::default())?;
    let response = sender.send_request(request).await?;
    check_engine(&response).map_err(UpgradeError::Io)?;
    let (status, body) = answer(response).await?;
    if status == StatusCode::OK { Ok(body) } else { Err(UpgradeError::Refused { status, message: message_of(&body) }) }
}

/// Sends a request whose answer is read as it comes.
pub async fn send<B>(socket: &Path, request: Request<B>) -> Result<Incoming, UpgradeError>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut sender = connect(socket).await.map_err(UpgradeError::Io)?;
    let response = sender.send_request(request).await?;
    check_engine(&response).map_err(UpgradeError::Io)?;
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response.into_body());
    }
    let body = response.into_body().collect().await?.to_bytes();
    Err(UpgradeError::Refused { status, message: message_of(&body) })
}

/// A program that is to run in a container, and the connection for the request that starts it.
pub struct PreparedExec {
    sender: SendRequest<Full<Bytes>>,
    id: String,
}

/// Has the engine prepare a program, which runs when it is [started](PreparedExec::start).
pub async fn prepare_exec(socket: &Path, container: &str, config: &ExecConfig) -> Result<PreparedExec, UpgradeError> {
    let mut sender = connect(socket).await.map_err(UpgradeError::Io)?;
    let create = post(&format!("/containers/{container}/exec")).body(Full::from(serde_json::to_vec(config)?))?;
    let (status, body) = answer(sender.send_request(create).await?).await?;
    if status != StatusCode::CREATED {
        return Err(UpgradeError::Refused { status, message: message_of(&body) });
    }
    let created: ExecCreated = serde_json::from_slice(&body)?;
    Ok(PreparedExec { sender, id: created.id })
}

impl PreparedExec {
    /// Starts it and takes over the connection.
    pub async fn start(mut self) -> Result<Upgraded, UpgradeError> {
        let start = post(&format!("/exec/{}/start", self.id))
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "tcp")
            .body(Full::from(&br#"{"Detach":false,"Tty":false}"#[..]))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(start).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(TokioIo::new(hyper::upgrade::on(response).await?));
        }
        let (status, body) = answer(response).await?;
        Err(UpgradeError::Refused { status, message: message_of(&body) })
    }
}

#[derive(Deserialize)]
struct ExecCreated {
    #[serde(rename = "Id")]
    id: String,
}

fn post(path: &str) -> request::Builder {
    Request::post(path).header(header::HOST, "docker").header(header::CONTENT_TYPE, "application/json")
}

async fn answer(response: Response<Incoming>) -> Result<(StatusCode, Bytes), UpgradeError> {
    let status = response.status();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}

async fn connect<B>(socket: &Path) -> io::Result<SendRequest<B>>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
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
