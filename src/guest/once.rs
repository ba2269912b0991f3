//! Containers that are thrown away: they end with the first client that has run something, however that one ends.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use rustix::process::{Pid, Signal, kill_process};

use super::root;
use crate::protocol::RUNTIME_DIR;

fn holder() -> PathBuf {
    Path::new(RUNTIME_DIR).join("once")
}

fn used() -> PathBuf {
    Path::new(RUNTIME_DIR).join("used")
}

/// Makes this container one, which ends when this process does.
pub fn begin() -> io::Result<()> {
    note_holder(&holder())
}

/// Notes that a client runs something.
pub fn use_it() {
    if is_thrown_away() {
        let _ = fs::write(used(), "");
    }
}

pub fn is_thrown_away() -> bool {
    !root::is_beside_user() && holder().exists()
}

pub fn is_used() -> bool {
    used().exists()
}

/// Ends this container if it is one.
pub fn end() {
    if is_thrown_away() {
        end_holder(&holder());
    }
}

/// Notes in a file that this process is what holds the container.
pub fn note_holder(file: &Path) -> io::Result<()> {
    fs::write(file, process::id().to_string())
}

/// Ends what holds the container, and the container with it, where a file says what that is.
pub fn end_holder(file: &Path) {
    let holder = fs::read_to_string(file).ok().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    if let Some(holder) = holder.filter(|holder| !holder.is_init()) {
        let _ = kill_process(holder, Signal::TERM);
    }
}
