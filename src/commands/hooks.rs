//! A project's hooks, as the host's side has them run, and what it tells of them.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};

use super::logs;
use crate::config::{Choice, Config};
use crate::connection::signals::Signals;
use crate::connection::{Connection, environment, git, refusal};
use crate::container::connect::{Connected, Connector};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::report;
use crate::project::Project;
use crate::protocol::hooks::{self, Command, Hooks, Later, State};
use crate::protocol::{Frame, Program, Request, Run};
use crate::quote;

/// How many of its last lines an error has.
const LAST_LINES: usize = 10;
/// How long a container may take to say what became of them, where nobody has asked for it.
const AT_ONCE: Duration = Duration::from_millis(500);

/// Makes sure that `on-create` has succeeded in the container, and shows it to the person who waits for it.
pub async fn on_create(commands: &[Command], connected: &mut Connected, connector: &Connector<'_>) -> Result<()> {
    // For whoever fetches something by ssh.
    let agent = connector.context.serve_agent(&connected.host_dir);
    let run = run_of(hooks::create(commands), agent.is_some(), connected, connector).await;
    let mut last = VecDeque::new();
    let exit_code = follow(&mut connected.connection, run, &mut last, connector).await?;
    if exit_code == 0 {
        return Ok(());
    }
    let failed = state(&mut connected.connection).await.and_then(|hooks| hooks.on_create);
    let command = failed.map_or_else(|| texts(commands), |outcome| outcome.command.to_string());
    Err(Error::HookFailed { container: connector.name(), hook: "on-create", command, exit_code, log: last.into() })
}

/// Runs a command to its end, and shows it to the person who waits for it; `what` it is for.
pub async fn run_to_end(
    command: &[String],
    directory: &str,
    what: &'static str,
    connected: &mut Connected,
    connector: &Connector<'_>,
) -> Result<()> {
    let agent = connector.context.serve_agent(&connected.host_dir);
    let run = run_of(Program::Command(command.to_vec()), agent.is_some(), connected, connector).await;
    let run = Run { directory: Some(directory.to_owned()), ..run };
    let mut last = VecDeque::new();
    match follow(&mut connected.connection, run, &mut last, connector).await? {
        0 => Ok(()),
        exit_code => {
            let command = command.join(" ");
            Err(Error::HookFailed { container: connector.name(), hook: what, command, exit_code, log: last.into() })
        }
    }
}

/// Sees to it that what follows `on-create` runs once, and `on-start` once for this start of the container: in the background, or
/// with `waits` before this ends.
pub async fn later(later: &Later, waits: bool, connected: &mut Connected, connector: &Connector<'_>) -> Result<()> {
    let all = texts(later.after_create.iter().chain(&later.on_start));
    if waits {
        let agent = connector.context.serve_agent(&connected.host_dir);
        let run = run_of(hooks::start(later, true), agent.is_some(), connected, connector).await;
        let mut last = VecDeque::new();
        let exit_code = follow(&mut connected.connection, run, &mut last, connector).await?;
        if exit_code == 0 {
            return Ok(());
        }
        let failed = state(&mut connected.connection).await.into_iter().flat_map(Hooks::in_background);
        let failed = failed.into_iter().find(|(_, outcome)| outcome.state == State::Failed);
        let (hook, command) = failed.map_or(("on-start", all), |(hook, outcome)| (hook, outcome.command.to_string()));
        return Err(Error::HookFailed { container: connector.name(), hook, command, exit_code, log: last.into() });
    }
    start_in_background(hooks::start(later, false), "on-start", all, connected, connector).await
}

/// Starts the hooks of an attach.
pub async fn on_attach(commands: &[Command], connected: &mut Connected, connector: &Connector<'_>) -> Result<()> {
    start_in_background(hooks::attach(commands), "on-attach", texts(commands), connected, connector).await
}

