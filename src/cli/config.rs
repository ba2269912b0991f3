//! Verbs for the configuration.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Creation;

#[derive(Debug, Subcommand)]
pub enum Config {
    /// Say all that is wrong with configuration files
    Check {
        /// [default: the global file and this project's]
        files: Vec<PathBuf>,
    },
    /// Print the configuration that counts, and where each value comes from
    Show(ShowConfig),
    /// Print where the configuration files are, or would be
    Path {
        /// A directory, a project's name or a container's [default: the project at hand]
        target: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct ShowConfig {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    #[command(flatten)]
    pub creation: Creation,
    /// Print an object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Trust {
    /// The project [default: that of this directory]
    #[arg(value_name = "DIR")]
    pub directory: Option<String>,
    /// Take it back
    #[arg(long)]
    pub revoke: bool,
}
