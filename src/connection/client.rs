//! The host's side of a connection to a relay. What the relay says is bounded, in time and in size.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::time::timeout;
use tokio_util::codec::{FramedRead, FramedWrite};

use super::Stream;
use crate::engine::Said;
use crate::model::Session;
use crate::protocol::{CHUNK, Codec, Directory, Frame, Hello, Request, Run, Window};
use crate::quote;

/// How long a relay that has greeted may take to read what it is asked for, and to say which sessions run. It takes
/// milliseconds.
const ANSWER: Duration = Duration::from_secs(2);
/// How long a program may take whose output is waited for: questions and orders to the tmux inside.
const RUN: Duration = Duration::from_secs(10);
/// How much of a program's output is kept: a session's whole history is less.
const MOST_OUTPUT: usize = 64 * 1024 * 1024;

/// The version of the protocol that has sizes in pixels.
const PIXELS: u16 = 2;

type Reader = FramedRead<ReadHalf<Stream>, Codec>;
type Writer = FramedWrite<WriteHalf<Stream>, Codec>;

/// The way to a relay, which has greeted unless [`Connection::begin`] says otherwise, and waits for a request.
pub struct Connection {
    pub reader: Reader,
    pub writer: Writer,
    /// The relay's, when that has come.
    hello: Option<Hello>,
    said: Said,
}

/// What a program printed, and its exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub exit_code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// The version of the protocol that a relay speaks, where it is not this one.
#[derive(Debug, thiserror::Error)]
#[error("the relay speaks version {0}")]
pub struct OtherVersion(pub u16);

impl Connection {
    pub(super) async fn greet(stream: Stream) -> io::Result<Self> {
        let mut connection = Self::begin(stream).await?;
        connection.greeting().await?;
        Ok(connection)
    }

    /// Greets a relay that may still be starting. A request can be sent at once: one of another version reads no more of it
    /// than the greeting. Its answer is not there before [`Self::greeting`].
    pub(super) async fn begin(stream: Stream) -> io::Result<Self> {
        let said = stream.said();
        let (reader, writer) = tokio::io::split(stream);
        let (reader, mut writer) = (FramedRead::with_capacity(reader, Codec, CHUNK), FramedWrite::new(writer, Codec));
        writer.send(Frame::Hello(Hello::new(None))).await?;
        Ok(Self { reader, writer, hello: None, said })
    }

    /// Whether the relay knows sizes in pixels.
    pub fn takes_pixels(&self) -> bool {
        self.hello.as_ref().and_then(Hello::agreed).is_some_and(|version| version >= PIXELS)
    }

    pub fn has_greeted(&self) -> bool {
        self.hello.is_some()
    }

