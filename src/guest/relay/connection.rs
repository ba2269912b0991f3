//! One client: the greeting, and its requests one after the other.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_util::codec::{FramedRead, FramedWrite};

use super::ending::Clients;
use super::program::{self, Ended};
use super::sessions::{PULSE, Sessions, refusal};
use crate::guest::{once, stopping};
use crate::protocol::{Codec, Directory, Frame, Hello, PROJECT_VARIABLE, Program, Request};

/// How long a client may take to say what it wants.
const GREETING: Duration = Duration::from_secs(2);

/// Serves a client until it goes.
pub async fn serve(
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin,
    sessions: &Arc<Sessions>,
    clients: &Arc<Clients>,
) -> io::Result<()> {
    let mut has_run = false;
    let served = serve_requests(reader, writer, sessions, clients, &mut has_run).await;
    if has_run {
        once::end();
    }
    served
}

async fn serve_requests(
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin,
    sessions: &Arc<Sessions>,
    clients: &Arc<Clients>,
    has_run: &mut bool,
) -> io::Result<()> {
    let client = clients.enter();
    let (mut reader, mut writer) = (FramedRead::new(reader, Codec), FramedWrite::new(writer, Codec));
    let hello = Hello::new(std::env::var(PROJECT_VARIABLE).ok());
    // The relay is in the project's directory, whatever its path leads to by now.
    writer.send(Frame::Hello(Hello { directory: Directory::at(Path::new(".")).ok(), ..hello })).await?;
    let greeting = async {
        match reader.next().await {
            Some(Ok(Frame::Hello(hello))) if hello.agreed().is_some() => Ok(reader.next().await),
            Some(Ok(Frame::Hello(_))) => Err("this relay is of another version"),
            _ => Err("no greeting"),
        }
    };
    let mut next = match timeout(GREETING, greeting).await {
        Ok(Ok(next)) => next,
        Ok(Err(reason)) => return writer.send(Frame::Refused(reason.to_owned())).await,
        Err(_) => return Ok(()),
    };
    loop {
        match next {
            Some(Ok(Frame::Request(Request::Run(_)))) if stopping::has_begun() => return std::future::pending().await,
            Some(Ok(Frame::Request(Request::Run(run)))) => {
                *has_run = true;
                once::use_it();
                let is_tmux = matches!(run.program, Program::Tmux(_));
                // Questions and orders to the tmux inside are no use of it: whatever shows something asks them again and again.
                let used = (!is_tmux || run.terminal.is_some()).then(|| client.uses());
                let ended = program::run(run, &mut reader, &mut writer).await;
                if stopping::has_begun() {
                    return std::future::pending().await;
                }
                drop(used);
                // Before the client hears of it, which may ask next.
                if is_tmux {
                    sessions.may_have_changed();
                }
                match ended {
                    Ok(ended) => report(ended, &mut writer).await?,
                    Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                        return writer.send(Frame::Refused(error.to_string())).await;
                    }
                    Err(error) => return Err(error),
                }
            }
            Some(Ok(Frame::Request(Request::Sessions))) => {
                let answer = sessions.now().await.map_or_else(refusal, Frame::Sessions);
                writer.send(answer).await?;
            }
            Some(Ok(Frame::Request(Request::Unused))) => {
                let unused = u64::try_from(clients.unused().as_millis()).unwrap_or(u64::MAX);
                writer.send(Frame::Unused(unused)).await?;
            }
            Some(Ok(Frame::Request(Request::Follow))) => {
                drop(client);
                return sessions.follow(PULSE, &mut reader, &mut writer).await;
            }
            Some(Ok(Frame::Request(Request::FollowAlerts))) => {
                drop(client);
                return sessions.follow(Duration::MAX, &mut reader, &mut writer).await;
            }
            // Meant for a program that has ended meanwhile.
            Some(Ok(Frame::Input(_) | Frame::Resize(_) | Frame::Signal(_))) => {}
            Some(Ok(_)) => return writer.send(Frame::Refused("no request".to_owned())).await,
            Some(Err(error)) => return writer.send(Frame::Refused(error.to_string())).await,
            None => return Ok(()),
        }
        next = reader.next().await;
    }
}

async fn report(ended: Ended, writer: &mut FramedWrite<impl AsyncWrite + Unpin, Codec>) -> io::Result<()> {
    if let Some(message) = ended.message {
        writer.feed(Frame::ErrorOutput(format!("wharf: {message}\n").into())).await?;
    }
    writer.send(Frame::Exit(ended.exit_code)).await
}

/// Whether a relay of this version answers there.
pub async fn greets(stream: impl AsyncRead + Unpin, within: Duration) -> bool {
    let hello = timeout(within, FramedRead::new(stream, Codec).next()).await;
    matches!(hello, Ok(Some(Ok(Frame::Hello(hello)))) if hello.agreed().is_some())
}
