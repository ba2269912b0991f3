//! The tmux server that keeps a container's sessions, as the relay asks it.

use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::timeout;

use super::tmux::{invocation, socket};

/// How long it may take to answer; milliseconds are usual. Less than a client waits for the relay.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Nobody knows what the server would say: it does not answer, or could not be asked.
#[derive(Debug)]
pub struct NoAnswer;

/// What a command of tmux's prints; `None` where no server runs.
pub async fn ask(arguments: &[impl AsRef<str>]) -> Result<Option<String>, NoAnswer> {
    timeout(PATIENCE, answer(arguments)).await.unwrap_or(Err(NoAnswer))
}

async fn answer(arguments: &[impl AsRef<str>]) -> Result<Option<String>, NoAnswer> {
    // A tmux without a server says nothing else, and takes a hundred times as long.
    if !runs().await? {
        return Ok(None);
    }
    let output = command(arguments)?.stdout(Stdio::piped()).output().await.map_err(|_| NoAnswer)?;
    if output.status.success() {
        return Ok(Some(String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    // It may have ended before it was asked.
    if runs().await? { Err(NoAnswer) } else { Ok(None) }
}

/// Whether it runs. A socket that is not there, or that nobody listens at, says that it does not; nothing else does.
async fn runs() -> Result<bool, NoAnswer> {
    match UnixStream::connect(socket()).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(false),
        Err(_) => Err(NoAnswer),
    }
}

/// A tmux that speaks to it.
pub fn command(arguments: &[impl AsRef<str>]) -> Result<Command, NoAnswer> {
    let arguments: Vec<String> = arguments.iter().map(|word| word.as_ref().to_owned()).collect();
    let mut command = Command::from(invocation(&arguments).map_err(|_| NoAnswer)?.command());
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    Ok(command)
}
