//! The harness: a world of its own for each test, on the machine's engine and private tmux servers.

mod docker;
mod host;
mod marks;
mod private_engine;
mod program;
mod registry;
pub mod relay;
mod talk;
mod terminal;
mod trap;
mod world;

use std::thread;
use std::time::{Duration, Instant};

pub use docker::Docker;
pub use host::{Host, Screen, pane_process};
pub use marks::{Tag, run_label};
pub use private_engine::PrivateEngine;
pub use program::{output_of, printed_by, run};
pub use registry::Registry;
pub use talk::Talk;
pub use terminal::RawTerminal;
pub use trap::TRAP;
pub use world::{Outcome, Place, Run, World, binary, guest, repository};

/// Full Debian with tmux: `wharf image build` makes it.
pub const DEBIAN: &str = "wharf-default:latest";
/// Nothing but busybox: `scripts/test-images` makes it, and the next one.
pub const BUSYBOX: &str = "wharf-test-busybox:latest";
/// A shell, and no `sleep`.
pub const NO_SLEEP: &str = "wharf-test-nosleep:latest";
/// A shell, and a `sleep` that cannot be run: its containers end at once.
pub const BAD_SLEEP: &str = "wharf-test-badsleep:latest";
/// One static program, `/app`, and nothing else: what it can do is in `tests/images/app.c`.
pub const STATIC: &str = "wharf-test-static:latest";
/// A shell that is linked with musl.
pub const MUSL: &str = "wharf-test-musl:latest";
/// A shell, and a tmux that is too old: 3.1c, or 3.0a where Ubuntu has made it.
pub const OLD_TMUX: &str = "wharf-test-oldtmux:latest";
/// An entry point that ends at once, another user, another working directory, variables, and a `/run/wharf` that is root's.
pub const OWN: &str = "wharf-test-own:latest";
/// The default image with OpenSSH's server, which has no host key.
pub const SSHD: &str = "wharf-test-sshd:latest";
/// Of an architecture that this machine is not of.
pub const OTHER_ARCH: &str = "wharf-test-arm64:latest";

/// Longer than anything takes on a machine that does several things at once.
const DEADLINE: Duration = Duration::from_secs(60);
/// What wharf's own deadlines add up to, and as much again for a busy machine: that it gives up, and not how fast, which
/// `scripts/bench silent` measures.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks, at most: the first ones follow faster, since most things are there at once.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until `probe` gives something; fails with what it was waiting for.
#[track_caller]
pub fn wait_for<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "waited in vain for {what}");
        thread::sleep(pause);
        pause = PAUSE.min(pause * 2);
    }
}

#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}

/// Waits until `probe` gives what is expected; fails with what it gave last.
#[track_caller]
pub fn wait_for_equal(what: &str, expected: &str, mut probe: impl FnMut() -> String) {
    let start = Instant::now();
    loop {
        let found = probe();
        if found == expected {
            return;
        }
        assert!(start.elapsed() < DEADLINE, "waited in vain for {what}:\n{expected}\nlast seen:\n{found}");
        thread::sleep(PAUSE / 2);
    }
}

pub fn is_root() -> bool {
    rustix::process::getuid().is_root()
}
