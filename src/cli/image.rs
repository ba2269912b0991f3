//! Verbs for images.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum Image {
    /// Make the default image: a Debian with tmux, git and the usual tools
    Build(BuildImage),
    /// List wharf's own images and those that were built for projects
    List {
        /// Print an array of objects
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Args)]
pub struct BuildImage {
    /// The one with CUDA, which containers with GPUs get by default
    #[arg(long)]
    pub gpu: bool,
    /// Make it anew where it is there
    #[arg(long, short)]
    pub force: bool,
    /// The image to base it on.
    #[arg(long, env = "WHARF_BASE_IMAGE", hide = true)]
    pub base: Option<String>,
}
