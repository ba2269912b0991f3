//! Where a project has its devcontainer.json, and what is known by that place alone.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::project::normal;

const DIRECTORY: &str = ".devcontainer";
const FILE: &str = "devcontainer.json";
const BESIDE: &str = ".devcontainer.json";

/// The files of a project, in the order in which they count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The one that counts where no other is named.
    pub usual: Option<PathBuf>,
    /// Those that can be named, by the name of their directory.
    pub named: Vec<(String, PathBuf)>,
}

impl Found {
    pub fn of(root: &Path) -> Self {
        let usual = [root.join(DIRECTORY).join(FILE), root.join(BESIDE)].into_iter().find(|path| path.is_file());
        let entries = fs::read_dir(root.join(DIRECTORY)).into_iter().flatten().flatten();
        let named = entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path().join(FILE))));
        let mut named: Vec<(String, PathBuf)> = named.filter(|(_, path)| path.is_file()).collect();
        named.sort();
        Self { usual, named }
    }

    /// The file of this name; without one, the usual file, or the only one there is.
    pub fn choose(&self, name: Option<&str>) -> Option<&Path> {
        match (name, &self.usual, &self.named[..]) {
            (Some(name), ..) => self.named.iter().find(|(known, _)| known == name).map(|(_, path)| path.as_path()),
            (None, Some(usual), _) => Some(usual),
            (None, None, [(_, only)]) => Some(only),
            (None, None, _) => None,
        }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Path> {
        self.usual.iter().chain(self.named.iter().map(|(_, path)| path)).map(PathBuf::as_path)
    }

    pub fn names(&self) -> Vec<String> {
        self.named.iter().map(|(name, _)| name.clone()).collect()
    }
}

/// Whether a file is one of these, by its name.
pub fn is_devcontainer(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == FILE || name == BESIDE)
}

/// Whether there may be one, which is so unless there is surely none.
pub fn may_be_in(root: &Path) -> bool {
    [DIRECTORY, BESIDE].iter().any(|name| !matches!(root.join(name).try_exists(), Ok(false)))
}

/// A file's place in its project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The project's directory.
    pub root: PathBuf,
    /// The file's own, which paths in it are relative to.
    pub directory: PathBuf,
    file: PathBuf,
}

impl Place {
    pub fn of(file: &Path) -> Self {
        let directory = file.parent().unwrap_or(Path::new("")).to_owned();
        let is_named = |path: &Path| path.file_name().is_some_and(|name| name == DIRECTORY);
        let holder = directory.ancestors().take(2).find(|ancestor| is_named(ancestor)).and_then(Path::parent);
        Self { root: holder.unwrap_or(&directory).to_owned(), directory, file: file.to_owned() }
    }

    /// A path that the file names, relative to the project where it is in it.
    pub fn path(&self, named: &str) -> String {
        let path = normal(&self.directory.join(named));
        let inside = path.strip_prefix(&self.root).unwrap_or(&path);
        let inside = if inside.as_os_str().is_empty() { Path::new(".") } else { inside };
        inside.to_string_lossy().into_owned()
    }

    /// The last part of the project's path.
    pub fn basename(&self) -> String {
        self.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// What tells the container from others, as the reference tool has it: the hash of the two labels by which that finds it,
    /// in digits of five bits.
    pub fn id(&self) -> String {
        let (file, root) = (self.file.to_string_lossy(), self.root.to_string_lossy());
        let labels = serde_json::json!({ "devcontainer.config_file": file, "devcontainer.local_folder": root });
        let hash = Sha256::digest(labels.to_string());
        let mut id = String::new();
        // 52 digits are 260 bits, of which the first four are zero.
        let (mut pending, mut bits) = (0_u32, 4);
        for byte in hash {
            (pending, bits) = (pending << 8 | u32::from(byte), bits + 8);
            while bits >= 5 {
                bits -= 5;
                id.extend(char::from_digit(pending >> bits & 31, 32));
            }
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_place_says_what_its_project_is() {
        for (file, root) in [
            ("/src/api/.devcontainer/devcontainer.json", "/src/api"),
            ("/src/api/.devcontainer.json", "/src/api"),
            ("/src/api/.devcontainer/gpu/devcontainer.json", "/src/api"),
            ("/src/api/devcontainer.json", "/src/api"),
        ] {
            assert_eq!(Place::of(Path::new(file)).root, Path::new(root), "{file}");
        }
        let place = Place::of(Path::new("/src/api/.devcontainer/devcontainer.json"));
        for (named, expected) in [("Dockerfile", ".devcontainer/Dockerfile"), ("..", "."), ("../..", "/src"), ("../x/./y", "x/y")]
        {
            assert_eq!(place.path(named), expected);
        }
    }

    #[test]
    fn the_id_is_the_reference_tools() {
        // As its own function gives it for these labels.
        let place = Place::of(Path::new("/srv/api/.devcontainer/devcontainer.json"));
        assert_eq!(place.id().len(), 52);
        assert_eq!(place.id(), ID);
    }

    const ID: &str = "198g1hkhvf359jtadobqs5fmg5ihj61e5l7ftsgjr7baomm0kojs";
}
