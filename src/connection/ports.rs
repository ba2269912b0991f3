//! Ports of programs in a container, reached by its relay: nothing of them is published.

use std::io;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Connection, refusal};
use crate::protocol::{CHUNK, Frame, Program, Request, Run, Window};

/// The ports that somebody listens at; none where the container's guest is of a wharf that can't say.
pub async fn listening(connection: &mut Connection) -> io::Result<Vec<u16>> {
    let output = connection.output(own(&["listening"]), &[]).await?;
    let printed = String::from_utf8_lossy(&output.stdout);
    Ok(printed.lines().filter_map(|line| line.parse().ok()).collect())
}

/// Copies between a stream and a port of the container until one of them ends; the exit code of who does it there.
pub async fn join(connection: &mut Connection, port: u16, stream: TcpStream) -> io::Result<i32> {
    connection.request(Request::Run(own(&["connect", &port.to_string()]))).await?;
    let (reader, writer) = (&mut connection.reader, &mut connection.writer);
    let (mut from, mut to) = stream.into_split();
    let window = Window::new();
    let output = async {
        loop {
            match reader.next().await {
                Some(Ok(Frame::Output(bytes))) => to.write_all(&bytes).await?,
                Some(Ok(Frame::Taken(count))) => window.taken(count),
                Some(Ok(Frame::ErrorOutput(_))) => {}
                Some(Ok(Frame::Exit(code))) => return Ok(code),
                Some(Ok(Frame::Refused(reason))) => return Err(refusal(&reason)),
                Some(Err(error)) => return Err(error),
                Some(Ok(_)) | None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    };
    let input = async {
        let mut buffer = vec![0; CHUNK];
        loop {
            let room = window.room(CHUNK).await;
            let count = from.read(&mut buffer[..room]).await?;
            window.sent(count);
            writer.send(Frame::Input(Bytes::copy_from_slice(&buffer[..count]))).await?;
            if count == 0 {
                // What is said from there on is still to come.
                return std::future::pending::<io::Result<i32>>().await;
            }
        }
    };
    tokio::select! {
        ended = output => ended,
        gone = input => gone,
    }
}

fn own(words: &[&str]) -> Run {
    let program = Program::Own(words.iter().map(|&word| word.to_owned()).collect());
    Run { program, environment: Vec::new(), directory: None, terminal: None, follow: None }
}
