//! What wharf's own program is for inside a container.

use clap::{Args, Subcommand};

/// What wharf's own program is for inside a container. Nobody else calls these.
#[derive(Debug, Subcommand)]
pub enum Inside {
    /// Hold a container: start its relay, and stay
    #[command(hide = true)]
    Hold(Holding),
    /// Stay until a signal comes
    #[command(hide = true)]
    Pause,
    /// Let clients in; without a flag, start a relay unless one runs, and wait until it listens
    #[command(hide = true)]
    Relay(RelayMode),
    /// Run the tmux that keeps the sessions
    #[command(hide = true, disable_help_flag = true)]
    Tmux {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run a session's command, and keep its last screen until a key closes it
    #[command(hide = true, disable_help_flag = true)]
    Keep {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
    /// Run a project's hooks
    #[command(hide = true, subcommand)]
    Hooks(HooksVerb),
    /// Let ssh in
    #[command(hide = true, subcommand)]
    Sshd(SshdVerb),
    /// Run a program in this one's place
    #[command(hide = true, disable_help_flag = true)]
    Become {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
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