    pub(super) async fn greeting(&mut self) -> io::Result<()> {
        match self.reader.next().await {
            Some(Ok(Frame::Hello(hello))) if hello.agreed().is_some() => {
                self.hello = Some(hello);
                Ok(())
            }
            Some(Ok(Frame::Hello(hello))) => {
                Err(io::Error::new(io::ErrorKind::Unsupported, OtherVersion(hello.newest.unwrap_or(hello.oldest))))
            }
            // As of an engine that could not run it.
            Some(Err(_)) if !self.reader.read_buffer().is_empty() => {
                Err(io::Error::other(quote::printable(&String::from_utf8_lossy(self.reader.read_buffer()))))
            }
            Some(Err(error)) => Err(error),
            Some(Ok(_)) => Err(io::Error::new(io::ErrorKind::InvalidData, "what answers is not a relay")),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// What a program of the engine's says in place of a greeting.
    pub(super) fn said(&self) -> Said {
        self.said.clone()
    }

    /// The project's path as the container has it. Only a claim: whoever uses it checks it.
    pub fn claimed_project(&self) -> Option<&str> {
        self.hello.as_ref()?.project.as_deref()
    }

    /// The project's directory as the container has it; likewise.
    pub fn claimed_directory(&self) -> Option<Directory> {
        self.hello.as_ref()?.directory
    }

    pub async fn request(&mut self, request: Request) -> io::Result<()> {
        within(ANSWER, self.writer.send(Frame::Request(request))).await
    }

    /// Runs a program that takes a moment to its end.
    pub async fn output(&mut self, run: Run, input: &[u8]) -> io::Result<Output> {
        self.request(Request::Run(run)).await?;
        let window = Window::new();
        let mut output = std::pin::pin!(output(&mut self.reader, &window));
        let sent = tokio::select! {
            output = &mut output => return output,
            sent = send(&mut self.writer, input, &window) => sent,
        };
        match sent {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(error),
            // What came last says more than a stream that takes nothing any more.
            _ => within(RUN, output).await,
        }
    }

    /// The sessions that run.
    pub async fn sessions(&mut self) -> io::Result<Vec<Session>> {
        self.request(Request::Sessions).await?;
        within(ANSWER, self.next_sessions()).await
    }

    /// For how long nobody has had a program or a terminal in the container, as far as its relay knows.
    pub async fn unused(&mut self) -> io::Result<Duration> {
        self.request(Request::Unused).await?;
        match within(ANSWER, next(&mut self.reader)).await? {
            Frame::Unused(milliseconds) => Ok(Duration::from_millis(milliseconds)),
            _ => Err(unexpected()),
        }
    }

    /// The sessions that run, now and at each change. This connection serves nothing else from then on.
    pub async fn follow(mut self) -> io::Result<Follower> {
        self.request(Request::Follow).await?;
        Ok(Follower { connection: self, has_answered: false })
    }

    /// The sessions that run, now and when one begins, ends, rings, or is looked at; not when programs print something.
    pub async fn follow_alerts(mut self) -> io::Result<Follower> {
        self.request(Request::FollowAlerts).await?;
        Ok(Follower { connection: self, has_answered: false })
    }

    async fn next_sessions(&mut self) -> io::Result<Vec<Session>> {
        match next(&mut self.reader).await? {
            Frame::Sessions(sessions) => Ok(sessions),
            _ => Err(unexpected()),
        }
    }
}

pub struct Follower {
    connection: Connection,
    has_answered: bool,
}

impl Follower {
    /// What runs comes at once, and then each change, whenever that is.
    pub async fn next(&mut self) -> io::Result<Vec<Session>> {
        let next = self.connection.next_sessions();
        let sessions = if self.has_answered { next.await? } else { within(ANSWER, next).await? };
        self.has_answered = true;
        Ok(sessions)
    }
}

async fn next(reader: &mut Reader) -> io::Result<Frame> {
    match reader.next().await {
        Some(Ok(Frame::Refused(reason))) => Err(refusal(&reason)),
        Some(frame) => frame,
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Sends a program's whole input.
async fn send(writer: &mut Writer, mut input: &[u8], window: &Window) -> io::Result<()> {
    while !input.is_empty() {
        let room = within(RUN, async { Ok(window.room(input.len().min(CHUNK)).await) }).await?;
        let (piece, rest) = input.split_at(room);
        window.sent(piece.len());
        within(RUN, writer.send(Frame::Input(Bytes::copy_from_slice(piece)))).await?;
        input = rest;
    }
    within(RUN, writer.send(Frame::Input(Bytes::new()))).await
}

async fn output(reader: &mut Reader, window: &Window) -> io::Result<Output> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        match next(reader).await? {
            Frame::Output(bytes) => stdout.extend_from_slice(&bytes),
            Frame::ErrorOutput(bytes) => stderr.extend_from_slice(&bytes),
            Frame::Taken(count) => window.taken(count),
            Frame::Exit(exit_code) => return Ok(Output { exit_code, stdout, stderr }),
            _ => return Err(unexpected()),
        }
        if stdout.len() + stderr.len() > MOST_OUTPUT {
            return Err(io::Error::other(format!("it printed more than {} MiB", MOST_OUTPUT >> 20)));
        }
    }
}

/// Why a relay does not do what it was asked for, as far as that can be shown.
pub fn refusal(reason: &str) -> io::Error {
    io::Error::other(quote::printable(reason))
}

async fn within<T>(limit: Duration, step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(limit, step).await {
        Ok(done) => done,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("its relay did not answer within {} s", limit.as_secs()))),
    }
}

fn unexpected() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the relay's answer is not one to what was asked")
}
