//! The directories that projects are in, by the configuration.

use std::mem;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use walkdir::{DirEntry, WalkDir};

use super::project_of;
use crate::project::Project;

/// How far below a root to look, and how much in all: a root that is all of a disk holds nobody up for ever.
const DEEPEST: usize = 6;
const MOST_DIRECTORIES: usize = 200_000;
const MOST_PROJECTS: usize = 20_000;
/// What is found is told in pieces.
const PIECE: Duration = Duration::from_millis(50);

/// Tells of every project below these directories, and does not look for others within one; whether all was seen.
pub fn search(roots: &[PathBuf], home: Option<&Path>, mut tell: impl FnMut(Vec<Project>) -> bool) -> bool {
    let (mut found, mut told, mut total, mut seen) = (Vec::new(), Instant::now(), 0, 0);
    for root in roots {
        let Ok(root) = root.canonicalize() else { continue };
        let mut walk = WalkDir::new(&root).max_depth(DEEPEST).into_iter();
        let mut walk = std::iter::from_fn(move || {
            let entry = walk.by_ref().next()?;
            let is_project =
                entry.as_ref().is_ok_and(|entry| entry.depth() > 0 && entry.file_type().is_dir() && is_project(entry.path()));
            let is_skipped = entry.as_ref().is_ok_and(|entry| entry.file_type().is_dir() && is_skipped(entry));
            if is_project || is_skipped {
                walk.skip_current_dir();
            }
            Some(entry.ok().filter(|entry| entry.file_type().is_dir()).map(|entry| (entry, is_project && !is_skipped)))
        });
        for (entry, is_project) in walk.by_ref().flatten() {
            seen += 1;
            if is_project {
                found.extend(project_of(entry.path(), home));
            }
            if !found.is_empty() && told.elapsed() > PIECE {
                total += found.len();
                if !tell(mem::take(&mut found)) {
                    return false;
                }
                told = Instant::now();
            }
            if seen > MOST_DIRECTORIES || total + found.len() > MOST_PROJECTS {
                break;
            }
        }
    }
    tell(found)
}

/// What `find_root` looks for.
fn is_project(directory: &Path) -> bool {
    [".git", "wharf.kdl", ".devcontainer"].iter().any(|marker| directory.join(marker).exists())
}

fn is_skipped(entry: &DirEntry) -> bool {
    let name = entry.file_name().as_encoded_bytes();
    entry.depth() > 0 && (name.starts_with(b".") || name == b"node_modules" || name == b"target")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn found(root: &Path) -> Vec<String> {
        let mut all = Vec::new();
        let is_whole = search(&[root.to_owned(), root.join("missing")], None, |projects| {
            all.extend(projects);
            true
        });
        assert!(is_whole);
        let canonical = root.canonicalize().unwrap();
        let relative = |project: &Project| project.path().strip_prefix(&canonical).unwrap().to_str().unwrap().to_owned();
        let mut all: Vec<String> = all.iter().map(relative).collect();
        all.sort();
        all
    }

    #[test]
    fn what_lies_below_a_root_is_found_and_nothing_within_it() {
        let dir = tempfile::tempdir().unwrap();
        for path in [
            "api/.git",
            "api/vendor/lib/.git",
            "deep/er/web/.git",
            "with\nnewline/.git",
            ".hidden/x/.git",
            "app/node_modules/dep/.git",
            "app/target/dep/.git",
            "a/b/c/d/e/f/too-deep/.git",
            "plain/src",
        ] {
            fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        fs::create_dir(dir.path().join("by-file")).unwrap();
        fs::write(dir.path().join("by-file/wharf.kdl"), "").unwrap();
        symlink(dir.path(), dir.path().join("loop")).unwrap();
        assert_eq!(found(dir.path()), ["api", "by-file", "deep/er/web", "with\nnewline"]);
    }

    #[test]
    fn nobody_looks_on_when_nobody_listens() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("api/.git")).unwrap();
        assert!(!search(&[dir.path().to_owned()], None, |_| false));
    }
}
