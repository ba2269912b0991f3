//! The one way to ask before something goes that people would miss.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::connection::control;
use crate::container::connect::Connector;
use crate::container::plan::{Consent, Seen, consent};
use crate::error::{Error, Result};
use crate::model::Session;
use crate::paths::{self, Lock};
use crate::quote;

/// What is about to end a container's sessions.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    /// With `--force`, it is not asked.
    pub verb: &'static str,
    /// What it does to the container, for a question.
    pub does: &'static str,
    pub force: bool,
}

/// The live sessions of a container, with which they would end.
#[derive(Debug, Default)]
struct AtStake {
    container_id: String,
    sessions: Vec<Session<String>>,
}

impl AtStake {
    /// Whether a person who has agreed to lose all that is `agreed` loses nothing else.
    fn is_within(&self, agreed: &Self) -> bool {
        let is_same =
            |live: &Session<String>, known: &Session<String>| (&live.name, live.created) == (&known.name, known.created);
        let is_agreed = |live: &Session<String>| agreed.sessions.iter().any(|known| is_same(live, known));
        self.sessions.is_empty() || self.container_id == agreed.container_id && self.sessions.iter().all(is_agreed)
    }

    fn names(&self) -> Vec<String> {
        self.sessions.iter().map(|session| session.name.clone()).collect()
    }
}

/// Refuses where live sessions would have to be ended and nobody can be asked, before anything is done that takes long.
pub async fn refuse_unasked(ending: Ending, connector: &Connector<'_>, seen: &Seen) -> Result<()> {
    may_end(&at_stake(ending, connector, seen).await?, ending, connector, |_| Ok(()))
}

/// Makes sure that the project's live sessions may be ended, and gives back what the engine has then. Nobody else replaces or
/// removes the container for as long as the lock is held.
///
/// A person may take their time over the answer, and others do not wait for it: what has begun meanwhile is asked for again.
pub async fn to_end_sessions(ending: Ending, connector: &Connector<'_>) -> Result<(Lock, Seen)> {
    let lifecycle = connector.lifecycle()?;
    let mut agreed = AtStake::default();
    loop {
        let lock = paths::lock(&connector.context.state_dir).await?;
        let seen = lifecycle.look(None).await?;
        let at_stake = at_stake(ending, connector, &seen).await?;
        if at_stake.is_within(&agreed) {
            return Ok((lock, seen));
        }
        drop(lock);
        may_end(&at_stake, ending, connector, ask)?;
        agreed = at_stake;
    }
}

/// Nothing where that was forced.
async fn at_stake(ending: Ending, connector: &Connector<'_>, seen: &Seen) -> Result<AtStake> {
    let Some(container) = seen.container.as_ref().filter(|container| container.state.is_up() && !ending.force) else {
        return Ok(AtStake::default());
    };
    if !container.state.can_attach() {
        let (container, state) = (container.name.clone(), container.state);
        return Err(Error::UnknownSessions { container, state, verb: ending.verb });
    }
    Ok(AtStake { container_id: container.id.clone(), sessions: live_sessions(connector).await? })
}

fn may_end(at_stake: &AtStake, ending: Ending, connector: &Connector<'_>, ask: impl Fn(&str) -> Result<()>) -> Result<()> {
    let sessions = at_stake.names();
    match consent(!sessions.is_empty(), ending.force, io::stdin().is_terminal()) {
        Consent::Given => Ok(()),
        Consent::Refuse => Err(Error::LiveSessions { container: connector.name(), sessions, verb: ending.verb }),
        Consent::Ask => {
            let (project, does) = (connector.project, ending.does);
            ask(&format!("`{project}` has live sessions ({}). {does} its container and end them?", sessions.join(", ")))
        }
    }
}

/// The sessions of a container that runs whose programs have not ended, under whatever names.
pub async fn live_sessions(connector: &Connector<'_>) -> Result<Vec<Session<String>>> {
    let mut connected = connector.running().await?;
    let mut sessions = control::all_sessions(&mut connected.connection, &connector.name()).await?;
    sessions.extend(Box::pin(sessions_of_root(connector)).await?);
    Ok(sessions.into_iter().filter(|session| session.exit_code.is_none()).collect())
}

/// Those of root's where the container's user is another one. They are where root's programs are, if any run.
async fn sessions_of_root(connector: &Connector<'_>) -> Result<Vec<Session<String>>> {
    if !connector.context.engine()?.has_root(connector.project, &connector.name()).await? {
        return Ok(Vec::new());
    }
    let connector = Connector::to(connector.project, connector.context).of_root(true);
    let mut connected = connector.running().await?;
    control::all_sessions(&mut connected.connection, &connector.name()).await
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_agreed_to_may_end() {
        let session = |&(name, created): &(&str, i64)| Session { created, ..Session::new(name.to_owned()) };
        let at_stake = |container: &str, sessions: &[(&str, i64)]| AtStake {
            container_id: container.to_owned(),
            sessions: sessions.iter().map(session).collect(),
        };
        let agreed = at_stake("a", &[("main", 1), ("logs", 2)]);
        for (container, sessions, expected) in [
            ("a", &[("main", 1), ("logs", 2)][..], true),
            ("a", &[("logs", 2)], true),
            ("a", &[("main", 1), ("more", 3)], false),
            // Ended, and begun anew.
            ("a", &[("main", 3)], false),
            ("b", &[("main", 1)], false),
            ("b", &[], true),
        ] {
            assert_eq!(at_stake(container, sessions).is_within(&agreed), expected, "{container} {sessions:?}");
        }
        assert!(!agreed.is_within(&AtStake::default()));
    }
}
