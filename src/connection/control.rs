//! What the host's side asks of the tmux inside, and tells it.

use std::io;

use rustix::process::Signal;

use super::{Connection, Output};
use crate::error::{Error, Result};
use crate::model::{ContainerName, InnerTmux, Session, SessionName, exit};
use crate::protocol::commands::{self, Lines};
use crate::protocol::{NO_SHELL, NO_TMUX, ON_FAILURE, Program, RESTART_VARIABLE, Run, STOP_SIGNAL_VARIABLE};
use crate::quote;

/// How many of a session's last lines tell how it ended.
const MOST_LAST_LINES: usize = 10;

/// A command that a running session would swallow is not lost in silence.
pub async fn refuse_if_runs(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    command: &[String],
) -> Result<()> {
    ended(connection, container, session, command).await.map(drop)
}

/// Refuses as [`refuse_if_runs`] does, and ends a session whose command has ended, so that the next has room.
pub async fn make_room(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    command: &[String],
) -> Result<()> {
    if ended(connection, container, session, command).await?.is_some() {
        tmux(connection, container, commands::end(session), Vec::new()).await?;
    }
    Ok(())
}

/// The session, where a command is to run in it and its last one has ended; refuses one that runs.
async fn ended(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    command: &[String],
) -> Result<Option<Session>> {
    if command.is_empty() {
        return Ok(None);
    }
    match find(connection, container, session).await? {
        Some(found) if found.exit_code.is_none() => {
            Err(Error::SessionRuns { container: container.clone(), session: session.clone() })
        }
        found => Ok(found),
    }
}

/// Of tmux itself: what the relay knows is a moment old, and something is decided by this.
pub async fn find(connection: &mut Connection, container: &ContainerName, session: &SessionName) -> Result<Option<Session>> {
    let running = sessions(connection, container).await?;
    Ok(running.into_iter().find(|listed| listed.name == *session))
}

/// How a session starts where nobody says otherwise.
#[derive(Debug, Default)]
pub struct Start {
    /// A shell where it is empty.
    pub command: Vec<String>,
    /// In the container; the project's where `None`.
    pub directory: Option<String>,
    pub environment: Vec<String>,
    /// Whether its command is run again when it fails.
    pub restarts_on_failure: bool,
    /// By which signal the command is told that the container stops; a hangup where `None`.
    pub stop_signal: Option<&'static str>,
}

impl Start {
    /// What the session's environment has besides.
    pub fn variables(&self) -> Vec<String> {
        let restart = self.restarts_on_failure.then(|| format!("{RESTART_VARIABLE}={ON_FAILURE}"));
        let signal = self.stop_signal.map(|signal| format!("{STOP_SIGNAL_VARIABLE}={signal}"));
        signal.into_iter().chain(restart).chain(self.environment.iter().cloned()).collect()
    }
}

/// Refuses a session that does not run, as far as the relay knows.
pub async fn refuse_none(connection: &mut Connection, container: &ContainerName, session: &SessionName) -> Result<()> {
    let running = connection.sessions().await.map_err(|source| Error::lost(container, source))?;
    if running.iter().any(|listed| listed.name == *session) {
        return Ok(());
    }
    let running = running.into_iter().map(|listed| listed.name).collect();
    Err(Error::NoSession { container: container.clone(), session: session.clone(), running })
}

/// Ends what a session runs, and runs in its place what it starts with; one that is not there is started. Whoever looks at it
/// goes on with that.
pub async fn restart(connection: &mut Connection, container: &ContainerName, session: &SessionName, start: Start) -> Result<()> {
    if find(connection, container, session).await?.is_none() {
        return create(connection, container, session, &[], start).await;
    }
    let respawn = commands::respawn(session, &start.variables(), &start.command);
    let output = tmux(connection, container, respawn, Vec::new()).await?;
    check(connection, container, session, &output).await
}

/// Ends a session and all that runs in it.
pub async fn kill(connection: &mut Connection, container: &ContainerName, session: &SessionName) -> Result<()> {
    let output = tmux(connection, container, commands::kill(session, exit::of_signal(Signal::HUP.as_raw())), Vec::new()).await?;
    check(connection, container, session, &output).await
}

/// Starts a session without a client. One that runs is fine, unless it was to run a command; one that has ended starts anew.
pub async fn create(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    command: &[String],
    start: Start,
) -> Result<()> {
    make_room(connection, container, session, command).await?;
    if command.is_empty() && find(connection, container, session).await?.is_some_and(|found| found.exit_code.is_some()) {
        return Box::pin(restart(connection, container, session, start)).await;
    }
    let program = commands::create(session, if command.is_empty() { &start.command } else { command });
    let run = Run { program, environment: start.variables(), directory: start.directory, terminal: None, follow: None };
    let created = connection.output(run, &[]).await.map_err(|source| Error::lost(container, source))?;
    if created.exit_code == 0 {
        return Ok(());
    }
    if let Some(lack) = lack(container, created.exit_code) {
        return Err(lack);
    }
    if find(connection, container, session).await?.is_some() {
        return refuse_if_runs(connection, container, session, command).await;
    }
    Err(refused(container, format!("start session `{session}`"), &created))
}

