//! The command line. The comments here are its help.

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::session::SessionName;
use crate::tmux::{ClientName, PaneId};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// One window, one project, one container that outlives every terminal.
///
/// A TARGET is a directory, a project's name (`api`), `parent/name`, or a container's name. Without one, it is the
/// project of the directory at hand.
#[derive(Debug, Parser)]
#[command(name = "wharf", version, styles = STYLES, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub surface: Surface,
    #[command(subcommand)]
    pub command: Command,
}

/// Where a key was pressed. Key bindings say it; people need not.
#[derive(Debug, Default, Args)]
pub struct Surface {
    /// The tmux client to show messages on.
    #[arg(long, global = true, hide = true)]
    pub client: Option<ClientName>,
    /// The pane whose directory counts.
    #[arg(long, global = true, hide = true)]
    pub pane: Option<PaneId>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open a project: select its window, or make one; outside tmux, attach here
    Open(Open),
    /// Make a project's container exist and run, without a terminal
    Start(Start),
    /// Attach this terminal to a session that runs
    Attach(Attach),
    /// List projects that have a container
    #[command(visible_alias = "ps")]
    List(List),
    /// Stop containers, and keep them
    Stop(Stop),
    /// Remove containers
    Rm(Rm),
    /// Bind the keys in the tmux server at hand; run from `.tmux.conf`
    Setup,
    /// Print a completion script for a shell
    Completions { shell: Shell },
    /// Print the manual page
    Man,
}

/// What a container is made from, where there is none yet.
#[derive(Debug, Clone, Args)]
pub struct Creation {
    /// The image to create the container from [default: wharf-default:latest]
    #[arg(long, env = "WHARF_IMAGE", hide_env_values = true)]
    pub image: Option<String>,
    /// Mount the project here in the container, in place of at its own path
    #[arg(long, value_name = "PATH", value_parser = absolute_path)]
    pub workspace: Option<String>,
}

#[derive(Debug, Args)]
pub struct Open {
    pub target: Option<String>,
    #[command(flatten)]
    pub creation: Creation,
    /// The session to open [default: main]
    #[arg(long, short, value_name = "NAME")]
    pub session: Option<SessionName>,
    /// Start the container and the session, and leave it at that
    #[arg(long, short)]
    pub detach: bool,
    /// What a new session runs, in place of a shell
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Start {
    pub target: Option<String>,
    #[command(flatten)]
    pub creation: Creation,
}

#[derive(Debug, Args)]
pub struct Attach {
    pub target: Option<String>,
    #[command(flatten)]
    pub creation: Creation,
    /// The session to attach to
    #[arg(long, short, value_name = "NAME", default_value_t)]
    pub session: SessionName,
    /// Create and start what is not there yet: the container, the session
    #[arg(long)]
    pub create: bool,
    /// Print the command that docker's own client would attach with
    #[arg(long, conflicts_with = "create")]
    pub print: bool,
    /// What a new session runs, in place of a shell
    #[arg(last = true, value_name = "CMD", requires = "create")]
    pub command: Vec<String>,
    /// The project's path, where TARGET names a container that does not exist yet.
    #[arg(long, env = "WHARF_PROJECT", hide = true)]
    pub project: Option<String>,
}

#[derive(Debug, Args)]
pub struct List {
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Stop {
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Stop every project's container
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
}

#[derive(Debug, Args)]
pub struct Rm {
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Remove the project's volumes too: the home directory and all that is in it
    #[arg(long)]
    pub volumes: bool,
    /// Don't ask, even where sessions are live
    #[arg(long, short)]
    pub force: bool,
}

fn absolute_path(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    if path.starts_with('/') { Ok(path.to_owned()) } else { Err("it has to be an absolute path below `/`".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
