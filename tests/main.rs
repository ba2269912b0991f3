//! wharf on the real engine and the real tmux. Run by `scripts/test`.

mod support;

mod container;
mod errors;
mod identity;
mod lifecycle;
mod plugin;
mod private_engine;
mod quickstart;
mod readme;
mod sessions;
mod surfaces;
mod windows;
