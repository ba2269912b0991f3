//! `wharf next`: to the next session that waits for its user.

use std::process::ExitCode;

use jiff::Timestamp;

use super::open::open_window;
use crate::cli::Open;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{Session, SessionName};
use crate::output::report;
use crate::project::Project;

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
    let now = Timestamp::now().as_second();
    let of = |(project, sessions): (Project, Vec<Session>)| {
        Session::waiting(&sessions, now).into_iter().map(move |session| (project.clone(), session))
    };
    let mut found: Vec<_> = context.relays().sessions().await.into_iter().flat_map(of).collect();
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
