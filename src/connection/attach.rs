//! The attach loop: the bytes of a terminal here and of a terminal in the container, each way, until one ends.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::timeout;
use tokio_util::codec::{FramedRead, FramedWrite};

use super::Connection;
use super::signals::Signals;
use super::terminal::Terminal;
use crate::model::Size;
use crate::protocol::{Codec, Foreground, Frame, Window};

/// Tells the tmux inside to detach this client (`user-keys` in its configuration), so that none is left behind.
const DETACH: &[u8] = b"\x1b[9999~";
/// What people press to leave a session where no tmux is outside: `Ctrl-\`, as in dtach and abduco; plain, and as terminals
/// with extended keys send it.
const DETACH_KEYS: [&[u8]; 2] = [b"\x1c", b"\x1b[92;5u"];
/// What a program begins with that sets the clipboard: OSC 52.
const CLIPBOARD: &[u8] = b"\x1b]52;";
/// How long the tmux inside may take to say goodbye, and so to put the terminal's modes back.
const GOODBYE: Duration = Duration::from_millis(300);

/// How an attach ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The program in the container ended with this exit code.
    Exited(i32),
    /// This terminal went away, or this process was told to end; the session was told to detach.
    Here,
    /// The connection ended, and nobody said why.
    Lost,
}

/// How this side takes its leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goodbye {
    /// The client of the tmux inside is told to detach. With `key`, `Ctrl-\` does it too: the host's tmux has better ways.
    Detach { key: bool },
    /// The program gets a hangup, as from any terminal that closes.
    HangUp,
}

/// Who is told what a session says beside its screen.
pub trait Observer {
    /// Something else runs in the session's foreground. What is given back is written to the terminal.
    fn runs(&self, foreground: &Foreground) -> Vec<u8>;

    /// A program has put something into the clipboard, as far as the terminal takes that.
    fn copies(&self);
}

/// Where nobody wants to know.
impl Observer for () {
    fn runs(&self, _: &Foreground) -> Vec<u8> {
        Vec::new()
    }

    fn copies(&self) {}
}

/// Copies between the terminal and a program that the connection has been asked for, until one of them ends. `told` is the
/// terminal's size as the program was told it.
pub async fn pump(
    terminal: &Terminal,
    told: Option<Size>,
    connection: &mut Connection,
    goodbye: Goodbye,
    observer: &impl Observer,
) -> io::Result<End> {
    let takes_pixels = connection.takes_pixels();
    let size = || Terminal::size().map(|size| if takes_pixels { size } else { size.without_pixels() });
    let (reader, writer) = (&mut connection.reader, &mut connection.writer);
    let mut signals = Signals::listen()?;
    let mut window_changes = signal(SignalKind::window_change())?;
    // What has changed before anybody listened.
    if let Some(size) = size().filter(|&size| told != Some(size))
        && writer.send(Frame::Resize(size)).await.is_err()
    {
        return Ok(End::Lost);
    }
    let window = Window::new();
    let mut output = std::pin::pin!(show_output(terminal, reader, &window, observer));
    let mut input = std::pin::pin!(send_keys(terminal, writer, &window, &mut signals, (&mut window_changes, size), goodbye));
    // Whichever of the two sees the end, the other has its part to finish: the goodbye, or the last screen.
    let end = tokio::select! {
        end = &mut output => {
            if end == End::Here {
                let _ = timeout(GOODBYE, input).await;
            }
            end
        }
        end = &mut input => {
            match timeout(GOODBYE, output).await {
                // What came last says more than a stream that takes nothing any more.
                Ok(last) if end == End::Lost => last,
                _ => end,
            }
        }
    };
    Ok(end)
}

async fn show_output<R: AsyncRead + Unpin>(
    terminal: &Terminal,
    reader: &mut FramedRead<R, Codec>,
    window: &Window,
    observer: &impl Observer,
) -> End {
    loop {
        match reader.next().await {
            Some(Ok(Frame::Output(bytes) | Frame::ErrorOutput(bytes))) => {
                if terminal.write_all(&bytes).await.is_err() {
                    return End::Here;
                }
                if memmem::find(&bytes, CLIPBOARD).is_some() {
                    observer.copies();
                }
            }
            Some(Ok(Frame::Foreground(foreground))) => {
                if terminal.write_all(&observer.runs(&foreground)).await.is_err() {
                    return End::Here;
                }
            }
            Some(Ok(Frame::Taken(count))) => window.taken(count),
            Some(Ok(Frame::Exit(code))) => return End::Exited(code),
            _ => return End::Lost,
        }
    }
}

async fn send_keys<W: AsyncWrite + Unpin>(
    terminal: &Terminal,
    writer: &mut FramedWrite<W, Codec>,
    window: &Window,
    signals: &mut Signals,
    (window_changes, size): (&mut Signal, impl Fn() -> Option<Size>),
    goodbye: Goodbye,
) -> End {
    let mut buffer = vec![0; 4096];
    loop {
        let typed = async {
            let room = window.room(buffer.len()).await;
            // A terminal that is gone reads as nothing or as an error.
            let count = terminal.read(&mut buffer[..room]).await.unwrap_or(0);
            &buffer[..count]
        };
        let frame = tokio::select! {
            _ = signals.recv() => None,
            _ = window_changes.recv() => match size() {
                Some(size) => Some(Frame::Resize(size)),
                None => continue,
            },
            typed = typed => match typed {
                [] => None,
                // Alone in a read, as a key is; in the middle of a paste it is text.
                keys if goodbye == (Goodbye::Detach { key: true }) && DETACH_KEYS.contains(&keys) => None,
                keys => Some(Frame::Input(Bytes::copy_from_slice(keys))),
            },
        };
        let (frame, is_last) = match (frame, goodbye) {
            (Some(frame), _) => (frame, false),
            // A connection that ends says the same, if not as well.
            (None, Goodbye::Detach { .. }) if !window.has_room_for(DETACH.len()) => return End::Here,
            (None, Goodbye::Detach { .. }) => (Frame::Input(Bytes::from_static(DETACH)), true),
            (None, Goodbye::HangUp) => (Frame::signal(rustix::process::Signal::HUP), true),
        };
        if let Frame::Input(bytes) = &frame {
            window.sent(bytes.len());
        }
        let sent = tokio::select! {
            biased;
            sent = writer.send(frame) => sent,
            // A relay that is frozen takes a goodbye no more than anything else.
            _ = signals.recv() => return End::Here,
        };
        if sent.is_err() {
            return End::Lost;
        }
        if is_last {
            return End::Here;
        }
    }
}
