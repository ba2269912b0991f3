//! What is asked for when a project's container is made.

use std::path::Path;

use crate::container::plan::WantedImage;
use crate::container::recorded::RecordedConfig;
use crate::container::resources::Resources;
use crate::guest::delivery::Sources;
use crate::project::host_user::HostUser;

/// What a container gets from the host and from the person that asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub image: WantedImage<'a>,
    /// Whether the container ends, and is removed, with the first client that has run something in it.
    pub throw_away: bool,
    /// Whether the container may write only to the project, its home, `/tmp` and volumes.
    pub read_only: bool,
    /// Where the project is mounted; at its own path where `None`.
    pub workspace: Option<&'a str>,
    pub user: &'a HostUser,
    /// The id of the user of this machine who wants it.
    pub owner: u32,
    /// The user of the image that takes their place; looked up when the container is made.
    pub login: Option<&'a str>,
    /// Where its sshd is reached, if it has one.
    pub ssh_port: Option<u16>,
    /// What else the configuration says.
    pub resources: &'a Resources,
    /// All of the configuration that counts, to be kept on the container.
    pub recorded: &'a RecordedConfig,
    /// The directory for what is shared with containers.
    pub state_dir: &'a Path,
    /// The directory for what can be found out anew.
    pub cache_dir: &'a Path,
    /// Where to find what the container gets.
    pub tools: Sources<'a>,
}

impl<'a> Wanted<'a> {
    /// Whether sudo is to work: it has to be told so in a file, and whoever is root anyway needs none.
    pub fn has_sudo(&self) -> bool {
        self.resources.sudo && !self.read_only && self.user.uid != 0
    }

    /// What is wanted, for this user in place of the host's where there is one.
    pub fn run_as<'b>(&self, user: Option<&'b HostUser>) -> Wanted<'b>
    where
        'a: 'b,
    {
        Wanted { user: user.unwrap_or(self.user), ..*self }
    }
}
