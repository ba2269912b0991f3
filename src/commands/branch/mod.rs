//! `wharf branch`: a worktree, a container and a session for a branch, and the end of all three.

mod done;
mod list;
mod repository;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use super::open::{open_detached, open_window};
use super::{Asked, watch};
use crate::cli::{Branch, Creation, Open};
use crate::commands::target;
use crate::config::Choice;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::paths;
use crate::project::Project;
use repository::Repository;

pub use list::run as list;

/// Where worktrees are, where nobody says otherwise: beside the repository.
const PATTERN: &str = "../{repo}-{branch}";

pub async fn run(mut args: Branch, context: &Context) -> Result<ExitCode> {
    let project = target::resolve_existing(args.target.as_deref(), context).await?;
    let repository = Repository::of(&project).await?;
    if args.done {
        return Box::pin(done::run(&args.name, &repository, context)).await;
    }
    let pattern =
        context.configuration().effective(&project, Choice::default(), super::flags(&Creation::default()))?.config.worktrees;
    let pattern = pattern.as_ref().map_or(PATTERN, |pattern| pattern.value.as_str());
    args.creation.auto_ports = true;
    let command = command(&args, &project, context)?;
    let (path, is_new) = {
        // git's own locks are not waited for.
        let _lock = paths::lock_worktrees(&context.state_dir).await?;
        repository.add(&args.name, pattern).await?
    };
    let worktree = Project::at(&path.join(&repository.within))?;
    let open = Open { creation: args.creation, session: args.session.clone(), detach: true, command, ..Open::default() };
    if let Err(error) = Box::pin(open_detached(&open, &worktree, context)).await {
        if is_new {
            // Nothing has been done in it. What can't be removed is shown by `branches`.
            let _ = repository.remove(&path, &args.name).await;
        }
        return Err(error);
    }
    match &context.tmux {
        Some(tmux) if !args.detach => {
            watch::ensure(false, context);
            let window = Open { session: open.session, ..Open::default() };
            Box::pin(open_window(&window, &worktree, tmux, context)).await
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// What the session runs, with the prompt behind it.
fn command(args: &Branch, project: &Project, context: &Context) -> Result<Vec<String>> {
    let Some(prompt) = &args.prompt else { return Ok(args.command.clone()) };
    let read = fs::read_to_string(prompt).map_err(|source| Error::io(format!("read `{}`", prompt.display()), source))?;
    let mut command = args.command.clone();
    if command.is_empty() {
        let session = args.session.clone().unwrap_or_default();
        command = Asked::of(project, &args.creation, context)?.start_of(&session).command;
    }
    if command.is_empty() {
        return Err(Error::PromptWithoutCommand);
    }
    command.push(read.trim_end().to_owned());
    Ok(command)
}

/// The projects of a worktree: itself, and those below it.
fn is_within(project: &Project, worktree: &Path) -> bool {
    project.path().starts_with(worktree)
}
