//! Verbs for the sessions of a container.

use clap::{Args, ValueEnum};

use super::Creation;
use crate::model::SessionName;
use crate::tmux::Beside;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Attach {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    #[command(flatten)]
    pub creation: Creation,
    /// The session to attach to [default: main]
    #[arg(long, short, value_name = "NAME")]
    pub session: Option<SessionName>,
    /// Attach to a session of root's, called `root` where no other name is given
    #[arg(long)]
    pub root: bool,
    /// Create and start what is not there yet: the container, the session
    #[arg(long)]
    pub create: bool,
    /// Print the command that docker's own client would attach with
    #[arg(long, conflicts_with_all = ["create", "root"])]
    pub print: bool,
    /// What a new session runs, in place of a shell
    #[arg(last = true, value_name = "CMD", requires = "create")]
    pub command: Vec<String>,
    /// As of `open`.
    #[arg(long, hide = true, requires = "create")]
    pub rm: bool,
    /// The project's path, where TARGET names a container that does not exist yet.
    #[arg(long, env = "WHARF_PROJECT", hide = true)]
    pub project: Option<String>,
    /// The directory of a new session, as the container has it.
    #[arg(long, env = "WHARF_DIRECTORY", hide = true)]
    pub directory: Option<String>,
}

#[derive(Debug, Args)]
pub struct Split {
    /// Where the new session is shown
    #[arg(value_name = "WHERE", value_enum, default_value_t)]
    pub beside: Beside,
}

#[derive(Debug, Args)]
pub struct Send {
    /// A directory, a project's name or a container's
    pub target: String,
    /// What to type; standard input, where there is none
    pub text: Option<String>,
    /// The session to type into
    #[arg(long, short, value_name = "NAME", default_value_t)]
    pub session: SessionName,
    /// Press Enter afterwards
    #[arg(long, short)]
    pub enter: bool,
}

#[derive(Debug, Args)]
pub struct Capture {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// The session to look at
    #[arg(long, short, value_name = "NAME", default_value_t)]
    pub session: SessionName,
    /// Keep colours and styles, as escape sequences
    #[arg(long, short)]
    pub escapes: bool,
    /// How many of the lines that have left the screen to print before it
    #[arg(long, value_name = "LINES")]
    pub history: Option<u32>,
}

#[derive(Debug, Args)]
pub struct Sessions {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Wait {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// The session to wait for
    #[arg(long, short, value_name = "NAME", default_value_t)]
    pub session: SessionName,
    /// What to wait for: its end, a bell that nobody has seen, or anything that it prints or gets
    #[arg(long = "for", value_name = "WHAT", value_enum, default_value_t)]
    pub until: WaitFor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum WaitFor {
    #[default]
    End,
    Bell,
    Activity,
}
