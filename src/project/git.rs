//! What of a git work tree lies outside its own directory.

use std::fs;
use std::path::{Path, PathBuf};

/// The directory outside `project` that git needs for it: the common directory of a worktree's repository, or a
/// submodule's own. `None` for an ordinary repository, and for a `.git` file that nothing vouches for: a project is not
/// trusted to name any directory of the host, so the repository has to know this work tree as one of its own.
///
/// A work tree's `.git` file names its directory, and `commondir` in there the one shared with the others
/// (gitrepository-layout(5)).
pub fn outside_git_directory(project: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(project.join(".git")).ok()?;
    let git_dir = resolve(project, text.strip_prefix("gitdir: ")?)?;
    let needed = worktree_common_directory(project, &git_dir).or_else(|| submodule_directory(project, &git_dir))?;
    (!needed.starts_with(project)).then_some(needed)
}

/// A repository keeps `worktrees/<name>/gitdir`, which points back at the worktree's `.git` file.
fn worktree_common_directory(project: &Path, git_dir: &Path) -> Option<PathBuf> {
    let common = resolve(git_dir, &fs::read_to_string(git_dir.join("commondir")).ok()?)?;
    let points_back = resolve(git_dir, &fs::read_to_string(git_dir.join("gitdir")).ok()?)?;
    (git_dir.parent()? == common.join("worktrees") && points_back == project.join(".git")).then_some(common)
}

/// A submodule's directory lies below `.git/modules` of the repository around it.
fn submodule_directory(project: &Path, git_dir: &Path) -> Option<PathBuf> {
    project.ancestors().skip(1).any(|ancestor| git_dir.starts_with(ancestor.join(".git/modules"))).then(|| git_dir.to_owned())
}

fn resolve(base: &Path, named: &str) -> Option<PathBuf> {
    base.join(named.trim_end_matches('\n')).canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn git(directory: &Path, arguments: &[&str]) {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.invalid"])
            .args(arguments)
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn a_worktree_brings_its_common_directory() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        git(&base, &["init", "-q", "main"]);
        git(&base.join("main"), &["commit", "-q", "--allow-empty", "-m", "first"]);
        git(&base.join("main"), &["worktree", "add", "-q", "../topic"]);
        assert_eq!(outside_git_directory(&base.join("topic")), Some(base.join("main/.git")));
        assert_eq!(outside_git_directory(&base.join("main")), None);
    }

    #[test]
    fn a_submodule_brings_its_own_directory() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        for name in ["library", "app"] {
            git(&base, &["init", "-q", name]);
            git(&base.join(name), &["commit", "-q", "--allow-empty", "-m", "first"]);
        }
        git(&base.join("app"), &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../library", "lib"]);
        assert_eq!(outside_git_directory(&base.join("app/lib")), Some(base.join("app/.git/modules/lib")));
    }

    #[test]
    fn a_git_file_cannot_name_a_directory_that_does_not_know_it() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        git(&base, &["init", "-q", "secret"]);
        fs::create_dir_all(base.join("evil/fake")).unwrap();
        fs::write(base.join("evil/fake/commondir"), "../../secret/.git\n").unwrap();
        fs::write(base.join("evil/fake/gitdir"), "../.git\n").unwrap();
        for named in ["/etc", "../secret/.git", "fake"] {
            fs::write(base.join("evil/.git"), format!("gitdir: {named}\n")).unwrap();
            assert_eq!(outside_git_directory(&base.join("evil")), None, "{named}");
        }
    }
}
