//! Verbs that end a container, or put another in its place.

use std::time::Duration;

use clap::Args;

use super::Creation;
use crate::config::age::age;

#[derive(Debug, Args)]
pub struct Stop {
    /// Directories, projects' names or containers' [default: the project at hand]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Stop every project's container
    #[arg(long, conflicts_with = "targets")]
    pub all: bool,
    /// With `--all`, those that other users of this machine have made, too
    #[arg(long, requires = "all")]
    pub everyone: bool,
}

#[derive(Debug, Args)]
pub struct Restart {
    /// Directories, projects' names or containers' [default: the project at hand]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Don't ask, even where sessions are live
    #[arg(long, short)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct Rm {
    /// Directories, projects' names or containers' [default: the project at hand]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,
    /// Remove the project's volumes too: the home directory and all that is in it
    #[arg(long)]
    pub volumes: bool,
    /// Don't ask, even where sessions are live
    #[arg(long, short)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct Rebuild {
    /// Directories, projects' names or containers' [default: the project at hand]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<String>,

    #[command(flatten)]
    pub creation: Creation,
    /// Only say what would change, and which live sessions would end
    #[arg(long)]
    pub dry_run: bool,
    /// Don't ask, even where sessions are live
    #[arg(long, short)]
    pub force: bool,
}

#[derive(Debug, Clone, Copy, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Prune {
    /// Every container that does not run, too; the volumes of projects that exist stay
    #[arg(long)]
    pub all: bool,
    /// Only containers and volumes that nobody has used for this long, as in `30d` or `12h`
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub older_than: Option<Duration>,
    /// Those that other users of this machine have made, too
    #[arg(long)]
    pub everyone: bool,
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Don't ask
    #[arg(long, short)]
    pub force: bool,
}
