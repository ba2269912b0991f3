//! Commands in names, which nobody may run.

use super::program::printed_by;
use super::{Docker, World};

/// In the name of a directory, where it has no slash: whatever runs it makes a file where it stands.
pub const TRAP: &str = "touch trap-has-run";
/// The file.
const SPRUNG: &str = "trap-has-run";

impl World {
    /// Nobody has run [`TRAP`], neither on the host nor in a container.
    #[track_caller]
    pub fn assert_no_trap_has_run(&self) {
        let found = printed_by(self.command("find").arg(self.root()).args(["-name", SPRUNG]));
        assert_eq!(found, "", "a name was obeyed on the host");
        for container in Docker::below("container", self.root()) {
            let places = format!("find / ~ . /tmp -maxdepth 1 -name {SPRUNG}");
            assert_eq!(Docker::shell(&container, &places), "", "a name was obeyed in {container}");
        }
    }
}
