//! What lives inside the container: the tmux that keeps its sessions, and what goes in to it.

pub mod agent;
pub mod attach;
pub mod environment;
pub mod git;
pub mod hooks;
pub mod identity;
mod inner;
mod listed;
pub mod memory;
mod name;
pub mod signals;
pub mod ssh;
pub mod standard;
pub mod terminal;

use serde::{Deserialize, Serialize};

pub use inner::{CONFIG, CONFIG_PATH, EXIT_CODE, HAS_BEGUN, HOST_DIR, LIFE_DIR, LIFE_PARENT, RUNTIME_DIR, TMUX_SOCKET, commands};
pub use listed::Session;
pub use name::SessionName;

/// A terminal's size, in character cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}
