//! What wharf's own program is for inside a container.

use std::env;

use clap::{Args, Parser, Subcommand};

/// A command line of its own: getting in by the engine's exec waits for the program to start, and a millisecond of that
/// is what it takes to build the command line that people have.
#[derive(Debug, Parser)]
#[command(name = "wharf", version)]
struct InsideCli {
    #[command(subcommand)]
    verb: Inside,
}

/// What wharf's own program is for inside a container. Nobody else calls these.
#[derive(Debug, Subcommand)]
pub enum Inside {
    /// Hold a container: start its relay, and stay
    Hold(Holding),
    /// Be a container's first process: run a program, reap what it leaves, and end with it
    #[command(disable_help_flag = true)]
    Init {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
    /// Stay until a signal comes
    Pause,
    /// Let clients in; without a flag, start a relay unless one runs, and wait until it listens
    Relay(RelayMode),
    /// Run the tmux that keeps the sessions
    #[command(disable_help_flag = true)]
    Tmux {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run a session's command, and keep its last screen until a key closes it
    #[command(disable_help_flag = true)]
    Keep {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
    /// Run a project's hooks
    #[command(subcommand)]
    Hooks(HooksVerb),
    /// Let ssh in
    #[command(subcommand)]
    Sshd(SshdVerb),
    /// Run a program in this one's place
    #[command(disable_help_flag = true)]
    Become {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
}

impl Inside {
    /// Where this program was called for one of these. Exits where that was wrong.
    pub fn of_this_program() -> Option<Self> {
        let word = env::args_os().nth(1)?;
        Self::has_subcommand(word.to_str()?).then(|| InsideCli::parse().verb)
    }
}

#[derive(Debug, Clone, Copy, Args)]
pub struct Holding {
    /// Only until the first client that ran something has gone
    #[arg(long)]
    pub once: bool,
    /// Only until the last session has ended
    #[arg(long)]
    pub until_last_session: bool,
}

#[derive(Debug, Subcommand)]
pub enum HooksVerb {
    /// Those of a new container, unless they have succeeded
    Create {
        #[arg(value_parser = hooks)]
        hooks: Hooks,
    },
    /// Those of this start, in the background
    Start {
        /// Be what goes on with them
        #[arg(long)]
        serve: bool,
        #[arg(value_parser = hooks)]
        hooks: Hooks,
    },
    /// Print what became of them
    State,
}

/// clap takes a plain `Vec` for many arguments.
pub type Hooks = Box<[Vec<String>]>;

fn hooks(json: &str) -> Result<Hooks, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[derive(Debug, Subcommand)]
pub enum SshdVerb {
    /// Print the public key
    HostKey,
    /// One client, on standard input and output
    Serve { keys: String },
    /// At the container's port
    Listen { keys: String },
}

#[derive(Debug, Clone, Copy, Args)]
pub struct RelayMode {
    /// Don't wait; let nobody in before that process has become what holds the container
    #[arg(long, value_name = "PID")]
    pub beside: Option<u32>,
    /// Be the relay
    #[arg(long)]
    pub serve: bool,
    /// Serve one client on standard input and output
    #[arg(long)]
    pub stdio: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        InsideCli::command().debug_assert();
    }

    #[test]
    fn nothing_that_people_call_has_such_a_name() {
        for verb in Cli::command().get_subcommands() {
            assert!(!Inside::has_subcommand(verb.get_name()), "{}", verb.get_name());
        }
    }
}
