//! Root in the container of somebody else. Its programs are started in a container of their own, which shares the processes and
//! the network of the one that they are meant for, and enter that one's file system from there.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{chroot, getuid};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use crate::protocol::RUNTIME_DIR;

/// What the way in takes, and no program that is run there: a process's root directory is read by who may trace it.
const ON_THE_WAY: CapabilitySet = CapabilitySet::SYS_PTRACE.union(CapabilitySet::SYS_CHROOT);
/// Where root's sessions have their socket, in the order of preference: the first can't be made where the container is read-only.
const DIRECTORIES: [&str; 2] = ["/run/wharf-root", "/dev/shm/wharf-root"];
/// How often to look whether a container for root's programs still has any.
const PULSE: Duration = Duration::from_secs(5);

/// Enters the file system of the first process, for good.
pub fn enter() -> io::Result<()> {
    chroot("/proc/1/root")?;
    env::set_current_dir("/")?;
    super::relay::go_where_programs_start();
    let mut left = capabilities(None)?;
    left.effective.remove(ON_THE_WAY);
    left.permitted.remove(ON_THE_WAY);
    left.inheritable = CapabilitySet::empty();
    Ok(set_capabilities(None, left)?)
}

/// Whether this is root where sessions are somebody else's. What lies in that user's directories is theirs to change: root neither
/// writes there nor goes by it.
pub fn is_beside_user() -> bool {
    getuid().is_root() && fs::metadata(RUNTIME_DIR).is_ok_and(|directory| directory.uid() != 0)
}

/// A directory in the container that nobody but root can enter, and that was made where there was none. What is somebody else's
/// is never given: where none can be made, nothing can be put into what is.
pub fn directory() -> PathBuf {
    let is_roots = |path: &Path| {
        fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && found.uid() == 0 && found.mode() & 0o7777 == 0o700)
    };
    let found = DIRECTORIES.into_iter().map(Path::new).find(|path| {
        let _ = DirBuilder::new().mode(0o700).create(path);
        is_roots(path)
    });
    found.unwrap_or(Path::new("/proc/wharf-root")).to_owned()
}

/// Stays for as long as another process is in the same container, and a moment longer.
pub fn linger() -> ExitCode {
    let mut times_alone = 0;
    while times_alone < 2 {
        sleep(PULSE);
        times_alone = if is_alone() { times_alone + 1 } else { 0 };
    }
    ExitCode::SUCCESS
}

/// Containers that share processes still differ in their control groups.
fn is_alone() -> bool {
    let Ok(own) = fs::read("/proc/self/cgroup") else {
        return false;
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let numbered = processes.filter(|process| process.file_name().to_str().is_some_and(is_number));
    numbered.filter(|process| fs::read(process.path().join("cgroup")).is_ok_and(|group| group == own)).count() == 1
}
