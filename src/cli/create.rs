//! Verbs that make a container, or run something in one.

use std::time::Duration;

use clap::Args;

use super::waits::duration;
use crate::model::SessionName;

// What a container is made from, where there is none yet. No doc comment: clap would take it for what each verb does.
#[derive(Debug, Clone, Default, Args)]
pub struct Creation {
    /// The image to create the container from [default: wharf-default:latest]
    #[arg(long, env = "WHARF_IMAGE", hide_env_values = true)]
    pub image: Option<String>,
    /// Mount the project here in the container, in place of at its own path
    #[arg(long, value_name = "PATH", value_parser = absolute_path)]
    pub workspace: Option<String>,
    /// Add what the configuration has under this name
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Which devcontainer.json counts, where `.devcontainer` has several: the name of its directory
    #[arg(long, value_name = "NAME")]
    pub config: Option<String>,
    /// The port of this machine that leads to the container's sshd, where `ssh` is configured [default: WHARF_SSH_PORT, else the
    /// configured one, else a free one]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub ssh_port: Option<u16>,
    /// Let the container write only to the project, the home directory and /tmp
    #[arg(long)]
    pub read_only: bool,
    /// Whether the engine chooses the ports of this machine that lead to the container's, as for a branch.
    #[arg(skip)]
    pub auto_ports: bool,
    /// Whether it is removed when its last session ends, which `--rm` of some verbs says.
    #[arg(skip)]
    pub remove_on_exit: bool,
}

#[derive(Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Open {
    /// Directories, projects' names or containers' [default: the project at hand]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    #[command(flatten)]
    pub creation: Creation,
    /// The session to open [default: main]
    #[arg(long, short, value_name = "NAME")]
    pub session: Option<SessionName>,
    /// Start the container and the session, and leave it at that
    #[arg(long, short)]
    pub detach: bool,
    /// Recreate the container first, and keep its volumes; made as it was, where no option says otherwise
    #[arg(long)]
    pub fresh: bool,
    /// Open a session of root's, called `root` where no other name is given
    #[arg(long)]
    pub root: bool,
    /// Remove the container when its last session ends, where this creates it; its volumes stay
    #[arg(long)]
    pub rm: bool,
    /// Don't ask, even where sessions are live
    #[arg(long, short, requires = "fresh")]
    pub force: bool,
    /// What a new session runs, in place of a shell
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Start {
    /// Directories, projects' names or containers' [default: the project at hand]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Start every project's container that does not run
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
    /// With `--all`, those that other users of this machine have made, too
    #[arg(long, requires = "all")]
    pub everyone: bool,

    #[command(flatten)]
    pub creation: Creation,
    /// Wait until it is ready, and each session that is there from the start
    #[arg(long)]
    pub wait: bool,
    /// Give up waiting after this long, as in `90s` or `5m`, with exit code 124
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "wait")]
    pub timeout: Option<Duration>,
}

#[derive(Debug, Args)]
pub struct Exec {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// Run it as root, who may install packages and change what belongs to nobody else in the container
    #[arg(long)]
    pub root: bool,
    /// Give the program three streams even where this runs on a terminal
    #[arg(long, short = 'T')]
    pub no_tty: bool,
    /// What to run, and its arguments; in the same directory of the project as this, where no TARGET is named
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Run {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    #[command(flatten)]
    pub creation: Creation,
    /// Remove the container afterwards; always so, and taken from who is used to writing it
    #[arg(long)]
    pub rm: bool,
    /// Give the program three streams even where this runs on a terminal
    #[arg(long, short = 'T')]
    pub no_tty: bool,
    /// What to run, and its arguments; in the same directory of the project as this, where no TARGET is named
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<String>,
}

fn absolute_path(text: &str) -> Result<String, String> {
    let path = text.trim_end_matches('/');
    if path.starts_with('/') { Ok(path.to_owned()) } else { Err("it has to be an absolute path below `/`".to_owned()) }
}