/// What the exit code of the tmux inside says that the container lacks.
pub fn lack(container: &ContainerName, exit_code: i32) -> Option<Error> {
    let container = container.clone();
    match exit_code {
        NO_TMUX => Some(Error::NoTmux { container }),
        NO_SHELL => Some(Error::NoShell { container }),
        _ => None,
    }
}

/// The tmux that keeps the sessions; `None` where the container's side does not say, as one of an older version.
pub async fn inner_tmux(connection: &mut Connection) -> Option<InnerTmux> {
    let run = Run { program: commands::which(), environment: Vec::new(), directory: None, terminal: None, follow: None };
    let output = connection.output(run, &[]).await.ok()?;
    String::from_utf8_lossy(&output.stdout).parse().ok()
}

/// Sets an option of the tmux inside, where that has it; whether its server was there.
pub async fn set_option(connection: &mut Connection, option: &str, value: &str) -> io::Result<bool> {
    let run = Run {
        program: commands::set_option(option, value),
        environment: Vec::new(),
        directory: None,
        terminal: None,
        follow: None,
    };
    Ok(connection.output(run, &[]).await?.exit_code == 0)
}

/// The directory that the session's program is in.
pub async fn directory(connection: &mut Connection, container: &ContainerName, session: &SessionName) -> Result<String> {
    let output = tmux(connection, container, commands::directory(session), Vec::new()).await?;
    check(connection, container, session, &output).await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned())
}

/// What the command of a session that is gone ended with; 0 of one that runs, and of a shell.
pub async fn exit_code(connection: &mut Connection, container: &ContainerName, session: &SessionName) -> Result<i32> {
    let asked = tmux(connection, container, commands::exit_code(session), Vec::new()).await?;
    Ok(String::from_utf8_lossy(&asked.stdout).trim_end().parse().unwrap_or(0))
}

/// What is typed into a session: text as it is, byte for byte, and then keys by tmux's names.
#[derive(Debug, Default)]
pub struct Typed {
    pub text: Vec<u8>,
    /// Whether the program is told that the text is a paste, where it asks to know of those.
    pub as_paste: bool,
    pub keys: Vec<String>,
}

/// Types into a session whose command runs.
pub async fn send(connection: &mut Connection, container: &ContainerName, session: &SessionName, typed: &Typed) -> Result<()> {
    if let Some(code) = find(connection, container, session).await?.and_then(|found| found.exit_code) {
        return Err(Error::SessionEnded {
            container: container.clone(),
            session: session.clone(),
            exit_code: code,
            lines: Vec::new(),
        });
    }
    // A buffer of this client's own, so that two that send at once don't mix.
    let buffer = format!("wharf-{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
    let buffer = (!typed.text.is_empty()).then_some(buffer.as_str());
    let program = commands::send(session, &commands::Typing { buffer, as_paste: typed.as_paste, keys: &typed.keys });
    let run = Run { program, environment: Vec::new(), directory: None, terminal: None, follow: None };
    let output = connection.output(run, &typed.text).await.map_err(|source| Error::lost(container, source))?;
    check(connection, container, session, &output).await
}

/// A session's screen with the lines that have left it, and how many have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Screen {
    pub history: usize,
    /// The number of the first line here, from the first that the session ever printed.
    pub first: usize,
    /// Those that have left it, as far as they were asked for, and then those that it shows.
    pub lines: Vec<String>,
}

/// What a session shows, with so many of the lines that have left its screen; `usize::MAX` is all of them.
pub async fn screen(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    back: usize,
) -> Result<Screen> {
    let from = if back == usize::MAX { "-".to_owned() } else { format!("-{back}") };
    let output = tmux(connection, container, commands::screen(session, &from), Vec::new()).await?;
    check(connection, container, session, &output).await?;
    Ok(Screen::parse(&output.stdout, back))
}

/// What a session showed when something was last sent to it, without what had left its screen; `None` where nothing was.
pub async fn sent_screen(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
) -> Result<Option<Screen>> {
    let [history, shown] = commands::sent_screen(session);
    let history = tmux(connection, container, history, Vec::new()).await?;
    let shown = tmux(connection, container, shown, Vec::new()).await?;
    let printed = [history.stdout, shown.stdout].concat();
    Ok((shown.exit_code == 0).then(|| Screen::parse(&printed, 0)))
}

/// The last lines that a session showed that are not empty; none where nobody can say.
pub async fn last_lines(connection: &mut Connection, container: &ContainerName, session: &SessionName) -> Vec<String> {
    let shown = screen(connection, container, session, 0).await.unwrap_or_default();
    let mut lines: Vec<String> = shown.lines.into_iter().filter(|line| !line.trim().is_empty()).collect();
    lines.drain(..lines.len().saturating_sub(MOST_LAST_LINES));
    lines
}

