//! What a container's first process has printed.

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptions;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};

use super::{Answer, Engine, LOOK, one_line};
use crate::error::{Error, Result};
use crate::model::ContainerName;

/// A piece of a log, as it was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Printed {
    Output(Bytes),
    ErrorOutput(Bytes),
}

impl Engine {
    /// The last lines, for a terminal.
    pub async fn last_log_lines(&self, name: &ContainerName, count: usize) -> Result<Vec<String>> {
        self.log_lines(name, LogsOptions { tail: count.to_string(), ..LogsOptions::default() }).await
    }

    /// The lines since the container was last started.
    pub async fn log_of_this_start(&self, name: &ContainerName) -> Result<Vec<String>> {
        let started = self.inspect_any(name.as_str()).await?.state.and_then(|state| state.started_at);
        let since = started.and_then(|at| at.parse::<jiff::Timestamp>().ok()).map_or(0, jiff::Timestamp::as_second);
        self.log_lines(name, LogsOptions { since: i32::try_from(since).unwrap_or(0), ..LogsOptions::default() }).await
    }

    async fn log_lines(&self, name: &ContainerName, options: LogsOptions) -> Result<Vec<String>> {
        let mut chunks = self.docker.logs(name.as_str(), Some(LogsOptions { stdout: true, stderr: true, ..options }));
        let read = async {
            let mut text = Vec::new();
            while let Some(chunk) = chunks.next().await {
                text.extend_from_slice(&chunk?.into_bytes());
            }
            Answer::Ok(text)
        };
        let text = self.look(format!("read the log of container `{name}`"), read).await?;
        Ok(String::from_utf8_lossy(&text).lines().map(printable).collect())
    }

    /// Adds what the container prints from now on, until it ends or its log can't be read.
    pub(super) async fn listen(&self, name: &ContainerName, into: &mut Vec<u8>) {
        let mut log = self.log(name, Some(0), true);
        while let Some(Ok(Printed::Output(bytes) | Printed::ErrorOutput(bytes))) = log.next().await {
            into.extend_from_slice(&bytes);
        }
    }

    /// The log piece by piece: all of it or the last lines, and with `follow` what comes until the container ends, however long
    /// that takes.
    pub fn log(&self, name: &ContainerName, tail: Option<u32>, follow: bool) -> impl Stream<Item = Result<Printed>> + Unpin {
        let tail = tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string());
        let options = LogsOptions { stdout: true, stderr: true, tail, follow, ..LogsOptions::default() };
        let action = format!("read the log of container `{name}`");
        let chunks = self.docker.logs(name.as_str(), Some(options));
        Box::pin(stream::unfold((chunks, action), move |(mut chunks, action)| async move {
            let chunk = if follow { Ok(chunks.next().await) } else { self.within(LOOK, &action, chunks.next()).await };
            let printed = match chunk {
                Ok(chunk) => printed(chunk?, &action),
                Err(error) => Err(error),
            };
            Some((printed, (chunks, action)))
        }))
    }
}

fn printed(chunk: Answer<LogOutput>, action: &str) -> Result<Printed> {
    match chunk {
        Ok(LogOutput::StdErr { message }) => Ok(Printed::ErrorOutput(message)),
        Ok(other) => Ok(Printed::Output(other.into_bytes())),
        Err(error) => Err(Error::Engine { action: action.to_owned(), message: one_line(&error.to_string()), status: None }),
    }
}

/// What a container prints is not obeyed by the terminal that shows it.
pub(super) fn printable(line: &str) -> String {
    line.chars().filter(|c| !c.is_control()).collect()
}
