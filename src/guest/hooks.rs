//! A project's hooks, in the container: `on-create` once in its life, `on-start` once for each of its starts.
//!
//! A lock tells whether one runs at this moment, and a file what became of it. Those of `on-create` are part of the
//! container's own file system, which goes with it; those of `on-start` are in memory, which goes with the start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use rustix::fs::{FlockOperation, flock};
use rustix::process::setsid;

use super::{could_not_run, find_program, life_dir, try_lock};
use crate::guest::command_line::HooksVerb;
use crate::model::exit;
use crate::protocol::RUNTIME_DIR;
use crate::protocol::hooks::{Command as Hook, Hooks, Outcome, State};

pub fn run(verb: HooksVerb) -> ExitCode {
    let done = match verb {
        HooksVerb::Create(hooks) => create(&hooks),
        HooksVerb::Start(hooks) => start(&hooks),
        HooksVerb::Serve(hooks) => serve(&hooks),
        HooksVerb::State => state(),
    };
    match done {
        Ok(code) => exit::with(code),
        Err(error) => could_not_run("hooks", &error),
    }
}

/// What one kind of hook leaves, by its name.
struct Record {
    directory: PathBuf,
    name: &'static str,
}

impl Record {
    fn on_create() -> Self {
        Self { directory: life_dir(), name: "on-create" }
    }

    fn on_start() -> Self {
        Self { directory: Path::new(RUNTIME_DIR).to_owned(), name: "on-start" }
    }

    fn lock(&self) -> io::Result<File> {
        open_lock(&self.directory.join(format!("{}.lock", self.name)))
    }

    fn file(&self) -> PathBuf {
        self.directory.join(format!("{}.json", self.name))
    }

    fn read(&self) -> Option<Outcome> {
        serde_json::from_slice(&fs::read(self.file()).ok()?).ok()
    }

    /// In one step: others may read it just now.
    fn write(&self, state: State, command: &Hook, exit_code: Option<i32>) -> io::Result<()> {
        let new = self.file().with_extension(std::process::id().to_string());
        fs::write(&new, serde_json::to_vec(&Outcome { state, command: command.clone(), exit_code })?)?;
        fs::rename(new, self.file())
    }

    /// As whoever asks now finds it.
    fn outcome(&self) -> Option<Outcome> {
        let outcome = self.read()?;
        let runs = || self.lock().is_ok_and(|lock| !try_lock(&lock));
        // It may have ended in between.
        if outcome.state != State::Running || runs() {
            return Some(outcome);
        }
        let outcome = self.read()?;
        let is_left = outcome.state == State::Running;
        Some(if is_left { Outcome { state: State::Interrupted, ..outcome } } else { outcome })
    }

    /// Runs one after the other until one fails; its exit code.
    fn run(&self, hooks: &[Hook]) -> io::Result<i32> {
        let none = Vec::new();
        for hook in hooks {
            self.write(State::Running, hook, None)?;
            eprintln!("{}: {}", self.name, hook.join(" "));
            let code = run_hook(hook);
            if code != 0 {
                self.write(State::Failed, hook, Some(code))?;
                return Ok(code);
            }
        }
        self.write(State::Succeeded, hooks.last().unwrap_or(&none), Some(0))?;
        Ok(0)
    }
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path)
}

fn create(hooks: &[Hook]) -> io::Result<i32> {
    // One stream for all, or nobody who reads two could tell what came first.
    rustix::stdio::dup2_stdout(io::stderr())?;
    let record = Record::on_create();
    let has_succeeded = |outcome: &Outcome| outcome.state == State::Succeeded;
    // What has succeeded is never undone, so nobody has to wait for the lock to know it.
    if record.read().is_some_and(|outcome| has_succeeded(&outcome)) {
        return Ok(0);
    }
    let lock = record.lock()?;
    if !try_lock(&lock) {
        eprintln!("waiting for on-create, which another wharf runs");
        flock(&lock, FlockOperation::LockExclusive)?;
        match record.read() {
            Some(outcome) if has_succeeded(&outcome) => return Ok(0),
            // Whoever waited for it has what it came to.
            Some(Outcome { state: State::Failed, exit_code: Some(code), .. }) => return Ok(code),
            _ => {}
        }
    }
    record.run(hooks)
}

/// A process of its own goes on with it, and what that prints is in the container's log.
fn start(hooks: &[Hook]) -> io::Result<i32> {
    let claim = Path::new(RUNTIME_DIR).join("on-start.claim");
    match OpenOptions::new().write(true).create_new(true).open(claim) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(0),
        claimed => drop(claimed?),
    }
    let log = |fd: u8| {
        let stream = OpenOptions::new().append(true).open(format!("/proc/1/fd/{fd}"));
        stream.map_or_else(|_| Stdio::null(), Stdio::from)
    };
    let mut serve = super::own_program();
    serve.args(["hooks", "serve", &serde_json::to_string(hooks)?]);
    serve.stdin(Stdio::null()).stdout(log(1)).stderr(log(2)).process_group(0).spawn().map(|_| 0)
}

fn serve(hooks: &[Hook]) -> io::Result<i32> {
    // Away from the process group of who has started it.
    let _ = setsid();
    let record = Record::on_start();
    let lock = record.lock()?;
    flock(&lock, FlockOperation::LockExclusive)?;
    record.run(hooks)
}

fn state() -> io::Result<i32> {
    let hooks = Hooks { on_create: Record::on_create().outcome(), on_start: Record::on_start().outcome() };
    writeln!(io::stdout(), "{}", serde_json::to_string(&hooks)?)?;
    Ok(0)
}

/// One word is a line for a shell.
fn run_hook(hook: &Hook) -> i32 {
    let mut command = match hook.as_slice() {
        [line] => {
            let mut shell = Command::new(find_program("sh").unwrap_or_else(|| PathBuf::from("sh")));
            shell.args(["-c", line]);
            shell
        }
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
        [] => return 0,
    };
    match command.stdin(Stdio::null()).status() {
        Ok(status) => exit::code_of(status),
        Err(error) => {
            let _ = could_not_run(&command.get_program().to_string_lossy(), &error);
            exit::of_failure(&error)
        }
    }
}
