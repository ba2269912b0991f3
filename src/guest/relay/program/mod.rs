//! Running a program for a client, and ending it when the client goes.

mod follow;
mod foreground;
mod input;
mod output;
mod styled;

use std::env;
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::process::{Child, ChildStderr};
use tokio_util::codec::{FramedRead, FramedWrite};

use crate::guest::locale;
use crate::guest::tmux::invocation;
use crate::model::Size;
use crate::model::exit::{self, NOT_RUN};
use crate::protocol::{Codec, Follow, Frame, Launch, Program, Run};
use follow::Follower;
use input::Taken;
use output::Output;

/// A program with everything that it gets.
struct Ready {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
}

/// A program that is not run: what to tell the person, and the exit code.
struct NotRun(String, i32);

/// How a program ended that a client has asked for.
pub struct Ended {
    pub exit_code: i32,
    /// What the person has to be told besides.
    pub message: Option<String>,
}

/// Runs a program to its end. An error means that the client has gone, or broken the rules.
pub async fn run<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    run: Run,
    reader: &mut FramedRead<R, Codec>,
    writer: &mut FramedWrite<W, Codec>,
) -> io::Result<Ended> {
    let (terminal, follow) = (run.terminal, run.follow.clone());
    let outcome = match prepare(run) {
        Ok(ready) => match terminal {
            Some(size) => on_terminal(ready, size, follow, reader, writer).await?,
            None => with_streams(ready, reader, writer).await?,
        },
        Err(not_run) => Err(not_run),
    };
    Ok(match outcome {
        Ok(status) => Ended { exit_code: exit::code_of(status), message: None },
        Err(NotRun(message, exit_code)) => Ended { exit_code, message: Some(message).filter(|message| !message.is_empty()) },
    })
}

fn prepare(run: Run) -> Result<Ready, NotRun> {
    let pairs = run.environment.iter().filter_map(|pair| pair.split_once('='));
    let mut environment: Vec<_> = pairs.map(in_image).collect();
    let directory = run.directory.map(below_home);
    if let Some(missing) = directory.as_deref().filter(|directory| !Path::is_dir(directory)) {
        return Err(NotRun(format!("there is no directory `{}` in the container", missing.display()), NOT_RUN));
    }
    let (program, arguments) = match run.program {
        Program::Tmux(arguments) => {
            // The host knows what the code means, and says it better.
            let tmux = invocation(&arguments).map_err(|missing| NotRun(String::new(), missing.exit_code()))?;
            environment.extend(tmux.environment.into_iter().map(|(name, value)| (name.into(), value)));
            (tmux.program, tmux.arguments)
        }
        Program::Own(arguments) => {
            let mut words = Launch::of_this_build().guest().into_iter().chain(arguments);
            let program = words.next().ok_or_else(|| NotRun("no program was named".to_owned(), NOT_RUN))?;
            (program.into(), words.map(Into::into).collect())
        }
        Program::Command(words) => {
            let mut words = words.into_iter();
            let program = words.next().ok_or_else(|| NotRun("no program was named".to_owned(), NOT_RUN))?;
            (program.into(), words.map(Into::into).collect())
        }
    };
    Ok(Ready { program, arguments, environment, directory })
}

/// A path that may begin with `~`, which is the home directory here.
fn below_home(path: String) -> PathBuf {
    match (path.strip_prefix('~'), env::var_os("HOME")) {
        (Some(below), Some(home)) if below.is_empty() || below.starts_with('/') => {
            Path::new(&home).join(below.trim_start_matches('/'))
        }
        _ => PathBuf::from(path),
    }
}

/// A variable of the host's, as it is right in this image.
fn in_image((name, value): (&str, &str)) -> (OsString, OsString) {
    (name.into(), locale::in_image(name, value).map_or_else(|| value.into(), OsString::from))
}

