//! `wharf exec`

use std::io;
use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;

use super::Asked;
use crate::cli::{Creation, Exec};
use crate::commands::target;
use crate::connection::attach::{End, Goodbye, pump};
use crate::connection::signals::Signals;
use crate::connection::standard::{StandardInput, StandardOutput};
use crate::connection::terminal::{Terminal, USUAL_SIZE};
use crate::connection::{Connection, environment, git, refusal};
use crate::container::connect::{Connected, Connector};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{ContainerName, exit};
use crate::project::Project;
use crate::protocol::{CHUNK, Frame, Program, Request, Run, Window};

/// As of a program that wrote to a pipe nobody reads.
const BROKEN_PIPE: i32 = 141;

pub async fn run(args: Exec, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.target.as_deref(), context).await?;
    let connector = Connector::to(&project, context);
    let mut connected = Box::pin(enter(&connector)).await?;
    if args.root {
        connected = Box::pin(Connector::to(&project, context).of_root(true).running()).await?;
    }
    let directory = if args.target.is_none() { below(&project) } else { None };
    run_in(connected, &project, &connector.name(), Program::Command(args.command), directory, args.no_tty, context).await
}

/// Into a container that exists. What is configured matters only where it is started.
pub async fn enter(connector: &Connector<'_>) -> Result<Connected> {
    match connector.running().await {
        Err(Error::NotRunning { .. }) => {}
        entered => return entered,
    }
    let asked = Asked::of(connector.project, &Creation::default(), connector.context)?;
    let mut connected = connector.existing(&asked.wanted(connector.context)).await?;
    asked.set_up(&mut connected, connector).await?;
    Ok(connected)
}

/// Runs a program with what this process has for standard streams, and ends as it does.
pub async fn run_in(
    mut connected: Connected,
    project: &Project,
    container: &ContainerName,
    program: Program,
    directory: Option<String>,
    no_tty: bool,
    context: &Context,
) -> Result<ExitCode> {
    let is_on_terminal = !no_tty && Terminal::is_present();
    let mut environment = environment::for_terminal(|name| context.variable(name), false);
    environment.extend(git::share(project.path(), &connected.host_dir).await);
    let mut run = Run { program, environment, directory, terminal: None, follow: None };
    let code = if is_on_terminal {
        let terminal = Terminal::take().map_err(|source| Error::io("take over the terminal", source))?;
        run.terminal = Some(Terminal::size().unwrap_or(USUAL_SIZE));
        on_terminal(&terminal, &mut connected.connection, run).await
    } else {
        with_streams(&mut connected.connection, run).await
    };
    let code = code.map_err(|source| Error::lost(container, source))?;
    Ok(exit::with(code))
}

/// Where in the project the person is, for a program to be run at the same place.
pub fn below(project: &Project) -> Option<String> {
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok()?;
    let below = here.strip_prefix(project.path()).ok().filter(|below| *below != Path::new(""))?;
    below.to_str().map(str::to_owned)
}

async fn on_terminal(terminal: &Terminal, connection: &mut Connection, run: Run) -> io::Result<i32> {
    let size = run.terminal;
    connection.request(Request::Run(run)).await?;
    match pump(terminal, size, connection, Goodbye::HangUp, &()).await? {
        End::Exited(code) => Ok(code),
        // The terminal is gone, and with it who would want to know.
        End::Here => Ok(exit::of_signal(Signal::HUP.as_raw())),
        End::Lost => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

async fn with_streams(connection: &mut Connection, run: Run) -> io::Result<i32> {
    connection.request(Request::Run(run)).await?;
    let (reader, writer) = (&mut connection.reader, &mut connection.writer);
    let window = Window::new();
    let output = async {
        let (stdout, stderr) = (StandardOutput::stdout()?, StandardOutput::stderr()?);
        loop {
            let written = match reader.next().await {
                Some(Ok(Frame::Output(bytes))) => stdout.write_all(&bytes).await,
                Some(Ok(Frame::ErrorOutput(bytes))) => stderr.write_all(&bytes).await,
                Some(Ok(Frame::Taken(count))) => {
                    window.taken(count);
                    Ok(())
                }
                Some(Ok(Frame::Exit(code))) => return Ok(code),
                Some(Ok(Frame::Refused(reason))) => return Err(refusal(&reason)),
                Some(Err(error)) => return Err(error),
                Some(Ok(_)) | None => return Err(io::ErrorKind::UnexpectedEof.into()),
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(BROKEN_PIPE),
                written => written?,
            }
        }
    };
    let input = async {
        let standard_input = StandardInput::take()?;
        let mut signals = Signals::listen()?;
        let mut buffer = vec![0; CHUNK];
        let mut is_open = true;
        loop {
            let read = async {
                let room = window.room(CHUNK).await;
                let count = standard_input.read(&mut buffer[..room]).await.unwrap_or(0);
                Bytes::copy_from_slice(&buffer[..count])
            };
            let frame = tokio::select! {
                signal = signals.recv() => Frame::signal(signal),
                bytes = read, if is_open => {
                    is_open = !bytes.is_empty();
                    window.sent(bytes.len());
                    Frame::Input(bytes)
                }
            };
            writer.send(frame).await?;
        }
    };
    let mut output = std::pin::pin!(output);
    tokio::select! {
        ended = &mut output => ended,
        // What came last says more than a stream that takes nothing any more.
        failed = input => match output.await {
            Err(_) => failed,
            ended => ended,
        },
    }
}
