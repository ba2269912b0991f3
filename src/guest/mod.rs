//! `wharf-guest`: the program that runs in containers, where it is one of the tools that every container gets.

mod command_line;
#[cfg(feature = "host")]
pub mod delivery;
mod hold;
mod home;
mod hooks;
mod init;
mod keep;
mod last_session;
mod listens;
mod locale;
mod once;
mod ports;
mod processes;
mod relay;
mod report;
mod root;
mod server;
mod sshd;
mod stopping;
mod tmux;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use rustix::fs::{FlockOperation, flock};
use tokio::runtime::Runtime;

use crate::guest::command_line::Verb;
use crate::model::exit;
use crate::protocol::{LIFE_DIR, Launch, RUNTIME_DIR};

/// A command line that cannot be read: what shells end with for one.
const MISUSED: i32 = 2;

/// The whole program.
pub fn main() -> ExitCode {
    match Verb::of_this_process() {
        Ok(verb) => run(verb),
        Err(error) => {
            eprintln!("wharf-guest: {error}");
            exit::with(MISUSED)
        }
    }
}

fn run(verb: Verb) -> ExitCode {
    match verb {
        Verb::Hold(holding) => hold::run(holding),
        Verb::Pause => hold::pause(),
        Verb::Init(command) => init::run(&command),
        Verb::Linger => root::linger(),
        Verb::Relay(mode) => relay::run(mode),
        Verb::Tmux(arguments) => tmux::run(&arguments),
        Verb::WhichTmux => tmux::print_choice(),
        Verb::Become(command) => become_program(&command),
        Verb::Hooks(verb) => hooks::run(verb),
        Verb::Sshd(verb) => sshd::run(verb),
        Verb::Listening => ports::print_listening(),
        Verb::Connect(port) => ports::connect(port),
        Verb::Home(verb) => home::run(verb),
        Verb::Keep(command) => keep::run(&command),
        Verb::Report(state) => report::run(state),
        Verb::Listens(port) => listens::run(port),
    }
}

fn become_program(command: &[String]) -> ExitCode {
    could_not_run(&command[0], &Command::new(&command[0]).args(&command[1..]).exec())
}

/// Says so, with the exit code that shells have for it.
fn could_not_run(program: &str, error: &io::Error) -> ExitCode {
    eprintln!("wharf: could not run `{program}`: {error}");
    exit::with(exit::of_failure(error))
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// wharf itself, to be run once more. How it is run in containers follows from how it was built.
fn own_program() -> Command {
    let words = Launch::of_this_build().guest();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

/// The directory in memory of whom this is run as: the session's user, or root beside them.
fn runtime_dir() -> PathBuf {
    if root::is_beside_user() { root::directory() } else { RUNTIME_DIR.into() }
}

/// The directory for what lives as long as the container; in memory where it has no such place.
fn life_dir() -> PathBuf {
    let directory = Path::new(LIFE_DIR);
    let trial = directory.join(format!(".{}", std::process::id()));
    let is_there = fs::create_dir_all(directory).and_then(|()| fs::write(&trial, "")).and_then(|()| fs::remove_file(trial));
    if is_there.is_ok() { directory } else { Path::new(RUNTIME_DIR) }.to_owned()
}

/// Takes the lock where nobody has it. It is held for as long as the file is open.
fn try_lock(file: &File) -> bool {
    flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// A program in `PATH`, or in the directories that an image without one has its programs in.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH");
    let listed = path.as_deref().map(env::split_paths).into_iter().flatten();
    let usual = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
    listed.chain(usual).map(|directory| directory.join(name)).find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn is_set(name: impl AsRef<OsStr>) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}