async fn on_terminal<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    ready: Ready,
    size: Size,
    follow: Option<Follow>,
    reader: &mut FramedRead<R, Codec>,
    writer: &mut FramedWrite<W, Codec>,
) -> io::Result<Result<ExitStatus, NotRun>> {
    let (pty, pts) = pty_process::open().map_err(io::Error::other)?;
    pty.resize(pty_size(size)).map_err(io::Error::other)?;
    let mut command = pty_process::Command::new(&ready.program).args(&ready.arguments).envs(ready.environment.iter().cloned());
    if let Some(directory) = &ready.directory {
        command = command.current_dir(directory);
    }
    let mut child = match command.spawn(pts) {
        Ok(child) => child,
        Err(pty_process::Error::Io(error)) => return Ok(Err(not_run(&ready.program, &error))),
        Err(error) => return Err(io::Error::other(error)),
    };
    let name = rustix::pty::ptsname(&pty, Vec::new()).ok().and_then(|name| name.into_string().ok());
    let mut follower = follow.zip(name).map(|(follow, name)| Follower::new(follow, name));
    // Dropped with this function, it hangs up on whoever is left on the terminal.
    let (output, input) = pty.into_split();
    let (group, taken) = (Group::of(&child), Taken::default());
    let resize = |input: &pty_process::OwnedWritePty, size| drop(input.resize(pty_size(size)));
    // When its leader has ended, a terminal hangs up on all others and is at its end, so nothing has to be counted.
    let stdout = Output::new(Some(output), Frame::Output, |_| 0);
    let no_stderr = Output::new(None::<ChildStderr>, Frame::ErrorOutput, |_| 0);
    let ended = tokio::select! {
        ended = output::pass_on(&mut child, stdout, no_stderr, follower.as_mut(), writer, &taken) => ended,
        gone = input::pass_on(reader, input, resize, group, &taken) => Err(gone),
    };
    end_if_alone(&ended, child, group, Signal::HUP);
    ended.map(Ok)
}

async fn with_streams<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
    ready: Ready,
    reader: &mut FramedRead<R, Codec>,
    writer: &mut FramedWrite<W, Codec>,
) -> io::Result<Result<ExitStatus, NotRun>> {
    let mut command = tokio::process::Command::new(&ready.program);
    command.args(&ready.arguments).envs(ready.environment.iter().cloned()).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(directory) = &ready.directory {
        command.current_dir(directory);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Err(not_run(&ready.program, &error))),
    };
    let (group, taken) = (Group::of(&child), Taken::default());
    let input = child.stdin.take().ok_or(io::ErrorKind::Other)?;
    let stdout = Output::new(child.stdout.take(), Frame::Output, unread);
    let stderr = Output::new(child.stderr.take(), Frame::ErrorOutput, unread);
    let ended = tokio::select! {
        ended = output::pass_on(&mut child, stdout, stderr, None, writer, &taken) => ended,
        gone = input::pass_on(reader, input, |_, _| {}, group, &taken) => Err(gone),
    };
    end_if_alone(&ended, child, group, Signal::TERM);
    ended.map(Ok)
}

fn unread(stream: &impl AsFd) -> u64 {
    rustix::io::ioctl_fionread(stream).unwrap_or(0)
}

/// Tells a program whose client has gone to end, and waits for it, which may take it a while: nobody else would.
fn end_if_alone(ended: &io::Result<ExitStatus>, mut child: Child, group: Group, signal: Signal) {
    if ended.is_err() {
        group.send(signal);
        tokio::spawn(async move { child.wait().await });
    }
}

fn not_run(program: &Path, error: &io::Error) -> NotRun {
    let program = program.display();
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("there is no program `{program}` in the container"),
        _ => format!("could not run `{program}`: {error}"),
    };
    NotRun(message, exit::of_failure(error))
}

fn pty_size(size: Size) -> pty_process::Size {
    // A tmux from 3.6 on asks a terminal without a size in pixels for its size, and those up to 3.3a answer it the wrong way
    // round.
    pty_process::Size::new_with_pixel(size.rows, size.columns, size.pixel_width, size.pixel_height)
}

/// The process group that every program leads, on a terminal or not.
#[derive(Debug, Clone, Copy)]
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// A number that is no signal's is nothing to send.
    fn signal(self, number: u8) {
        if let Some(signal) = Signal::from_named_raw(number.into()) {
            self.send(signal);
        }
    }

    fn send(self, signal: Signal) {
        if let Some(group) = self.0 {
            let _ = kill_process_group(group, signal);
        }
    }
}
