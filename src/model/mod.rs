//! The nouns that both programs and every room share: a session, its name and its terminal's size, a container's name, state
//! and condition, signals, versions of tmux, and exit codes. What is here does no I/O and uses no other room.

mod architecture;
mod container_name;
mod container_state;
pub mod exit;
mod session;
mod session_name;
mod session_state;
mod size;
mod status;
pub mod stop_signal;
mod tmux_version;

pub use architecture::native_architecture;
pub use container_name::{ContainerName, slug};
pub use container_state::State;
pub use session::Session;
pub use session_name::{BadSessionName, SessionName};
pub use session_state::{QUIET, SessionState, UnknownState};
pub use size::Size;
pub use status::{Condition, Status};
pub use tmux_version::{Inner, InnerTmux, OLDEST as OLDEST_TMUX, TmuxVersion};
