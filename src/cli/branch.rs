//! Verbs for branches that have a worktree and a container of their own.

use std::path::PathBuf;

use clap::Args;

use super::Creation;
use crate::model::SessionName;

#[derive(Debug, Args)]
pub struct Branch {
    /// The branch; a new one begins where the project is now
    pub name: String,
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    #[command(flatten)]
    pub creation: Creation,
    /// The session to open [default: main]
    #[arg(long, short, value_name = "NAME")]
    pub session: Option<SessionName>,
    /// Give what this file says to the session's command, as its last argument
    #[arg(long, value_name = "FILE")]
    pub prompt: Option<PathBuf>,
    /// Start the container and the session, and open no window
    #[arg(long, short)]
    pub detach: bool,
    /// Remove the branch's window, container, volumes and worktree; refuses while there is work that is nowhere else
    #[arg(long, conflicts_with_all = ["session", "prompt", "detach", "command"])]
    pub done: bool,
    /// What the session runs
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Branches {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
}
