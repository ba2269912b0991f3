//! The command line. The comments here are its help.

mod branch;
mod config;
mod create;
mod end;
mod format;
mod image;
mod reach;
mod see;
mod sessions;
mod waits;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::tmux::{ClientName, PaneId};

pub use branch::{Branch, Branches};
pub use config::{Config, ShowConfig, Trust};
pub use create::{Creation, Exec, Open, Run, Start};
pub use end::{Prune, Rebuild, Restart, Rm, Stop};
pub use image::{BuildImage, Image};
pub use reach::{Cp, Forward, Place};
pub use see::{Doctor, Events, Inspect, List, Logs, Pick, Ports, SshProxy, Status, Watch};
pub use sessions::{Attach, Capture, Kill, Send, Sessions, Since, Split, Wait};
pub use waits::WaitFor;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// One window, one project, one container that outlives every terminal.
///
/// A TARGET is a directory, a project's name (`api`), `parent/name`, or a container's name; `TARGET:SESSION` names a session
/// of it. Without one, it is the project of the directory at hand.
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
// Only what is asked for is built: all of it would take a third of the time that a command takes to start.
#[command(defer = true)]
pub enum Command {
    /// Open a project: select its window, or make one; outside tmux, attach here
    Open(Open),
    /// Make a project's container exist and run, without a terminal
    Start(Start),
    /// Attach this terminal to a session that runs
    Attach(Attach),
    /// Open another session of the container that this pane shows, in the same directory
    Split(Split),
    /// Run a program in a project's container, with this terminal or these streams
    Exec(Exec),
    /// Lead a port of this machine to one of a container's, without publishing it
    Forward(Forward),
    /// Copy files between this machine and a container
    Cp(Cp),
    /// Run a program in a container of its own, which is gone afterwards
    Run(Run),
    /// Type text into a session, byte for byte
    Send(Send),
    /// Print what a session's screen shows
    Capture(Capture),
    /// List a project's sessions
    Sessions(Sessions),
    /// Give a branch a worktree, a container and a session; with `--done`, remove all three
    Branch(Branch),
    /// List the branches that have a worktree
    Branches(Branches),
    /// Open the next session that waits for its user
    Next,
    /// Wait for sessions to end, to ring, to print, to wait for somebody, or to be ready
    Wait(Wait),
    /// Tell what happens to containers and sessions, as it happens
    Events(Events),
    /// End sessions, and all that runs in them
    Kill(Kill),
    /// List projects that have a container
    #[command(visible_alias = "ps")]
    List(List),
    /// List the ports by which this machine leads into containers
    Ports(Ports),
    /// Say in one line how a project's container stands
    Status(Status),
    /// Lead an ssh client into a container, for ssh's `ProxyCommand`
    SshProxy(SshProxy),
    /// Print the lines of `~/.ssh/config` with which `ssh NAME.wharf` works
    SshConfig,
    /// Pick a project or a session from a list that is searched while you type, and open it
    Pick(Pick),
    /// Print what a container itself has printed
    Logs(Logs),
    /// Say all that is known of a project's container
    Inspect(Inspect),
    /// Stop containers, and keep them
    Stop(Stop),
    /// Stop and start containers, or run the command of a session again
    Restart(Restart),
    /// Remove containers
    Rm(Rm),
    /// Recreate a project's container from the image as it is now, and keep its volumes
    Rebuild(Rebuild),
    /// Remove what projects and containers that are gone have left
    Prune(Prune),
    /// Check, show and find the configuration
    #[command(subcommand)]
    Config(Config),
    /// Let a project's `wharf.kdl`, as it is now, reach the host
    Trust(Trust),
    /// Show what can be done with the project of this pane, in a menu of tmux
    Menu,
    /// Make the default image, and list the images that are wharf's
    #[command(subcommand)]
    Image(Image),
    /// Find what is wrong with engine, tmux, terminal, image and permissions, and what helps
    Doctor(Doctor),
    /// Bind the keys in the tmux server at hand; run from `.tmux.conf`
    Setup,
    /// Write into tmux how the containers of its windows stand, for its status line; `setup` starts it
    #[command(hide = true)]
    Watch(Watch),
    /// Print a completion script for a shell
    Completions { shell: Shell },
    /// Print the manual page
    Man,
}

impl Command {
    /// Whether it is about what other users have made as well.
    pub fn is_about_everyone(&self) -> bool {
        match self {
            Self::Start(args) => args.everyone,
            Self::List(args) => args.everyone,
            Self::Ports(args) => args.everyone,
            Self::Pick(args) => args.everyone,
            Self::Stop(args) => args.everyone,
            Self::Prune(args) => args.everyone,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// What is flattened into a verb's arguments comes last, with a sentence of its own if it has one.
    #[test]
    fn each_verb_says_what_it_does() {
        let (said, mut built) = (Cli::command(), Cli::command());
        built.build();
        for verb in said.get_subcommands() {
            let about = built.find_subcommand(verb.get_name()).and_then(|built| built.get_about());
            assert_eq!(about, verb.get_about(), "{}", verb.get_name());
        }
    }
}
