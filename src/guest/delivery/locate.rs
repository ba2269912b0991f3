//! Which file on this machine is the guest for an engine's architecture. Architectures have the names that images use.

use std::path::{Path, PathBuf};

use super::program::Program;
use crate::error::{Error, Result};

/// The guest's file beside the host's program. For another architecture than that program's, `-` and its name follow.
const NAME: &str = "wharf-guest";
/// Where packages put what no person runs, from the directory of the host's program.
const LIBRARY: &str = "../lib/wharf";

/// Reads the guest for this architecture: the file that a person names, or the first beside the program that runs, or in
/// `../lib/wharf` from there.
pub fn guest(named: Option<&Path>, program: &Path, architecture: &str) -> Result<Program> {
    if let Some(path) = named {
        return Program::read(path);
    }
    let candidates = candidates(program, architecture);
    let mut there = candidates.iter().filter(|path| path.exists()).map(|path| Program::read(path));
    there
        .find(|read| read.as_ref().map_or(true, |program| program.architecture == Some(architecture)))
        .unwrap_or(Err(Error::NoGuest { architecture: architecture.to_owned(), looked_for: candidates }))
}

fn candidates(program: &Path, architecture: &str) -> Vec<PathBuf> {
    let directory = program.parent().unwrap_or(program);
    let names = [format!("{NAME}-{architecture}"), NAME.to_owned()];
    [directory.to_owned(), directory.join(LIBRARY)]
        .into_iter()
        .flat_map(|directory| names.each_ref().map(|name| directory.join(name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::native_architecture;

    /// A directory as packages make it: `bin` and `lib/wharf`, with copies of this very program for the given files.
    fn installed(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for directory in ["bin", "lib/wharf"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        for file in files {
            fs::copy("/proc/self/exe", root.path().join(file)).unwrap();
        }
        root
    }

    fn found(root: &Path, architecture: &str) -> Result<PathBuf> {
        let guest = guest(None, &root.join("bin/wharf"), architecture)?;
        Ok(guest.path.canonicalize().unwrap().strip_prefix(root.canonicalize().unwrap()).unwrap().to_owned())
    }

    #[test]
    fn the_guest_is_beside_the_program_or_in_its_library() {
        let own = native_architecture();
        let beside = installed(&["bin/wharf-guest", "lib/wharf/wharf-guest"]);
        assert_eq!(found(beside.path(), own).unwrap(), Path::new("bin/wharf-guest"));
        let packaged = installed(&[&format!("lib/wharf/wharf-guest-{own}")]);
        assert_eq!(found(packaged.path(), own).unwrap(), Path::new(&format!("lib/wharf/wharf-guest-{own}")));
    }

    #[test]
    fn a_missing_guest_is_named() {
        let other = if native_architecture() == "amd64" { "arm64" } else { "amd64" };
        let root = installed(&["bin/wharf-guest"]);
        let error = found(root.path(), other).unwrap_err().to_string();
        assert!(error.contains(&format!("bin/wharf-guest-{other}")), "{error}");
        assert!(error.contains(&format!("for {other}")), "{error}");
    }

    #[test]
    fn a_person_may_name_another() {
        let root = installed(&["bin/wharf-guest", "mine"]);
        let mine = root.path().join("mine");
        assert_eq!(guest(Some(&mine), &root.path().join("bin/wharf"), native_architecture()).unwrap().path, mine);
        let gone = root.path().join("gone");
        assert!(
            guest(Some(&gone), &root.path().join("bin/wharf"), native_architecture()).unwrap_err().to_string().contains("gone")
        );
    }
}
