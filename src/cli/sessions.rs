//! Verbs for the sessions of a container.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Creation;
use super::waits::{WaitFor, duration, lines};
use crate::model::SessionName;
use crate::protocol::commands::Lines;
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
    pub text: Option<OsString>,
    /// The session to type into [default: main]
    #[arg(long, short, value_name = "NAME")]
    pub session: Option<SessionName>,
    /// Type what this file has
    #[arg(long, value_name = "PATH", conflicts_with = "text")]
    pub file: Option<PathBuf>,
    /// Let the program know that the text is a paste, if it asks to know of those
    #[arg(long)]
    pub paste: bool,
    /// Press these keys afterwards, by the names that tmux has for them, as in `--keys C-c Enter`
    #[arg(long, value_name = "KEY", num_args = 1.., value_parser = super::waits::key, allow_hyphen_values = true)]
    pub keys: Vec<String>,
    /// Press Enter at last
    #[arg(long, short)]
    pub enter: bool,
}

#[derive(Debug, Args)]
pub struct Capture {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// The session to look at [default: main]
    #[arg(long, short, value_name = "NAME")]
    pub session: Option<SessionName>,
    /// Keep colours and styles, as escape sequences
    #[arg(long, short)]
    pub escapes: bool,
    /// Print what has left the screen before it: so many lines, or all
    #[arg(long, value_name = "LINES", num_args = 0..=1, default_missing_value = "all", value_parser = lines)]
    pub history: Option<Lines>,
}

#[derive(Debug, Args)]
pub struct Kill {
    /// Directories, projects' names or containers', each with `:` and a session, which is main where none is named
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// The session to end, where one target is named, or none
    #[arg(long, short, value_name = "NAME")]
    pub session: Option<SessionName>,
}

#[derive(Debug, Args)]
pub struct Sessions {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// List those of all projects whose containers run
    #[arg(long, conflicts_with = "target")]
    pub all: bool,
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Wait {
    /// Directories, projects' names or containers', each with `:` and a session, which is main where none is named
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// The session to wait for, of targets that name none [default: main]
    #[arg(long, short, value_name = "NAME")]
    pub session: Option<SessionName>,
    /// What to wait for: `end`, `bell`, `activity`, `text=RE` (a line that this regular expression matches), `idle=5s` (nothing is
    /// printed for so long), `state=waiting` (or `working`, `done`, `failed`), or `ready`
    #[arg(long = "for", value_name = "WHAT", default_value = "end")]
    pub until: WaitFor,
    /// Only what has come since: the last `send`, or now; a bell counts from now on in any case
    #[arg(long, value_name = "WHEN", value_enum)]
    pub since: Option<Since>,
    /// Give up after this long, as in `90s` or `5m`, with exit code 124
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Wait for all targets; for the first of them otherwise
    #[arg(long)]
    pub all: bool,
    /// Print an object for each target that was waited for, a line each
    #[arg(long)]
    pub json: bool,
}

/// Since when something counts that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Since {
    Send,
    Now,
}
