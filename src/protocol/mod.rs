//! The protocol between a client on the host and a relay in a container, over any stream of bytes.
//!
//! Both sides begin with [`Frame::Hello`], which says the versions of the protocol that they speak, and speak the newest that
//! both do. Then the client sends a
//! [`Frame::Request`], what follows belongs to it, and [`Frame::Exit`], [`Frame::Sessions`], [`Frame::Unused`] or
//! [`Frame::Refused`] ends it; then another request may come. A frame is one byte that says its kind, four that say the
//! payload's length (big-endian), and the payload, of [`MAX_PAYLOAD`] at most. Neither side trusts the other: what does not
//! read as a frame ends the connection.
//!
//! A program takes its input when it likes. So that input never stands in the way of a signal, a resize or the end of the
//! connection, a client sends no more than [`WINDOW`] bytes of it ahead of what the relay has reported by
//! [`Frame::Taken`], and the relay reads whatever comes at once. The window is a program's own: it begins with the request.

mod directory;
pub mod hooks;
mod inner;
pub mod launch;
pub mod sshd;
#[cfg(test)]
mod tests;
pub mod variables;
mod window;

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tokio_util::codec::{Decoder, Encoder};

pub use directory::Directory;
pub use inner::{
    CONFIG, CONFIG_PATH, EXIT_CODE, HAS_BEGUN, HOST_DIR, LIFE_DIR, LIFE_PARENT, ON_FAILURE, RESTART_VARIABLE, RUNTIME_DIR,
    TMUX_SOCKET, commands,
};
pub use launch::{
    GUEST, LOADER, LOCALE, Launch, TERMINFO, TMUX_BUNDLE, TMUX_CONFIG, TMUX_STATIC, TMUX_VERSION, TOOLS_DIR, libraries_of,
};
pub use window::Window;

use crate::model::{Session, SessionName, Size};

/// The newest version of the protocol that this side speaks. It changes with every change that an older side would misread.
/// Version 2 has sizes in pixels; before, [`Frame::Resize`] has none.
pub const NEWEST: u16 = 2;
/// The oldest: the version before, so that a container outlives an upgrade of its host.
pub const OLDEST: u16 = 1;
/// Large enough for every environment and command line that Linux runs at its default limits.
pub const MAX_PAYLOAD: usize = 2 * 1024 * 1024;
/// How much of a stream goes into one frame: many small ones cost system calls, large ones memory.
pub const CHUNK: usize = 32 * 1024;
/// How many bytes of input a client may have sent that [`Frame::Taken`] has not reported yet.
pub const WINDOW: usize = 256 * 1024;

/// The exit code of [`Program::Tmux`] where the container has none that is new enough.
pub const NO_TMUX: i32 = 127;
/// And where a session is to run a shell and the image has none.
pub const NO_SHELL: i32 = 125;

/// The exit code of the guest that was to lead to a port at which nobody listens.
pub const NOBODY_LISTENS: i32 = 124;

/// The name of the relay's socket in the directory that a container shares with the host.
pub const SOCKET: &str = "relay.sock";
/// The shell that sessions are to have, in the environment of containers: a path, or a name to look for in `PATH`.
pub const SHELL_VARIABLE: &str = "WHARF_SHELL";
/// The project's path, in every container's environment.
pub const PROJECT_VARIABLE: &str = "WHARF_PROJECT";
/// In the environment of a session whose command asks for a signal of its own when the container stops: the signal's name.
pub const STOP_SIGNAL_VARIABLE: &str = "WHARF_STOP_SIGNAL";
/// In a container's log, before the command line of a program that did not end in time when it was stopped.
pub const NOT_ENDED: &str = "wharf: did not end in time: ";

