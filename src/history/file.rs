//! The file: a line is added by one write, and where there are too many, a shorter file takes its place.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::entry::{Entry, shortened};
use crate::paths;

/// The size from which the file is shortened: some 10,000 lines. It is not written to above twice of it.
const MOST_BYTES: u64 = 1 << 20;
/// How many projects a shortened file knows.
const MOST_PROJECTS: usize = 2000;
/// How often to look for the file again where another process has just put a shorter one in its place.
const ATTEMPTS: u32 = 10;

fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("history")
}

/// Every entry that reads as one, the latest where the file is longer than ours are.
pub fn read(state_dir: &Path) -> Vec<Entry> {
    let read = || -> io::Result<Vec<Entry>> {
        let mut file = open(OpenOptions::new().read(true), &path(state_dir))?;
        let too_much = file.metadata()?.len().saturating_sub(2 * MOST_BYTES);
        file.seek(SeekFrom::Start(too_much))?;
        read_all(&file)
    };
    read().unwrap_or_default()
}

fn read_all(file: &File) -> io::Result<Vec<Entry>> {
    let mut bytes = Vec::new();
    file.take(2 * MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes.split(|&byte| byte == b'\n').filter_map(Entry::parse).collect())
}

/// Adds an entry. Any number of processes may do so at once, and the disk is not waited for.
pub fn append(state_dir: &Path, entry: &Entry) -> io::Result<()> {
    let path = path(state_dir);
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true).mode(0o600);
    for _ in 0..ATTEMPTS {
        let file = match open(&mut options, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                paths::create(state_dir).map_err(io::Error::other)?;
                open(&mut options, &path)?
            }
            opened => opened?,
        };
        match file.try_lock_shared() {
            // It is being shortened, and goes.
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(std::time::Duration::from_millis(1));
                continue;
            }
            // The error is that of a file system without locks.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let metadata = file.metadata()?;
        if metadata.nlink() == 0 {
            continue;
        }
        if metadata.len() > 2 * MOST_BYTES {
            drop(file);
            shorten(state_dir)?;
            continue;
        }
        // One write, which others' can't come between. What somebody has cut ends where this begins.
        let cut = ends_in_a_line(&file, metadata.len()).is_ok_and(|ends| !ends);
        (&file).write_all(format!("{}{}", if cut { "\n" } else { "" }, entry.line()).as_bytes())?;
        drop(file);
        return if metadata.len() > MOST_BYTES { shorten(state_dir) } else { Ok(()) };
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

fn ends_in_a_line(file: &File, length: u64) -> io::Result<bool> {
    let mut last = [b'\n'];
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    Ok(last == *b"\n")
}

/// Puts a shorter file in this one's place. Where another process writes to it just now, the next one does.
fn shorten(state_dir: &Path) -> io::Result<()> {
    let path = path(state_dir);
    let file = open(OpenOptions::new().read(true), &path)?;
    if file.try_lock().is_err() || file.metadata()?.nlink() == 0 {
        return Ok(());
    }
    let too_much = file.metadata()?.len().saturating_sub(2 * MOST_BYTES);
    (&file).seek(SeekFrom::Start(too_much))?;
    let lines: String = shortened(read_all(&file)?, MOST_PROJECTS).iter().map(Entry::line).collect();
    let next = path.with_extension(format!("next-{}", std::process::id()));
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next).and_then(|mut new| {
        new.write_all(lines.as_bytes())?;
        fs::rename(&next, &path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&next);
    }
    written
}

/// A file and nothing else: to open a pipe would be to wait for who is at its other end.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a file")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SessionName;
    use crate::project::Project;
    use jiff::Timestamp;

    fn entry(path: &str, second: i64) -> Entry {
        Entry::new(&Project::from_label(path), &SessionName::default(), Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn writers_at_once_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let state = &state;
                scope.spawn(move || (0..50).for_each(|i| append(state, &entry(&format!("/{writer}/\n{i}"), i)).unwrap()));
            }
        });
        let mut paths: Vec<String> = read(&state).into_iter().map(|entry| entry.project).collect();
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), 400);
    }

    #[test]
    fn what_was_cut_or_is_garbage_costs_only_itself() {
        let dir = tempfile::tempdir().unwrap();
        append(dir.path(), &entry("/a", 1)).unwrap();
        let mut file = OpenOptions::new().append(true).open(path(dir.path())).unwrap();
        file.write_all(b"\0\xff\n\n{\"at\":2,\"project\":\"/cut").unwrap();
        append(dir.path(), &entry("/b", 3)).unwrap();
        assert_eq!(read(dir.path()), [entry("/a", 1), entry("/b", 3)]);
    }

    #[test]
    fn a_long_file_becomes_a_short_one_that_knows_the_same_projects() {
        let dir = tempfile::tempdir().unwrap();
        let lines: String = (0..30_000).map(|i| entry(&format!("/src/project-{}", i % 100), i).line()).collect();
        assert!(lines.len() as u64 > MOST_BYTES && (lines.len() as u64) < 2 * MOST_BYTES, "{}", lines.len());
        fs::write(path(dir.path()), lines).unwrap();
        append(dir.path(), &entry("/last", 40_000)).unwrap();
        assert!(fs::metadata(path(dir.path())).unwrap().len() < 20_000);
        let entries = read(dir.path());
        assert_eq!((entries.len(), entries.last().unwrap().project.as_str()), (101, "/last"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_others_have_made_huge_is_read_at_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = File::create(path(dir.path())).unwrap();
        file.set_len(1 << 32).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        file.write_all(format!("\n{}", entry("/a", 1).line()).as_bytes()).unwrap();
        assert_eq!(read(dir.path()), [entry("/a", 1)]);
        append(dir.path(), &entry("/b", 2)).unwrap();
        assert_eq!(read(dir.path()).len(), 2);
        assert!(fs::metadata(path(dir.path())).unwrap().len() < 1000);
    }

    #[test]
    fn where_it_cannot_be_there_is_no_history_and_nobody_waits() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        assert!(append(&dir.path().join("file"), &entry("/a", 1)).is_err());
        assert_eq!(read(&dir.path().join("file")), []);
        // A pipe that nobody reads.
        let made = std::process::Command::new("mkfifo").arg(path(dir.path())).status().unwrap();
        assert!(made.success());
        assert!(append(dir.path(), &entry("/a", 1)).is_err());
        assert_eq!(read(dir.path()), []);
    }
}
