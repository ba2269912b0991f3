//! The attach loop: the bytes of a terminal here and of a terminal in the container, each way, until one ends.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;

use super::Size;
use super::terminal::Terminal;

/// Tells the tmux inside to detach this client (`user-keys` in its configuration), so that none is left behind.
const DETACH: &[u8] = b"\x1b[9999~";
/// What people press to leave a session where no tmux is outside: `Ctrl-\`, as in dtach and abduco; plain, and as terminals
/// with extended keys send it.
const DETACH_KEYS: [&[u8]; 2] = [b"\x1c", b"\x1b[92;5u"];
/// How long the tmux inside may take to say goodbye, and so to put the terminal's modes back.
const GOODBYE: Duration = Duration::from_millis(300);
/// Large enough that a burst of output costs few system calls, small enough for a client of a few megabytes.
const BUFFER: usize = 32 * 1024;

/// How an attach ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The stream from the container ended.
    Stream,
    /// This terminal went away, or this process was told to end; the session was told to detach.
    Here,
}

/// Copies between the terminal and any pair of streams until one of them ends. `resize` gets the terminal's size at the
/// start and at each change. With `detach_key`, `Ctrl-\` ends it too: the host's tmux has better ways to leave.
pub async fn pump(
    terminal: &Terminal,
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin,
    resize: impl AsyncFn(Size),
    detach_key: bool,
) -> io::Result<End> {
    let mut told_to_end = ToldToEnd::listen()?;
    let mut window_changes = signal(SignalKind::window_change())?;
    let mut output = std::pin::pin!(show_output(terminal, reader));
    let mut input = std::pin::pin!(send_keys(terminal, writer, &mut told_to_end, detach_key));
    let mut sizes = std::pin::pin!(follow_size(terminal, &mut window_changes, resize));
    // Whichever of the two sees the end, the other has its part to finish: the goodbye, or the last screen.
    let end = tokio::select! {
        end = &mut output => {
            if end == End::Here {
                let _ = timeout(GOODBYE, input).await;
            }
            end
        }
        end = &mut input => {
            if end == End::Here {
                let _ = timeout(GOODBYE, output).await;
            }
            end
        }
        never = &mut sizes => match never {},
    };
    Ok(end)
}

async fn show_output(terminal: &Terminal, mut reader: impl AsyncRead + Unpin) -> End {
    let mut buffer = vec![0; BUFFER];
    loop {
        match reader.read(&mut buffer).await {
            Ok(0) | Err(_) => return End::Stream,
            Ok(count) => {
                if terminal.write_all(&buffer[..count]).await.is_err() {
                    return End::Here;
                }
            }
        }
    }
}

async fn send_keys(
    terminal: &Terminal,
    mut writer: impl AsyncWrite + Unpin,
    told_to_end: &mut ToldToEnd,
    detach_key: bool,
) -> End {
    let mut buffer = vec![0; 4096];
    loop {
        let keys = async {
            // A terminal that is gone reads as nothing or as an error.
            let count = terminal.read(&mut buffer).await.unwrap_or(0);
            // Alone in a read, as a key is; in the middle of a paste it is text.
            let is_goodbye = count == 0 || (detach_key && DETACH_KEYS.contains(&&buffer[..count]));
            if is_goodbye { None } else { Some(writer.write_all(&buffer[..count]).await) }
        };
        let sent = tokio::select! {
            () = told_to_end.recv() => None,
            sent = keys => sent,
        };
        match sent {
            Some(Ok(())) => {}
            Some(Err(_)) => return End::Stream,
            None => {
                let goodbye = async {
                    writer.write_all(DETACH).await?;
                    writer.flush().await
                };
                return if goodbye.await.is_ok() { End::Here } else { End::Stream };
            }
        }
    }
}

async fn follow_size(terminal: &Terminal, window_changes: &mut Signal, resize: impl AsyncFn(Size)) -> Infallible {
    loop {
        if let Some(size) = terminal.size() {
            resize(size).await;
        }
        window_changes.recv().await;
    }
}

/// The signals that ask this process to end. Caught, because the container's side has to be told.
struct ToldToEnd {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl ToldToEnd {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn recv(&mut self) {
        tokio::select! {
            _ = self.hangup.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
