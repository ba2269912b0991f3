//! The harness: a world of its own for each test, on the machine's engine and private tmux servers.

mod docker;
mod host;
mod private_engine;
mod world;

use std::time::{Duration, Instant};

pub use docker::Docker;
pub use host::{Host, Screen, pane_process};
pub use private_engine::PrivateEngine;
pub use world::{World, binary, repository};

/// Full Debian with tmux: `scripts/default-image` makes it.
pub const DEBIAN: &str = "wharf-default:latest";
/// Nothing but busybox: `scripts/test-images` makes it, and the next one.
pub const BUSYBOX: &str = "wharf-test-busybox:latest";
/// A shell, and no `sleep`: its containers end at once.
pub const NO_SLEEP: &str = "wharf-test-nosleep:latest";

/// Longer than anything takes on a machine that does several things at once.
const DEADLINE: Duration = Duration::from_secs(20);

/// Waits until `probe` gives something; fails with what it was waiting for.
#[track_caller]
pub fn wait_for<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}

pub fn is_root() -> bool {
    rustix::process::getuid().is_root()
}