const MAGIC: &[u8; 5] = b"wharf";
const HEADER: usize = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Hello(Hello),
    /// What the client wants.
    Request(Request),
    /// From the client: what was typed, or standard input; empty at its end.
    Input(Bytes),
    /// From the client: the terminal's new size.
    Resize(Size),
    /// From the client: a signal for the program, by its number.
    Signal(u8),
    /// From the relay: the program has taken so many more bytes of its input. Not each time, but before the window closes.
    Taken(u32),
    /// Standard output, or all that a terminal shows.
    Output(Bytes),
    /// Standard error.
    ErrorOutput(Bytes),
    /// What runs in the session that is followed, when it is something else than before.
    Foreground(Foreground),
    /// The program has ended with this code; 128 and the signal's number where a signal ended it.
    Exit(i32),
    Sessions(Vec<Session>),
    /// For so many milliseconds no client has had a program or a terminal here; 0 while one does.
    Unused(u64),
    /// The request cannot be met, and why.
    Refused(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hello {
    /// The oldest version that this side speaks. It stands before all else, where every version reads it.
    #[serde(skip)]
    pub oldest: u16,
    /// The newest, where that is another.
    #[serde(default)]
    pub newest: Option<u16>,
    /// The path of the project, as the container's side knows it.
    #[serde(default)]
    pub project: Option<String>,
    /// The directory that the container has there.
    #[serde(default)]
    pub directory: Option<Directory>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    Run(Run),
    /// The sessions that run now.
    Sessions,
    /// The sessions that run now, and again each time that this changes, until the client goes.
    Follow,
    /// Follow the sessions, but not what programs print: only the tmux inside tells of a change, and nobody polls it.
    FollowAlerts,
    /// For how long nobody has used the container by way of a relay.
    Unused,
}

/// A program to run, on a terminal of its own or with three streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub program: Program,
    /// `NAME=value`, on top of the container's own environment.
    #[serde(default)]
    pub environment: Vec<String>,
    /// The project where `None`.
    #[serde(default)]
    pub directory: Option<String>,
    /// The size of the terminal that the program gets.
    #[serde(default)]
    pub terminal: Option<Size>,
    /// Where the program shows a session in a pane of the host's tmux: what the pane is to hold beside the screen.
    #[serde(default)]
    pub follow: Option<Follow>,
}

/// The session whose history goes into a pane's own, and whose programs are told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    pub session: SessionName,
    /// How many lines of history the pane keeps.
    pub lines: u32,
    /// Whether the pane was opened for the session: else it holds the history of a shell as well.
    pub is_own: bool,
}

/// What runs in the foreground of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreground {
    /// The program's name.
    pub command: String,
    /// The directory that it is in, as the container has it.
    pub directory: String,
    /// Whether it fills the screen, as an editor does (the alternate screen).
    pub fills_screen: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Program {
    /// The tmux that keeps the container's sessions, with these arguments.
    Tmux(Vec<String>),
    Command(Vec<String>),
    /// wharf's own program, with these arguments.
    Own(Vec<String>),
}

impl Frame {
    pub fn signal(signal: Signal) -> Self {
        Self::Signal(u8::try_from(signal.as_raw()).unwrap_or_default())
    }
}

impl Program {
    /// The arguments with which wharf itself runs this in a container.
    pub fn words(self) -> Vec<String> {
        match self {
            Self::Tmux(arguments) => [vec!["tmux".to_owned()], arguments].concat(),
            Self::Command(words) => [vec!["become".to_owned()], words].concat(),
            Self::Own(arguments) => arguments,
        }
    }
}

impl Hello {
    pub fn new(project: Option<String>) -> Self {
        Self { oldest: OLDEST, newest: Some(NEWEST), project, directory: None }
    }

    /// The version that both sides speak then.
    pub fn agreed(&self) -> Option<u16> {
        let newest = self.newest.unwrap_or(self.oldest);
        (self.oldest <= NEWEST && OLDEST <= newest).then(|| newest.min(NEWEST))
    }
}

/// Frames from bytes, and bytes from frames.
#[derive(Debug, Default)]
pub struct Codec;

impl Encoder<Frame> for Codec {
    type Error = io::Error;

    fn encode(&mut self, frame: Frame, into: &mut BytesMut) -> io::Result<()> {
        let start = into.len();
        into.put_u8(kind(&frame));
        into.put_u32(0);
        match frame {
            Frame::Hello(hello) => {
                into.put_slice(MAGIC);
                into.put_u16(hello.oldest);
                json(&hello, into)?;
            }
            Frame::Request(request) => json(&request, into)?,
            Frame::Sessions(sessions) => json(&sessions, into)?,
            Frame::Foreground(foreground) => json(&foreground, into)?,
            Frame::Input(bytes) | Frame::Output(bytes) | Frame::ErrorOutput(bytes) => into.put_slice(&bytes),
            Frame::Resize(size) => {
                into.put_u16(size.columns);
                into.put_u16(size.rows);
                if size.has_pixels() {
                    into.put_u16(size.pixel_width);
                    into.put_u16(size.pixel_height);
                }
            }
            Frame::Signal(number) => into.put_u8(number),
            Frame::Taken(count) => into.put_u32(count),
            Frame::Exit(code) => into.put_i32(code),
            Frame::Unused(milliseconds) => into.put_u64(milliseconds),
            Frame::Refused(reason) => into.put_slice(reason.as_bytes()),
        }
        let length = into.len() - start - HEADER;
        match u32::try_from(length) {
            Ok(short) if length <= MAX_PAYLOAD => {
                into[start + 1..start + HEADER].copy_from_slice(&short.to_be_bytes());
                Ok(())
            }
            _ => {
                into.truncate(start);
                Err(io::Error::new(io::ErrorKind::InvalidInput, "the command line and its environment are too long"))
            }
        }
    }
}

