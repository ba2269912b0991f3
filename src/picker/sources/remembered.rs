//! What was found below the roots the last time, for the first look at the picker. It can be found out anew.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::project::Project;

/// Some 20,000 paths.
const MOST_BYTES: u64 = 4 << 20;

/// The file that holds it.
#[derive(Debug, Clone)]
pub struct Remembered {
    pub cache_dir: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    /// It holds for no others.
    roots: Vec<PathBuf>,
    projects: Vec<String>,
}

impl Remembered {
    pub fn read(&self, roots: &[PathBuf]) -> Vec<Project> {
        let read = || {
            let path = self.path();
            let file = fs::metadata(&path).ok().filter(fs::Metadata::is_file).and_then(|_| fs::File::open(&path).ok())?;
            let mut bytes = Vec::new();
            file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
            let contents: Contents = serde_json::from_slice(&bytes).ok()?;
            let paths = contents.projects.into_iter().filter(|path| Path::new(path).is_absolute());
            (contents.roots == roots).then(|| paths.map(|path| Project::from_label(&path)).collect())
        };
        read().unwrap_or_default()
    }

    /// Where it cannot be written, the next look at the disk finds it all the same.
    pub fn write(&self, roots: &[PathBuf], projects: &[Project]) {
        let projects = projects.iter().map(Project::to_string).collect();
        let Ok(text) = serde_json::to_string(&Contents { roots: roots.to_vec(), projects }) else { return };
        let next = self.path().with_extension(format!("next-{}", std::process::id()));
        let written = fs::create_dir_all(&self.cache_dir).and_then(|()| fs::write(&next, text));
        if written.and_then(|()| fs::rename(&next, self.path())).is_err() {
            let _ = fs::remove_file(&next);
        }
    }

    fn path(&self) -> PathBuf {
        self.cache_dir.join("projects.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_for_the_roots_that_it_was_found_below() {
        let dir = tempfile::tempdir().unwrap();
        let remembered = Remembered { cache_dir: dir.path().join("cache") };
        let (roots, projects) = ([PathBuf::from("/src")], ["/src/a\nb", "/src/größe"].map(Project::from_label));
        remembered.write(&roots, &projects);
        assert_eq!(remembered.read(&roots), projects);
        assert_eq!(remembered.read(&[]), []);
        fs::write(remembered.path(), "{\"roots\":[\"/src\"],\"projects\":[\"relative\"").unwrap();
        assert_eq!(remembered.read(&roots), []);
    }
}
