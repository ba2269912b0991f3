//! `wharf branch --done`: all that `branch` has made goes, unless work would go with it.

use std::process::ExitCode;

use super::is_within;
use super::repository::Repository;
use crate::cli::Rm;
use crate::commands::rm;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::print;
use crate::project::Project;

pub async fn run(name: &str, repository: &Repository, context: &Context) -> Result<ExitCode> {
    let found = repository.worktrees().await?.into_iter().find(|worktree| worktree.branch == name);
    let Some(worktree) = found else {
        return Err(Error::NoBranchHere { branch: name.to_owned() });
    };
    let uncommitted = repository.uncommitted(&worktree).await?;
    let unmerged = repository.unmerged(name).await?;
    if !uncommitted.is_empty() || !unmerged.is_empty() {
        return Err(Error::UnfinishedBranch { branch: name.to_owned(), uncommitted, unmerged });
    }
    if let Some(tmux) = &context.tmux {
        let panes = tmux.open_panes()?.into_iter().filter(|open| is_within(&open.project, &worktree.path));
        tmux.close_panes(&panes.map(|open| open.pane).collect::<Vec<_>>())?;
    }
    let listed = context.engine()?.containers().await?;
    let mut projects: Vec<Project> =
        listed.into_iter().map(|listed| listed.project).filter(|project| is_within(project, &worktree.path)).collect();
    let own = Project::at(&worktree.path.join(&repository.within))?;
    if !projects.contains(&own) {
        // Volumes may be left of a container that is gone.
        projects.push(own);
    }
    let remove = Rm { targets: Vec::new(), volumes: true, force: true };
    for project in &projects {
        match Box::pin(rm::remove(project, &remove, context)).await {
            Err(Error::NoContainer { .. }) => {}
            removed => removed?,
        }
    }
    repository.remove_worktree(&worktree.path).await?;
    print::line(format_args!("removed the worktree of branch {name}; the branch stays"))?;
    Ok(ExitCode::SUCCESS)
}
