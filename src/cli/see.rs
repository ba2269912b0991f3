//! Verbs that show what there is.

use clap::Args;

use super::format::StatusFormat;

#[derive(Debug, Args)]
pub struct List {
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
    /// Those that other users of this machine have made, too
    #[arg(long)]
    pub everyone: bool,
    /// Stay, and show every change until `q` is pressed
    #[arg(long, short, conflicts_with = "json")]
    pub watch: bool,
}

#[derive(Debug, Args)]
pub struct Events {
    /// Directories, projects' names or containers' [default: all projects]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Print an object for each, a line each
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Ports {
    /// A directory, a project's name or a container's [default: all projects]
    pub target: Option<String>,
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
    /// Those that other users of this machine have made, too
    #[arg(long)]
    pub everyone: bool,
}

#[derive(Debug, Args)]
pub struct SshProxy {
    /// As ssh has it: `api.wharf`, `api.parent.wharf`, or a container's name with `.wharf`
    pub name: String,
}

#[derive(Debug, Args)]
pub struct Pick {
    /// What to search for first
    #[arg(long, short, value_name = "TEXT")]
    pub query: Option<String>,
    /// Those that other users of this machine have made, too
    #[arg(long)]
    pub everyone: bool,
    /// Print the project's path, and after a tab its session where it has one; open nothing
    #[arg(long)]
    pub print: bool,
}

#[derive(Debug, Args)]
pub struct Logs {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// Only the last lines
    #[arg(long, value_name = "LINES")]
    pub tail: Option<u32>,
    /// Go on with what it prints from now on, until it ends
    #[arg(long, short)]
    pub follow: bool,
}

#[derive(Debug, Args)]
pub struct Inspect {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// Print an object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Status {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// Print an object
    #[arg(long)]
    pub json: bool,
    /// What to print: text with any of {name}, {state}, {exit_code}, {bells}, {waiting}, {drift} and {summary}
    #[arg(long, value_name = "FORMAT", conflicts_with = "json", default_value = "{name} {summary}", hide_default_value = true)]
    pub format: StatusFormat,
}

#[derive(Debug, Clone, Copy, Args)]
pub struct Watch {
    /// Be the watcher, and stay until the tmux server ends
    #[arg(long)]
    pub serve: bool,
    /// End the watcher of another wharf first
    #[arg(long)]
    pub replace: bool,
}
