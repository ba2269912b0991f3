//! The right to be a server's only watcher: a lock that ends with the process, whatever happens to it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::digest::short_sha256;
use crate::error::{Error, Result};
use crate::paths;

/// How long a watcher of another wharf may take to end once it was told to.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// Where the watchers of this user's tmux servers hold their locks.
#[derive(Debug, Clone)]
pub struct Place {
    directory: PathBuf,
    file: PathBuf,
}

/// Held as long as this process watches.
#[derive(Debug)]
#[must_use]
pub struct Claim {
    place: Place,
    _file: File,
}

/// Who watches.
#[derive(Debug, PartialEq, Eq)]
pub enum Watcher {
    Nobody,
    /// The same program as this.
    Same,
    Another,
}

impl Place {
    /// Of the server that this process is. Another one at the same socket is another server.
    pub fn of(socket: &Path, process: u32, state_dir: &Path) -> Self {
        let directory = state_dir.join("watch");
        let file = directory.join(format!("{}-{process}", short_sha256(&socket.to_string_lossy())));
        Self { directory, file }
    }

    /// Costs no process and takes no time.
    pub fn watcher(&self) -> Watcher {
        let Ok(mut file) = File::open(&self.file) else {
            return Watcher::Nobody;
        };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) if holder(&mut file).is_some_and(|(program, _)| program != own_program()) => {
                Watcher::Another
            }
            Err(TryLockError::WouldBlock) => Watcher::Same,
            // Whoever looks must not be taken for a watcher for longer than that takes.
            _ => Watcher::Nobody,
        }
    }

    /// `None` where somebody else watches. With `replace`, another program's watcher is ended first.
    pub fn claim(&self, replace: bool) -> Result<Option<Claim>> {
        paths::create(&self.directory)?;
        let failed = |source| Error::io(format!("lock `{}`", self.file.display()), source);
        let started = Instant::now();
        loop {
            let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&self.file);
            let mut file = options.map_err(failed)?;
            match file.try_lock() {
                // Whoever held it before has removed the name.
                Ok(()) if !self.is(&file) => continue,
                Ok(()) => {
                    file.set_len(0).and_then(|()| write!(file, "{}\n{}\n", own_program(), std::process::id())).map_err(failed)?;
                    self.sweep();
                    return Ok(Some(Claim { place: self.clone(), _file: file }));
                }
                Err(TryLockError::WouldBlock) if started.elapsed() > PATIENCE => return Ok(None),
                Err(TryLockError::WouldBlock) => match holder(&mut file) {
                    Some((program, process)) if program == own_program() && is_alive(process) => return Ok(None),
                    Some((program, _)) if program != own_program() && !replace => return Ok(None),
                    Some((_, process)) if is_watcher(process) => {
                        let _ = kill_process(process, Signal::TERM);
                    }
                    // Somebody only looks, or has not written yet who it is.
                    _ => {}
                },
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn is(&self, file: &File) -> bool {
        let id = |found: fs::Metadata| (found.dev(), found.ino());
        fs::metadata(&self.file).ok().map(id) == file.metadata().ok().map(id)
    }

    /// Removes what watchers that were killed have left, of servers that are gone.
    fn sweep(&self) {
        for path in fs::read_dir(&self.directory).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path != self.file && File::open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // While it is still locked: nobody else's is removed.
        let _ = fs::remove_file(&self.place.file);
    }
}

/// The program and the process of who holds a lock.
fn holder(file: &mut File) -> Option<(String, Pid)> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.take(1024).read_to_string(&mut text)).ok()?;
    let (program, process) = text.strip_suffix('\n')?.split_once('\n')?;
    Some((program.to_owned(), Pid::from_raw(process.parse().ok()?)?))
}

/// One that is not has been killed, and somebody else only looks.
fn is_alive(process: Pid) -> bool {
    test_kill_process(process).is_ok()
}

/// Only in the moment between a watcher's end and the next one's word, the process could be anybody's.
fn is_watcher(process: Pid) -> bool {
    let words = fs::read(format!("/proc/{}/cmdline", process.as_raw_nonzero())).unwrap_or_default();
    words.split(|&b| b == 0).any(|word| word == b"watch")
}

/// The version, and which file: one that was built anew is another program.
fn own_program() -> String {
    let file = fs::metadata("/proc/self/exe").map(|found| (found.dev(), found.ino(), found.mtime_nsec()));
    let id = |(device, inode, modified)| format!("{device}:{inode}:{modified}");
    format!("{} {}", env!("CARGO_PKG_VERSION"), file.map(id).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(directory: &Path, process: u32) -> Place {
        Place::of(Path::new("/tmp/tmux-0/default"), process, directory)
    }

    #[test]
    fn one_watcher_for_each_server() {
        let directory = tempfile::tempdir().unwrap();
        let place = |process| place(directory.path(), process);
        assert_eq!(place(1).watcher(), Watcher::Nobody);
        let first = place(1).claim(false).unwrap().unwrap();
        assert_eq!(place(1).watcher(), Watcher::Same);
        assert!(place(1).claim(true).unwrap().is_none());
        let second = place(2).claim(false).unwrap();
        assert!(second.is_some());
        drop(first);
        assert_eq!(place(1).watcher(), Watcher::Nobody);
        assert!(place(1).claim(false).unwrap().is_some());
    }

    #[test]
    fn nothing_is_left_of_watchers() -> std::io::Result<()> {
        let directory = tempfile::tempdir()?;
        let killed = place(directory.path(), 1);
        fs::create_dir_all(&killed.directory)?;
        fs::write(&killed.file, "0.0.0\n1\n")?;
        let claim = place(directory.path(), 2).claim(false).unwrap();
        assert!(!killed.file.exists());
        drop(claim);
        assert_eq!(fs::read_dir(&killed.directory)?.count(), 0);
        Ok(())
    }

    #[test]
    fn another_programs_watcher_is_told_from_ones_own() {
        let directory = tempfile::tempdir().unwrap();
        let place = place(directory.path(), 1);
        fs::create_dir_all(&place.directory).unwrap();
        fs::write(&place.file, "0.0.0 other\n1\n").unwrap();
        let file = File::open(&place.file).unwrap();
        file.try_lock().unwrap();
        assert_eq!(place.watcher(), Watcher::Another);
        assert!(place.claim(false).unwrap().is_none());
    }
}