impl Screen {
    /// A number in the first line, and then the screen's.
    fn parse(printed: &[u8], back: usize) -> Self {
        let printed = String::from_utf8_lossy(printed);
        let (history, rest) = printed.split_once('\n').unwrap_or_default();
        let history: usize = history.parse().unwrap_or(0);
        Self { history, first: history.saturating_sub(back), lines: rest.lines().map(quote::visible).collect() }
    }
}

/// What a session's screen shows; with escape sequences for its colours, and with lines that have left it at the top.
pub async fn capture(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    escapes: bool,
    history: Option<Lines>,
) -> Result<Vec<u8>> {
    let output = tmux(connection, container, commands::capture(session, escapes, history), Vec::new()).await?;
    check(connection, container, session, &output).await?;
    Ok(output.stdout)
}

/// The sessions that run and that wharf can name, as the tmux inside says at this moment: the relay knows which there are
/// without asking, but not when something last happened in them.
pub async fn sessions(connection: &mut Connection, container: &ContainerName) -> Result<Vec<Session>> {
    Ok(all_sessions(connection, container).await?.into_iter().filter_map(Session::named).collect())
}

/// With those that people have given other names. An error where nobody can say which there are.
pub async fn all_sessions(connection: &mut Connection, container: &ContainerName) -> Result<Vec<Session<String>>> {
    let output = tmux(connection, container, commands::list(), Vec::new()).await?;
    if has_no_server(&output) {
        return Ok(Vec::new());
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let listed = printed.lines().map(Session::parse).collect::<Option<_>>().filter(|_| output.exit_code == 0);
    listed.ok_or_else(|| refused(container, "list the sessions".to_owned(), &output))
}

/// Whether there is no tmux that could have sessions: none in the container, or none that runs.
fn has_no_server(output: &Output) -> bool {
    let said = String::from_utf8_lossy(&output.stderr);
    match output.exit_code {
        // One that was there, and is not found any more, is complained of.
        NO_TMUX => said.is_empty(),
        1 => {
            let never_ran = said.starts_with("error connecting to ") && said.trim_end().ends_with("(No such file or directory)");
            // The last two where it ended at that moment; before tmux 3.3 it was "lost".
            never_ran || ["no server running on ", "server exited", "lost server"].iter().any(|start| said.starts_with(start))
        }
        _ => false,
    }
}

async fn check(connection: &mut Connection, container: &ContainerName, session: &SessionName, output: &Output) -> Result<()> {
    if output.exit_code == 0 {
        return Ok(());
    }
    if let Some(lack) = lack(container, output.exit_code) {
        return Err(lack);
    }
    let running = connection.sessions().await.map_err(|source| Error::lost(container, source))?;
    if running.iter().any(|listed| listed.name == *session) {
        return Err(refused(container, format!("reach session `{session}`"), output));
    }
    let running = running.into_iter().map(|listed| listed.name).collect();
    Err(Error::NoSession { container: container.clone(), session: session.clone(), running })
}

/// Runs the tmux inside to its end.
async fn tmux(
    connection: &mut Connection,
    container: &ContainerName,
    program: Program,
    environment: Vec<String>,
) -> Result<Output> {
    let run = Run { program, environment, directory: None, terminal: None, follow: None };
    connection.output(run, &[]).await.map_err(|source| Error::lost(container, source))
}

fn refused(container: &ContainerName, action: String, output: &Output) -> Error {
    let said = quote::printable(&String::from_utf8_lossy(&output.stderr));
    // As one that was killed.
    let silence = || format!("tmux ended with exit code {}, and said nothing", output.exit_code);
    let message = Some(said).filter(|said| !said.is_empty()).unwrap_or_else(silence);
    Error::Inside { container: container.clone(), action, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tmux_that_does_not_run_has_no_sessions() {
        for (exit_code, said, expected) in [
            (1, "no server running on /run/wharf/tmux.sock\n", true),
            (1, "error connecting to /run/wharf/tmux.sock (No such file or directory)\n", true),
            (1, "server exited unexpectedly\n", true),
            (NO_TMUX, "", true),
            (0, "", false),
            (1, "error connecting to /run/wharf/tmux.sock (Resource temporarily unavailable)\n", false),
            (1, "error connecting to /run/wharf/tmux.sock (Permission denied)\n", false),
            (1, "", false),
            (126, "wharf: could not run `/usr/bin/tmux`: Resource temporarily unavailable (os error 11)\n", false),
            (NO_TMUX, "wharf: there is no program `/usr/bin/tmux` in the container\n", false),
            (137, "", false),
        ] {
            let output = Output { exit_code, stdout: Vec::new(), stderr: said.into() };
            assert_eq!(has_no_server(&output), expected, "{exit_code} {said}");
        }
    }
}
