//! What lives inside the container: the tmux that keeps its sessions, and the way into it.

pub mod agent;
pub mod attach;
pub mod control;
pub mod environment;
pub mod identity;
mod inner;
mod name;
pub mod terminal;

pub use inner::{CONFIG, CONFIG_PATH, HOST_DIR, RUNTIME_DIR, commands};
pub use name::SessionName;

/// A terminal's size, in character cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}
