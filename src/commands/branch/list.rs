//! `wharf branches`

use std::process::ExitCode;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;
use tabled::builder::Builder;

use super::repository::Repository;
use crate::cli::Branches;
use crate::commands::list::sessions_of;
use crate::commands::target;
use crate::context::Context;
use crate::error::Result;
use crate::model::{ContainerName, SessionName, SessionState, State};
use crate::output::print;
use crate::project::Project;
use crate::quote::visible;

/// How many worktrees to look at at once.
const AT_ONCE: usize = 8;

#[derive(Serialize)]
struct Row {
    branch: String,
    worktree: String,
    container: ContainerName,
    /// `null` where there is no container.
    state: Option<State>,
    sessions: Vec<SessionRow>,
    /// Commits that the repository's own work tree does not have.
    ahead: u64,
    /// Commits of that which this branch does not have.
    behind: u64,
    /// Whether something has changed that is in no commit.
    dirty: bool,
}

#[derive(Serialize)]
struct SessionRow {
    name: SessionName,
    state: SessionState,
}

pub async fn run(args: Branches, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.target.as_deref(), context).await?;
    let repository = Repository::of(&project).await?;
    let containers = context.engine()?.containers().await?;
    let sessions = sessions_of(context, &containers).await;
    let now = Timestamp::now().as_second();
    let look = async |worktree: super::repository::Worktree| {
        let own = Project::at(&worktree.path.join(&repository.within))?;
        let found = containers.iter().zip(&sessions).find(|(listed, _)| listed.project == own);
        let of_it = found.and_then(|(_, sessions)| sessions.as_ref()).map(Vec::as_slice).unwrap_or_default();
        let distance = repository.distance(&worktree.branch).await?;
        Ok(Row {
            worktree: worktree.path.to_string_lossy().into_owned(),
            container: own.container_name(),
            state: found.map(|(listed, _)| listed.state),
            sessions: of_it.iter().map(|it| SessionRow { name: it.name.clone(), state: it.state(now) }).collect(),
            ahead: distance.ahead,
            behind: distance.behind,
            dirty: !repository.uncommitted(&worktree).await?.is_empty(),
            branch: worktree.branch,
        })
    };
    let looked: Vec<Result<Row>> = stream::iter(repository.worktrees().await?).map(look).buffered(AT_ONCE).collect().await;
    let rows = looked.into_iter().collect::<Result<Vec<_>>>()?;
    if args.json {
        print::json(&rows)?;
    } else if rows.is_empty() {
        print::line("no branch has a worktree; `wharf branch NAME` makes one")?;
    } else {
        print::text(&table(&rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(rows: &[Row]) -> String {
    let mut builder = Builder::default();
    builder.push_record(["BRANCH", "STATE", "SESSIONS", "AHEAD", "BEHIND", "DIRTY", "WORKTREE"]);
    for row in rows {
        let sessions = row.sessions.iter().map(|session| format!("{} ({})", session.name, session.state));
        let sessions = sessions.collect::<Vec<_>>().join(",");
        let state = row.state.map_or_else(|| "-".to_owned(), |state| state.to_string());
        builder.push_record([
            visible(&row.branch),
            state,
            if sessions.is_empty() { "-".to_owned() } else { sessions },
            row.ahead.to_string(),
            row.behind.to_string(),
            if row.dirty { "yes" } else { "-" }.to_owned(),
            visible(&row.worktree),
        ]);
    }
    print::table(builder, print::width())
}
