//! Files of a project that a container should perhaps not see.

use std::fs;
use std::path::{Path, PathBuf};

/// How far to look for files that look like secrets, so that a project of any size costs some milliseconds.
const DEEPEST: usize = 5;
const MOST_ENTRIES: usize = 20_000;
/// Directories that hold what others have made.
const SKIPPED: [&str; 6] = [".git", ".venv", "__pycache__", "node_modules", "target", "vendor"];
/// What files with credentials end in; others that begin with the word are programs that deal with them.
const OF_CREDENTIALS: [&str; 9] = ["", "cfg", "conf", "csv", "ini", "json", "toml", "yaml", "yml"];

/// A place in the project that a container is to see nothing of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// Below the project, links resolved.
    pub path: PathBuf,
    pub is_directory: bool,
}

/// What there is of these paths. A link that leads out of the project leads to nothing in the container, and a place that
/// is empty can't be masked: the engine would put a file there.
pub fn masked(project: &Path, paths: &[String]) -> Vec<Masked> {
    let mut found: Vec<Masked> = Vec::new();
    for path in paths {
        let Ok(canonical) = project.join(path).canonicalize() else { continue };
        let Ok(below) = canonical.strip_prefix(project) else { continue };
        let is_new = !found.iter().any(|masked| masked.path == below);
        if is_new && below != Path::new("") {
            found.push(Masked { path: below.to_owned(), is_directory: canonical.is_dir() });
        }
    }
    found
}

/// The files that look like secrets, as far as one can tell by their names, and that are not at or below one of `known`.
/// In the order of their paths.
pub fn exposed(project: &Path, known: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut directories = vec![(PathBuf::new(), 0)];
    let mut seen = 0;
    while let Some((directory, depth)) = directories.pop() {
        let Ok(entries) = fs::read_dir(project.join(&directory)) else { continue };
        for entry in entries.flatten() {
            seen += 1;
            if seen > MOST_ENTRIES {
                break;
            }
            let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else { continue };
            let path = directory.join(&name);
            if known.iter().any(|known| path.starts_with(known)) {
                continue;
            }
            if kind.is_dir() {
                if depth < DEEPEST && !SKIPPED.contains(&name.as_str()) {
                    directories.push((path, depth + 1));
                }
            } else if looks_secret(&name) {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

fn looks_secret(name: &str) -> bool {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    match name {
        ".env" => true,
        _ if stem == ".env" => !["example", "sample", "template", "dist"].contains(&extension),
        _ if extension == "pem" => true,
        // Keys have no extension, and source code has one.
        _ if name.starts_with("id_") => extension.is_empty(),
        _ if name.starts_with("credentials") => OF_CREDENTIALS.contains(&extension),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [".env", ".env.local", "server.pem", "id_ed25519", "id_rsa", "credentials", "credentials.json"] {
            assert!(looks_secret(name), "{name}");
        }
        for name in [".env.example", ".envrc", "env", "pem", "id_rsa.pub", "id_card.rs", "credentials.rs", "Credentials", ""] {
            assert!(!looks_secret(name), "{name}");
        }
    }

    #[test]
    fn what_is_known_skipped_or_too_deep_is_not_exposed() {
        let project = tempfile::tempdir().unwrap();
        let root = project.path();
        for directory in ["a/b/c/d/e/f", "target", "fixtures/keys", "etc"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        for file in [".env", "etc/x.pem", "target/x.pem", "fixtures/keys/x.pem", "a/b/c/d/e/x.pem", "a/b/c/d/e/f/x.pem"] {
            fs::write(root.join(file), "").unwrap();
        }
        assert_eq!(exposed(root, &["fixtures", ".en"]), [".env", "a/b/c/d/e/x.pem", "etc/x.pem"]);
        assert_eq!(exposed(root, &[".env", "a", "etc/x.pem", "fixtures"]), Vec::<String>::new());
    }

    #[test]
    fn only_what_is_there_and_within_the_project_is_masked() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().canonicalize().unwrap().join("api");
        fs::create_dir_all(root.join("keys")).unwrap();
        fs::write(root.join(".env"), "").unwrap();
        std::os::unix::fs::symlink(".env", root.join("link")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("outside")).unwrap();
        let paths = ["link", ".env", "keys", "missing", "outside", "."].map(str::to_owned);
        let file = Masked { path: ".env".into(), is_directory: false };
        assert_eq!(masked(&root, &paths), [file, Masked { path: "keys".into(), is_directory: true }]);
    }
}
