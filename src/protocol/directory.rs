//! A directory as the kernel tells it from others, which both sides of a mount see alike.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    pub device: u64,
    pub inode: u64,
    /// Whether it was removed while somebody was in it.
    pub is_removed: bool,
}

impl Directory {
    pub fn at(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), is_removed: metadata.nlink() == 0 })
    }

    /// Whether another one is at its path now. Of a device that only one side has, as in a virtual machine, nobody can say.
    pub fn was_replaced_by(&self, now: &Self) -> bool {
        self.is_removed || self.device == now.device && self.inode != now.inode
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_directory_at_the_same_path() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("api");
        fs::create_dir(&path).unwrap();
        let first = Directory::at(&path).unwrap();
        fs::write(path.join("file"), "").unwrap();
        assert!(!first.was_replaced_by(&Directory::at(&path).unwrap()));
        fs::rename(&path, parent.path().join("old")).unwrap();
        fs::create_dir(&path).unwrap();
        let now = Directory::at(&path).unwrap();
        assert!(first.was_replaced_by(&now));
        assert!(!Directory { device: first.device + 1, ..first }.was_replaced_by(&now));
        assert!(Directory { is_removed: true, ..first }.was_replaced_by(&first));
    }
}