fn texts<'a>(commands: impl IntoIterator<Item = &'a Command>) -> String {
    commands.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

async fn start_in_background(
    program: Program,
    hook: &'static str,
    command: String,
    connected: &mut Connected,
    connector: &Connector<'_>,
) -> Result<()> {
    let run = run_of(program, false, connected, connector).await;
    let started = connected.connection.output(run, &[]).await.map_err(|source| Error::lost(&connector.name(), source))?;
    if started.exit_code == 0 {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&started.stderr);
    let log = said.lines().map(quote::printable).collect();
    Err(Error::HookFailed { container: connector.name(), hook, command, exit_code: started.exit_code, log })
}

/// With what a session has, but for the terminal.
async fn run_of(program: Program, has_agent: bool, connected: &Connected, connector: &Connector<'_>) -> Run {
    let mut environment = environment::for_terminal(|name| connector.context.variable(name), has_agent);
    environment.extend(git::share(connector.project.path(), &connected.host_dir).await);
    Run { program, environment, directory: None, terminal: None, follow: None }
}

/// Shows what it says until its end, however long that takes, or until the person has enough of it.
async fn follow(connection: &mut Connection, run: Run, last: &mut VecDeque<String>, connector: &Connector<'_>) -> Result<i32> {
    let mut signals = Signals::listen().map_err(|source| Error::io("listen for signals", source))?;
    let output = async {
        connection.request(Request::Run(run)).await?;
        connection.writer.send(Frame::Input(Bytes::new())).await?;
        let mut line = Vec::new();
        loop {
            match connection.reader.next().await {
                Some(Ok(Frame::Output(bytes) | Frame::ErrorOutput(bytes))) => {
                    logs::write(io::stderr().lock(), &bytes)?;
                    keep(&bytes, &mut line, last);
                }
                Some(Ok(Frame::Exit(code))) => return Ok(code),
                Some(Ok(Frame::Taken(_))) => {}
                Some(Ok(Frame::Refused(reason))) => return Err(refusal(&reason)),
                Some(Err(error)) => return Err(error),
                Some(Ok(_)) | None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    };
    tokio::select! {
        ended = output => ended.map_err(|source| Error::lost(&connector.name(), source)),
        // With the connection goes what runs over it.
        _ = signals.recv() => Err(Error::Cancelled),
    }
}

/// The longest line that is kept of a program that ends none.
const LONGEST: usize = 4096;

fn keep(bytes: &[u8], line: &mut Vec<u8>, last: &mut VecDeque<String>) {
    for &byte in bytes {
        if byte != b'\n' {
            line.extend((line.len() < LONGEST).then_some(byte));
            continue;
        }
        last.push_back(quote::printable(&String::from_utf8_lossy(line)));
        line.clear();
        if last.len() > LAST_LINES {
            last.pop_front();
        }
    }
}

/// What became of the hooks; `None` where the container's side knows none, or does not say.
pub async fn state(connection: &mut Connection) -> Option<Hooks> {
    let run = Run { program: hooks::state(), environment: Vec::new(), directory: None, terminal: None, follow: None };
    let output = connection.output(run, &[]).await.ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

/// Says that a hook has failed in the background, where one is configured.
pub async fn tell(project: &Project, context: &Context) {
    let effective = context.configuration().effective(project, Choice::default(), crate::config::Part::default());
    let has_any =
        |config: &Config| [&config.after_create, &config.on_start, &config.on_attach].into_iter().any(|hooks| !hooks.is_empty());
    if !effective.is_ok_and(|effective| has_any(&effective.config)) {
        return;
    }
    let ask = async { state(&mut Connector::to(project, context).running().await.ok()?.connection).await };
    let Ok(Some(hooks)) = tokio::time::timeout(AT_ONCE, Box::pin(ask)).await else { return };
    for (hook, outcome) in hooks.in_background().into_iter().filter(|(_, outcome)| outcome.state == State::Failed) {
        report::note(&format!("`{hook}` {}; `wharf logs` has its output", quote::printable(&outcome.to_string())), context);
    }
}
