//! Which directory is the project, seen from a directory inside it.

use std::path::{Component, Path, PathBuf};

/// Whether the person named the directory, or merely stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    ByName,
    Implied,
}

/// What marks a project's root, strongest first.
const MARKERS: [&str; 3] = ["wharf.kdl", ".devcontainer", ".git"];

/// The nearest ancestor of `directory` that holds `wharf.kdl`, else `.devcontainer/` or `.devcontainer.json`, else is a git work tree's root,
/// else `directory` itself. `/` and the home directory are never it, unless the person asked for them by name; `None`
/// where nothing is left.
///
/// `directory` has to be canonical.
pub fn find_root(directory: &Path, home: Option<&Path>, asked: Asked) -> Option<PathBuf> {
    let home = home.and_then(|home| home.canonicalize().ok());
    let is_too_wide = |path: &Path| path.parent().is_none() || Some(path) == home.as_deref();
    if is_too_wide(directory) {
        return (asked == Asked::ByName).then(|| directory.to_owned());
    }
    let holder_of = |marker: &str| {
        directory.ancestors().find(|ancestor| !is_too_wide(ancestor) && is_marked(ancestor, marker)).map(Path::to_owned)
    };
    MARKERS.into_iter().find_map(holder_of).or_else(|| Some(directory.to_owned()))
}

/// A path without `.` and `..`, as it is written: links are not followed.
pub fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

fn is_marked(directory: &Path, marker: &str) -> bool {
    let path = directory.join(marker);
    match marker {
        "wharf.kdl" => path.is_file(),
        ".devcontainer" => path.is_dir() || directory.join(".devcontainer.json").is_file(),
        // A file in a worktree or a submodule, a directory elsewhere.
        _ => path.exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(paths: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for path in paths {
            let path = dir.path().join(path);
            if path.extension().is_some_and(|e| e == "kdl") {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            } else {
                fs::create_dir_all(path).unwrap();
            }
        }
        dir
    }

    fn root_from(dir: &tempfile::TempDir, from: &str, home: &str, asked: Asked) -> Option<String> {
        let base = dir.path().canonicalize().unwrap();
        let root = find_root(&base.join(from), Some(&base.join(home)), asked)?;
        Some(root.strip_prefix(&base).unwrap().to_str().unwrap().to_owned())
    }

    #[test]
    fn wharf_kdl_wins_over_devcontainer_over_git() {
        let dir = tree(&["top/wharf.kdl", "top/mid/.devcontainer", "top/mid/low/.git", "top/mid/low/src"]);
        assert_eq!(root_from(&dir, "top/mid/low/src", "home", Asked::Implied).as_deref(), Some("top"));
        fs::remove_file(dir.path().join("top/wharf.kdl")).unwrap();
        assert_eq!(root_from(&dir, "top/mid/low/src", "home", Asked::Implied).as_deref(), Some("top/mid"));
        fs::remove_dir(dir.path().join("top/mid/.devcontainer")).unwrap();
        assert_eq!(root_from(&dir, "top/mid/low/src", "home", Asked::Implied).as_deref(), Some("top/mid/low"));
        fs::remove_dir(dir.path().join("top/mid/low/.git")).unwrap();
        assert_eq!(root_from(&dir, "top/mid/low/src", "home", Asked::Implied).as_deref(), Some("top/mid/low/src"));
    }

    #[test]
    fn the_home_directory_is_a_project_only_when_asked_for() {
        let dir = tree(&["home/.git", "home/notes"]);
        assert_eq!(root_from(&dir, "home", "home", Asked::Implied), None);
        assert_eq!(root_from(&dir, "home", "home", Asked::ByName).as_deref(), Some("home"));
        assert_eq!(root_from(&dir, "home/notes", "home", Asked::Implied).as_deref(), Some("home/notes"));
        assert_eq!(find_root(Path::new("/"), None, Asked::Implied), None);
    }
}
