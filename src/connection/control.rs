//! What the host's side asks of the tmux inside, and tells it.

use super::{Connection, Output};
use crate::error::{Error, Result};
use crate::model::{ContainerName, InnerTmux, Session, SessionName};
use crate::protocol::{NO_SHELL, NO_TMUX, Program, Run, STOP_SIGNAL_VARIABLE, commands};
use crate::quote;

/// A command that a running session would swallow is not lost in silence.
pub async fn refuse_if_runs(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    command: &[String],
) -> Result<()> {
    unless_it_runs(connection, container, session, command).await.map(drop)
}

/// Refuses as [`refuse_if_runs`] does, and ends a session whose command has ended, so that the next has room.
pub async fn make_room(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    command: &[String],
) -> Result<()> {
    match unless_it_runs(connection, container, session, command).await? {
        InTheWay::Ended => tmux(connection, container, commands::end(session), Vec::new()).await.map(drop),
        InTheWay::Nothing => Ok(()),
    }
}

/// What is in the way of a command that a session is to run, and can be put out of it.
enum InTheWay {
    Nothing,
    /// A session whose command has ended.
    Ended,
}

/// An error where the session runs. Without a command, nobody has to be asked.
async fn unless_it_runs(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    command: &[String],
) -> Result<InTheWay> {
    if command.is_empty() {
        return Ok(InTheWay::Nothing);
    }
    match find(connection, container, session).await? {
        None => Ok(InTheWay::Nothing),
        Some(found) if found.exit_code.is_some() => Ok(InTheWay::Ended),
        Some(_) => Err(Error::SessionRuns { container: container.clone(), session: session.clone() }),
    }
}

/// Of tmux itself: what the relay knows is a moment old, and something is decided by this.
async fn find(connection: &mut Connection, container: &ContainerName, session: &SessionName) -> Result<Option<Session>> {
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
    /// By which signal the command is told that the container stops; a hangup where `None`.
    pub stop_signal: Option<&'static str>,
}

impl Start {
    /// What the session's environment says for the container's end.
    pub fn stop_variable(&self) -> Option<String> {
        self.stop_signal.map(|signal| format!("{STOP_SIGNAL_VARIABLE}={signal}"))
    }
}

/// Starts a session without a client. One that runs is fine, unless it was to run a command.
pub async fn create(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    command: &[String],
    start: Start,
) -> Result<()> {
    make_room(connection, container, session, command).await?;
    let program = commands::create(session, if command.is_empty() { &start.command } else { command });
    let environment = start.stop_variable().into_iter().chain(start.environment).collect();
    let run = Run { program, environment, directory: start.directory, terminal: None };
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
    let run = Run { program: commands::which(), environment: Vec::new(), directory: None, terminal: None };
    let output = connection.output(run, &[]).await.ok()?;
    String::from_utf8_lossy(&output.stdout).parse().ok()
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

/// Types text into a session as it is, byte for byte; `enter` presses that key afterwards.
pub async fn send(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    text: &[u8],
    enter: bool,
) -> Result<()> {
    // A buffer of this client's own, so that two that send at once don't mix.
    let buffer = format!("wharf-{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
    let [load, paste] = commands::paste(session, &buffer);
    let mut programs = Vec::new();
    if !text.is_empty() {
        programs.extend([(load, text), (paste, &[][..])]);
    }
    if enter {
        programs.push((commands::press_enter(session), &[]));
    }
    for (program, input) in programs {
        let run = Run { program, environment: Vec::new(), directory: None, terminal: None };
        let output = connection.output(run, input).await.map_err(|source| Error::lost(container, source))?;
        check(connection, container, session, &output).await?;
    }
    Ok(())
}

/// What a session's screen shows; with escape sequences for its colours, and with lines that have left it at the top.
pub async fn capture(
    connection: &mut Connection,
    container: &ContainerName,
    session: &SessionName,
    escapes: bool,
    history: Option<u32>,
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
    let run = Run { program, environment, directory: None, terminal: None };
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
