//! What of a git work tree lies outside its own directory.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// What git writes into these files is a path or a short configuration.
const MOST_BYTES: u64 = 1 << 20;

/// The directory outside `project` that git needs for it: the common directory of a worktree's repository, or a
/// submodule's own. `None` for an ordinary repository, and for a `.git` file that nothing vouches for: a project is not
/// trusted to name any directory of the host, so the repository has to know this work tree as one of its own.
///
/// A work tree's `.git` file names its directory, and `commondir` in there the one shared with the others
/// (gitrepository-layout(5)).
pub fn outside_git_directory(project: &Path) -> Option<PathBuf> {
    let text = read(&project.join(".git"))?;
    let git_dir = resolve(project, text.strip_prefix("gitdir: ")?)?;
    let needed = worktree_common_directory(project, &git_dir).or_else(|| submodule_directory(project, &git_dir))?;
    (!needed.starts_with(project)).then_some(needed)
}

/// The directory that all work trees of a project's repository have in common; `None` where it is none's. A `.git` file counts only
/// where what it names vouches for it.
pub fn git_directory(project: &Path) -> Option<PathBuf> {
    let own = project.join(".git");
    if own.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        own.canonicalize().ok()
    } else {
        outside_git_directory(project)
    }
}

/// A repository keeps `worktrees/<name>/gitdir`, which points back at the worktree's `.git` file.
fn worktree_common_directory(project: &Path, git_dir: &Path) -> Option<PathBuf> {
    let common = resolve(git_dir, &read(&git_dir.join("commondir"))?)?;
    let points_back = resolve(git_dir, &read(&git_dir.join("gitdir"))?)?;
    (git_dir.parent()? == common.join("worktrees") && points_back == project.join(".git")).then_some(common)
}

/// A submodule's directory lies below `.git/modules` of the repository around it, and its configuration names the work tree.
fn submodule_directory(project: &Path, git_dir: &Path) -> Option<PathBuf> {
    let is_below = project.ancestors().skip(1).any(|ancestor| git_dir.starts_with(ancestor.join(".git/modules")));
    let work_tree = resolve(git_dir, &work_tree(&read(&git_dir.join("config"))?)?)?;
    (is_below && work_tree == project).then(|| git_dir.to_owned())
}

/// `core.worktree` as git writes it, in quotes where a character of it needs them.
fn work_tree(config: &str) -> Option<String> {
    let core = config.lines().map(str::trim).skip_while(|line| *line != "[core]").skip(1);
    let mut core = core.take_while(|line| !line.starts_with('['));
    let value = core.find_map(|line| line.strip_prefix("worktree")?.trim_start().strip_prefix('='))?.trim_start();
    let Some(quoted) = value.strip_prefix('"') else { return Some(value.to_owned()) };
    Some(quoted.strip_suffix('"')?.replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// A file that a program in a container may have put there: to open a pipe would be to wait for whoever writes to it.
fn read(path: &Path) -> Option<String> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).ok()?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    file.metadata().ok().filter(|metadata| metadata.is_file() && metadata.len() <= MOST_BYTES)?;
    let mut text = String::new();
    file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

fn resolve(base: &Path, named: &str) -> Option<PathBuf> {
    base.join(named.trim_end_matches('\n')).canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
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
        for name in ["lib", "vendor/a # \"b\""] {
            git(&base.join("app"), &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../library", name]);
            let known = base.join("app/.git/modules").join(name);
            assert_eq!(outside_git_directory(&base.join("app").join(name)), Some(known));
        }
        // One of another work tree, or of them all.
        fs::create_dir(base.join("app/evil")).unwrap();
        for named in ["lib", "", "."] {
            fs::write(base.join("app/evil/.git"), format!("gitdir: ../.git/modules/{named}\n")).unwrap();
            assert_eq!(outside_git_directory(&base.join("app/evil")), None, "{named}");
        }
    }

    #[test]
    fn a_pipe_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Command::new("mkfifo").arg(dir.path().join(".git")).status().unwrap().success());
        assert_eq!(outside_git_directory(dir.path()), None);
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
