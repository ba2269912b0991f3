//! `wharf next`: to the next session that waits for its user.

use std::process::ExitCode;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use super::open::open_window;
use crate::cli::Open;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{Session, SessionName};
use crate::output::report;
use crate::paths;
use crate::project::Project;

/// How many relays to ask at once.
const AT_ONCE: usize = 16;

pub async fn run(context: &Context) -> Result<ExitCode> {
    let tmux = context.tmux("next")?;
    let waiting = waiting(context).await;
    let here = context.pane.as_ref().and_then(|pane| tmux.place(pane).ok());
    let here = here.and_then(|place| Some((place.project?, place.session?)));
    let Some((project, session)) = after(waiting, here.as_ref()) else {
        report::note("no session waits for you", context);
        return Ok(ExitCode::SUCCESS);
    };
    if !project.path().is_dir() {
        return Err(Error::NoSuchDirectory { path: project.path_buf() });
    }
    let args = Open { session: Some(session), ..Open::default() };
    Box::pin(open_window(&args, &project, tmux, context)).await
}

/// In an order that stays. Only relays are asked: a key has no time for the engine.
async fn waiting(context: &Context) -> Vec<(Project, SessionName)> {
    let relays = context.relays();
    let now = Timestamp::now().as_second();
    let ask = async |name| {
        let mut connection = relays.knock(&name).await?;
        // The name proves what the relay claims.
        let project = Project::from_label(connection.claimed_project()?);
        if project.container_name() != name {
            return None;
        }
        let sessions = connection.sessions().await.ok()?;
        Some(Session::waiting(&sessions, now).into_iter().map(|session| (project.clone(), session)).collect::<Vec<_>>())
    };
    let asked = stream::iter(paths::names(&context.state_dir)).map(ask).buffer_unordered(AT_ONCE);
    let found: Vec<Vec<_>> = asked.filter_map(std::future::ready).collect().await;
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.sort();
    found
}

/// The one behind where one is, from the first again behind the last.
fn after(waiting: Vec<(Project, SessionName)>, here: Option<&(Project, SessionName)>) -> Option<(Project, SessionName)> {
    let next = waiting.iter().position(|one| here.is_some_and(|here| one > here)).unwrap_or(0);
    waiting.into_iter().nth(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_is_behind_where_one_is() {
        let at = |project: &str, session: &str| (Project::from_label(project), session.parse().unwrap());
        let all = vec![at("/a", "main"), at("/b", "claude"), at("/b", "main")];
        for (here, expected) in [
            (None, &all[0]),
            (Some(at("/a", "main")), &all[1]),
            (Some(at("/b", "claude")), &all[2]),
            (Some(at("/b", "main")), &all[0]),
            // It does not wait itself.
            (Some(at("/a", "other")), &all[1]),
        ] {
            assert_eq!(after(all.clone(), here.as_ref()).as_ref(), Some(expected));
        }
        assert_eq!(after(Vec::new(), None), None);
    }
}
