//! Containers that end with their last session: what the relay goes by, and how one ends.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::once::{end_holder, note_holder};
use super::root;
use super::server::{self, NoAnswer};
use crate::protocol::{HAS_BEGUN, RUNTIME_DIR, TMUX_SOCKET};

fn holder() -> PathBuf {
    Path::new(RUNTIME_DIR).join("until-last-session")
}

/// Makes this container one, which ends when this process does.
pub fn begin() -> io::Result<()> {
    note_holder(&holder())
}

pub fn counts() -> bool {
    !root::is_beside_user() && holder().exists()
}

/// Whether there has been a session since the container was started. Its tmux alone says nothing: whoever attaches to a
/// session that is not there starts one.
pub async fn has_begun() -> Result<bool, NoAnswer> {
    Ok(match server::ask(&["show-options", "-sqv", HAS_BEGUN]).await? {
        Some(noted) => !noted.is_empty(),
        // One that was killed, and all sessions with it, has left its socket.
        None => Path::new(TMUX_SOCKET).exists(),
    })
}

/// Whether another relay serves a client by exec of the engine. Nobody else knows of it.
pub fn serves_by_exec() -> bool {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut command_lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    command_lines.any(|words| words.ends_with(b"\0relay\0--stdio\0"))
}

/// Notes that a relay serves a client by exec. Where it can't be noted, the relay itself can be seen for as long as it serves.
pub fn note_arrival_by_exec() {
    if counts()
        && let Ok(mut arrivals) = OpenOptions::new().append(true).create(true).open(arrivals())
    {
        let _ = arrivals.write_all(b".");
    }
}

/// How many there have been.
pub fn arrivals_by_exec() -> u64 {
    fs::metadata(arrivals()).map_or(0, |metadata| metadata.len())
}

fn arrivals() -> PathBuf {
    Path::new(RUNTIME_DIR).join("arrivals-by-exec")
}

pub fn end() {
    end_holder(&holder());
}