impl Decoder for Codec {
    type Item = Frame;
    type Error = io::Error;

    fn decode(&mut self, from: &mut BytesMut) -> io::Result<Option<Frame>> {
        let Some((&[kind, a, b, c, d], _)) = from.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > MAX_PAYLOAD {
            return Err(invalid("a frame is too long"));
        }
        if from.len() < HEADER + length {
            // No room is made ahead for what was only announced.
            return Ok(None);
        }
        from.advance(HEADER);
        parse(kind, from.split_to(length).freeze()).map(Some)
    }
}

fn kind(frame: &Frame) -> u8 {
    match frame {
        Frame::Hello(_) => b'H',
        Frame::Request(_) => b'R',
        Frame::Input(_) => b'i',
        Frame::Resize(_) => b'r',
        Frame::Signal(_) => b's',
        Frame::Taken(_) => b't',
        Frame::Output(_) => b'o',
        Frame::ErrorOutput(_) => b'e',
        Frame::Exit(_) => b'X',
        Frame::Sessions(_) => b'S',
        Frame::Foreground(_) => b'F',
        Frame::Unused(_) => b'U',
        Frame::Refused(_) => b'N',
    }
}

fn parse(kind: u8, mut payload: Bytes) -> io::Result<Frame> {
    let is_fixed = |length| if payload.len() == length { Ok(()) } else { Err(invalid("a frame has the wrong length")) };
    Ok(match kind {
        b'H' => Frame::Hello(parse_hello(&payload)?),
        b'R' => Frame::Request(from_json(&payload)?),
        b'i' => Frame::Input(payload),
        b'o' => Frame::Output(payload),
        b'e' => Frame::ErrorOutput(payload),
        b'S' => Frame::Sessions(from_json(&payload)?),
        b'F' => Frame::Foreground(from_json(&payload)?),
        b'N' => Frame::Refused(String::from_utf8_lossy(&payload).into_owned()),
        b'r' => {
            let has_pixels = payload.len() == 8;
            is_fixed(if has_pixels { 8 } else { 4 })?;
            let mut next = |is_there: bool| if is_there { payload.get_u16() } else { 0 };
            Frame::Resize(Size {
                columns: next(true),
                rows: next(true),
                pixel_width: next(has_pixels),
                pixel_height: next(has_pixels),
            })
        }
        b's' => {
            is_fixed(1)?;
            Frame::Signal(payload.get_u8())
        }
        b't' => {
            is_fixed(4)?;
            Frame::Taken(payload.get_u32())
        }
        b'X' => {
            is_fixed(4)?;
            Frame::Exit(payload.get_i32())
        }
        b'U' => {
            is_fixed(8)?;
            Frame::Unused(payload.get_u64())
        }
        _ => return Err(invalid("a frame is of no known kind")),
    })
}

/// Of the hello of one that speaks only newer versions, nothing else is read.
fn parse_hello(payload: &[u8]) -> io::Result<Hello> {
    let mut rest = payload.strip_prefix(MAGIC).ok_or_else(|| invalid("what answers is not a relay"))?;
    let oldest = rest.try_get_u16().map_err(|_| invalid("a frame has the wrong length"))?;
    if oldest > NEWEST {
        return Ok(Hello { oldest, ..Hello::default() });
    }
    let hello: Hello = from_json(rest)?;
    Ok(Hello { oldest, ..hello })
}

fn json(value: &impl Serialize, into: &mut BytesMut) -> io::Result<()> {
    Ok(serde_json::to_writer(into.writer(), value)?)
}

fn from_json<T: for<'a> Deserialize<'a>>(payload: &[u8]) -> io::Result<T> {
    serde_json::from_slice(payload).map_err(|_| invalid("a frame does not read as what it says it is"))
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
