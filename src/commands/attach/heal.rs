//! What becomes of an attached terminal whose connection was lost: it goes on by itself as soon as that is possible, and
//! says what it waits for. Where the container or its tmux has ended, it is the person who decides.

use std::time::Duration;

use crate::connection::signals::Signals;
use crate::connection::terminal::Terminal;
use crate::container::connect::{Connected, Connector};
use crate::error::{Error, Result};
use crate::output::report;

/// How often to look whether a lost engine is back.
const RETRY: Duration = Duration::from_millis(500);
/// How much of a log a person gets to read.
const LOG_LINES: usize = 500;

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;

/// How to go on.
pub enum Next {
    GoOn(Connected),
    /// Bring the container and the session up again.
    StartAgain,
    Close,
}

/// Gets in again, and waits for an engine that is gone for as long as it takes. An error where there is nothing to get
/// into any more.
pub async fn regain(connector: &Connector<'_>) -> Result<Next> {
    let mut is_waiting = false;
    loop {
        let error = match connector.running().await {
            Ok(connected) => return Ok(Next::GoOn(connected)),
            Err(error) => error,
        };
        if !error.is_engine_lost() {
            return Err(connector.lifecycle()?.failure().await.unwrap_or(error));
        }
        if !is_waiting {
            report::print(&error);
            report::print_keys("waiting for it to come back", &[("q", "closes")]);
            is_waiting = true;
        }
        match tokio::time::timeout(RETRY, key()).await {
            Ok(None) => return Ok(Next::Close),
            Ok(Some(key)) if closes(key) => return Ok(Next::Close),
            // Neither a key nor its absence is a reason to hurry.
            Ok(Some(_)) => tokio::time::sleep(RETRY).await,
            Err(_) => {}
        }
    }
}

/// Whether a container or a session has ended, and can be had again.
pub fn can_start_again(error: &Error) -> bool {
    use Error::{Died, Gone, NoContainer, NoSession, NotRunning};
    matches!(error, Died { .. } | Gone { .. } | NoContainer { .. } | NoSession { .. } | NotRunning { .. })
}

/// Says what has ended, and asks what to do.
pub async fn ask(connector: &Connector<'_>, error: &Error) -> Next {
    report::print(error);
    let has_log = matches!(error, Error::Died { .. });
    loop {
        let mut keys = vec![("Enter", "starts it again")];
        keys.extend(has_log.then_some(("l", "shows its log")));
        keys.push(("q", "closes"));
        report::print_keys("", &keys);
        loop {
            match key().await {
                Some(b'\r' | b'\n') => return Next::StartAgain,
                Some(b'l') if has_log => break show_log(connector).await,
                Some(key) if !closes(key) => {}
                _ => return Next::Close,
            }
        }
    }
}

async fn show_log(connector: &Connector<'_>) {
    let log = async { connector.context.engine()?.last_log_lines(&connector.name(), LOG_LINES).await };
    match log.await {
        Ok(lines) if lines.is_empty() => eprintln!("the log is empty"),
        Ok(lines) => lines.iter().for_each(|line| eprintln!("{line}")),
        Err(error) => report::print(&error),
    }
}

/// One key; `None` where the terminal is gone or this process was told to end.
async fn key() -> Option<u8> {
    let terminal = Terminal::take().ok()?;
    let mut signals = Signals::listen().ok()?;
    let mut buffer = [0; 64];
    loop {
        let count = tokio::select! {
            count = terminal.read(&mut buffer) => count.ok()?,
            _ = signals.recv() => return None,
        };
        match &buffer[..count] {
            [] => return None,
            [key] => return Some(*key),
            // A sequence, or a paste: nothing that is asked for.
            _ => {}
        }
    }
}

fn closes(key: u8) -> bool {
    matches!(key, b'q' | CTRL_C | CTRL_D)
}
