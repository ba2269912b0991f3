//! A repository and its worktrees, by the git that people have.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::error::{Error, Result};
use crate::project::Project;
use crate::quote;

/// A repository, as a project is part of it.
#[derive(Debug)]
pub struct Repository {
    /// The work tree that the project is in.
    here: PathBuf,
    /// The repository's own work tree.
    pub main: PathBuf,
    /// Where the project is in its work tree.
    pub within: PathBuf,
}

/// A worktree that has a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    pub path: PathBuf,
    pub branch: String,
}

/// How a branch is to what the repository's own work tree has checked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distance {
    pub ahead: u64,
    pub behind: u64,
}

impl Repository {
    pub async fn of(project: &Project) -> Result<Self> {
        let top = git(project.path(), &["rev-parse", "--show-toplevel"]).await;
        let here = PathBuf::from(top.map_err(|_| Error::NotARepository { path: project.path_buf() })?);
        let within = project.path().strip_prefix(&here).unwrap_or(Path::new("")).to_owned();
        let listed = git(&here, &["worktree", "list", "--porcelain", "-z"]).await?;
        let main = listed.split('\0').find_map(|line| line.strip_prefix("worktree "));
        let main = main.map_or_else(|| here.clone(), PathBuf::from);
        Ok(Self { here, main, within })
    }

    /// Those that have a branch, but for the repository's own work tree.
    pub async fn worktrees(&self) -> Result<Vec<Worktree>> {
        let listed = git(&self.main, &["worktree", "list", "--porcelain", "-z"]).await?;
        Ok(parse(&listed).into_iter().filter(|worktree| worktree.path != self.main).collect())
    }

    /// The worktree of a branch, and whether it was made now. A branch that does not exist begins where the project is.
    pub async fn add(&self, branch: &str, pattern: &str) -> Result<(PathBuf, bool)> {
        git(&self.main, &["check-ref-format", "--branch", branch]).await?;
        if let Some(found) = self.worktrees().await?.into_iter().find(|worktree| worktree.branch == branch) {
            return Ok((found.path, false));
        }
        let path = self.place(branch, pattern);
        let reference = format!("refs/heads/{branch}");
        let exists = git(&self.main, &["rev-parse", "--verify", "--quiet", &reference]).await.is_ok();
        let target = path.to_string_lossy();
        let add = if exists {
            git(&self.here, &["worktree", "add", "--", &target, branch]).await
        } else {
            git(&self.here, &["worktree", "add", "-b", branch, "--", &target]).await
        };
        add?;
        Ok((path.canonicalize().unwrap_or(path), true))
    }

    /// Where the worktree of a branch is to be.
    fn place(&self, branch: &str, pattern: &str) -> PathBuf {
        let name = self.main.file_name().unwrap_or_default().to_string_lossy();
        let relative = pattern.replace("{repo}", &name).replace("{branch}", &branch.replace('/', "-"));
        crate::project::normal(&self.main.join(relative))
    }

    /// Removes a worktree whose work is elsewhere, and a branch that has just been made for it.
    pub async fn remove(&self, path: &Path, new_branch: &str) -> Result<()> {
        self.remove_worktree(path).await?;
        git(&self.main, &["branch", "--delete", "--", new_branch]).await.map(drop)
    }

    pub async fn remove_worktree(&self, path: &Path) -> Result<()> {
        git(&self.main, &["worktree", "remove", "--", &path.to_string_lossy()]).await.map(drop)
    }

    /// What has changed in a worktree and is in no commit, a line each, as `git status --short` has it.
    pub async fn uncommitted(&self, worktree: &Worktree) -> Result<Vec<String>> {
        let status = git(&worktree.path, &["status", "--porcelain"]).await?;
        Ok(status.lines().map(quote::printable).collect())
    }

    /// Commits of a branch that are neither in what the repository's own work tree has nor at any remote, a line each.
    pub async fn unmerged(&self, branch: &str) -> Result<Vec<String>> {
        let reference = format!("refs/heads/{branch}");
        let log = git(&self.main, &["log", "--format=%h %s", &reference, "--not", "HEAD", "--remotes"]).await?;
        Ok(log.lines().map(quote::printable).collect())
    }

    pub async fn distance(&self, branch: &str) -> Result<Distance> {
        let range = format!("HEAD...refs/heads/{branch}");
        let counted = git(&self.main, &["rev-list", "--left-right", "--count", &range]).await?;
        let mut counts = counted.split_whitespace().map(|count| count.parse().unwrap_or(0));
        Ok(Distance { behind: counts.next().unwrap_or(0), ahead: counts.next().unwrap_or(0) })
    }
}

/// What git prints, without its last line's end. It says what is wrong in words that can be read.
async fn git(directory: &Path, arguments: &[&str]) -> Result<String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(directory).args(arguments).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8").kill_on_drop(true);
    // As in a hook of another repository's.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        git.env_remove(name);
    }
    let output = git.output().await.map_err(|source| Error::io("run `git`", source))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it says nothing");
    let message = quote::printable(said.trim_start_matches("fatal: "));
    Err(Error::Git { verb: arguments.first().copied().unwrap_or_default().to_owned(), message })
}

/// What `git worktree list --porcelain -z` prints; those without a branch are left out.
fn parse(listed: &str) -> Vec<Worktree> {
    let entry = |entry: &str| {
        let field = |name: &str| entry.split('\0').find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        Some(Worktree { path: field("worktree ")?.into(), branch: field("branch refs/heads/")? })
    };
    listed.split("\0\0").filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worktrees_without_a_branch_are_left_out() {
        let listed = "worktree /srv/a\0HEAD 1\0branch refs/heads/main\0\0worktree /srv/b c\0HEAD 2\0detached\0\0\
            worktree /srv/x\ny\0HEAD 3\0branch refs/heads/fix/one\0\0";
        let expected = [("/srv/a", "main"), ("/srv/x\ny", "fix/one")];
        let expected = expected.map(|(path, branch)| Worktree { path: path.into(), branch: branch.to_owned() });
        assert_eq!(parse(listed), expected);
    }

    #[test]
    fn a_worktree_is_where_the_pattern_says() {
        let repository = Repository { here: "/srv/api".into(), main: "/srv/api".into(), within: PathBuf::new() };
        for (pattern, branch, path) in [
            ("../{repo}-{branch}", "fix/one", "/srv/api-fix-one"),
            ("/tmp/{branch}", "x", "/tmp/x"),
            (".trees/{branch}", "x", "/srv/api/.trees/x"),
        ] {
            assert_eq!(repository.place(branch, pattern), PathBuf::from(path));
        }
    }
}
