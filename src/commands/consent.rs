//! The one way to ask before something goes that people would miss.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::context::Context;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::plan::{Consent, Seen, consent};
use crate::project::Project;
use crate::quote;
use crate::way::control;

/// What is about to end a container's sessions.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    /// With `--force`, it is not asked.
    pub verb: &'static str,
    /// What it does to the container, for a question.
    pub does: &'static str,
    pub force: bool,
}

/// Makes sure that the project's live sessions may be ended.
pub async fn to_end_sessions(ending: Ending, project: &Project, seen: &Seen, context: &Context) -> Result<()> {
    let Some(container) = seen.container.as_ref().filter(|container| container.state.is_up() && !ending.force) else {
        return Ok(());
    };
    let (name, verb) = (container.name.clone(), ending.verb);
    if !container.state.can_attach() {
        return Err(Error::UnknownSessions { container: name, state: container.state, verb });
    }
    let sessions = live_sessions(project, context).await?;
    match consent(!sessions.is_empty(), ending.force, io::stdin().is_terminal()) {
        Consent::Given => Ok(()),
        Consent::Refuse => Err(Error::LiveSessions { container: name, sessions, verb }),
        Consent::Ask => {
            let does = ending.does;
            ask(&format!("`{project}` has live sessions ({}). {does} its container and end them?", sessions.join(", ")))
        }
    }
}

/// The sessions of a container that runs whose programs have not ended, under whatever names.
pub async fn live_sessions(project: &Project, context: &Context) -> Result<Vec<String>> {
    let entry = Entry::to(project, context);
    let mut door = entry.running().await?;
    let sessions = control::all_sessions(&mut door.connection, &entry.name()).await?;
    Ok(sessions.into_iter().filter(|session| session.exit_code.is_none()).map(|session| session.name).collect())
}

/// Anything but a yes is a no, and an error.
pub fn ask(question: &str) -> Result<()> {
    // It names the project, whose directory can be called anything.
    eprint!("{} [y/N] ", quote::visible(question));
    let mut answer = String::new();
    let read = io::stderr().flush().and_then(|()| io::stdin().lock().read_line(&mut answer));
    read.map_err(|source| Error::io("read the answer", source))?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(Error::Cancelled) }
}
