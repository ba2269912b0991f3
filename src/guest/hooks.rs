//! A project's hooks, in the container: `on-create` and `after-create` once in its life, `on-start` once for each of its
//! starts, `on-attach` for each attach.
//!
//! A lock tells whether one runs at this moment, and a file what became of it. Those of a new container are part of the
//! container's own file system, which goes with it; the others are in memory, which goes with the start. What has succeeded
//! is noted command by command, so that after a failure nothing runs twice.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, thread};

use rustix::fs::{FlockOperation, flock};
use rustix::process::setsid;
use serde::Serialize;

use super::{could_not_run, find_program, life_dir, try_lock};
use crate::guest::command_line::HooksVerb;
use crate::model::exit;
use crate::protocol::RUNTIME_DIR;
use crate::protocol::hooks::{Command as Hook, Hooks, Later, Outcome, State};
use crate::protocol::variables;

/// How often to look whether what another process runs has ended.
const PAUSE: Duration = Duration::from_millis(50);

pub fn run(verb: HooksVerb) -> ExitCode {
    let done = match verb {
        HooksVerb::Create(hooks) => create(&hooks),
        HooksVerb::Start(later) => start(&later),
        HooksVerb::StartAndWait(later) => start_and_wait(&later),
        HooksVerb::Serve(later) => serve(&later),
        HooksVerb::Attach(hooks) => in_background("serve-attach", &hooks),
        HooksVerb::ServeAttach(hooks) => serve_attach(&hooks),
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

    fn after_create() -> Self {
        Self { directory: life_dir(), name: "after-create" }
    }

    fn on_start() -> Self {
        Self { directory: Path::new(RUNTIME_DIR).to_owned(), name: "on-start" }
    }

    fn on_attach() -> Self {
        Self { directory: Path::new(RUNTIME_DIR).to_owned(), name: "on-attach" }
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

    fn has_succeeded(&self) -> bool {
        self.read().is_some_and(|outcome| outcome.state == State::Succeeded)
    }

    /// Runs one after the other until one fails; its exit code.
    fn run(&self, hooks: &[Hook]) -> io::Result<i32> {
        let mut done = Done::read(self.directory.join(format!("{}.done", self.name)));
        for hook in hooks {
            self.write(State::Running, hook, None)?;
            let code = match hook {
                Hook::One(words) => self.run_one(words, &mut done)?,
                Hook::Parallel(commands) => self.run_parallel(commands, &mut done)?,
            };
            if code != 0 {
                self.write(State::Failed, hook, Some(code))?;
                return Ok(code);
            }
        }
        self.write(State::Succeeded, hooks.last().unwrap_or(&Hook::default()), Some(0))?;
        Ok(0)
    }

    fn run_one(&self, words: &[String], done: &mut Done) -> io::Result<i32> {
        if done.has(&words) {
            return Ok(0);
        }
        eprintln!("{}: {}", self.name, words.join(" "));
        let code = start_program(words).map_or_else(|code| code, wait);
        if code == 0 {
            done.add(&words)?;
        }
        Ok(code)
    }

    /// Runs all at once, and waits for each of them; the exit code of the first that has failed.
    fn run_parallel(&self, commands: &BTreeMap<String, Vec<String>>, done: &mut Done) -> io::Result<i32> {
        let left: Vec<_> = commands.iter().filter(|command| !done.has(command)).collect();
        let started = left.into_iter().map(|command| {
            let (name, words) = command;
            eprintln!("{}: {name}: {}", self.name, words.join(" "));
            (command, start_program(words))
        });
        let started: Vec<_> = started.collect();
        let mut failed = 0;
        for (command, started) in started {
            match started.map_or_else(|code| code, wait) {
                0 => done.add(&command)?,
                code => {
                    eprintln!("{}: {} failed with exit code {code}", self.name, command.0);
                    failed = if failed == 0 { code } else { failed };
                }
            }
        }
        Ok(failed)
    }
}

/// What has succeeded already, in the order in which it did.
struct Done {
    file: PathBuf,
    all: Vec<String>,
    /// What of it has not been asked for in this run: the same command may be there twice.
    left: Vec<String>,
}

impl Done {
    fn read(file: PathBuf) -> Self {
        let all: Vec<String> = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { file, left: all.clone(), all }
    }

    fn has(&mut self, command: &impl Serialize) -> bool {
        let key = key(command);
        let found = self.left.iter().position(|known| *known == key);
        found.map(|i| self.left.remove(i)).is_some()
    }

    fn add(&mut self, command: &impl Serialize) -> io::Result<()> {
        self.all.push(key(command));
        fs::write(&self.file, serde_json::to_vec(&self.all)?)
    }
}

fn key(command: &impl Serialize) -> String {
    serde_json::to_string(command).unwrap_or_default()
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path)
}

fn create(hooks: &[Hook]) -> io::Result<i32> {
    one_stream()?;
    let record = Record::on_create();
    // What has succeeded is never undone, so nobody has to wait for the lock to know it.
    if record.has_succeeded() {
        return Ok(0);
    }
    let lock = record.lock()?;
    if !try_lock(&lock) {
        eprintln!("waiting for on-create, which another wharf runs");
        flock(&lock, FlockOperation::LockExclusive)?;
        match record.read() {
            Some(Outcome { state: State::Succeeded, .. }) => return Ok(0),
            // Whoever waited for it has what it came to.
            Some(Outcome { state: State::Failed, exit_code: Some(code), .. }) => return Ok(code),
            _ => {}
        }
    }
    record.run(hooks)
}

/// One stream for all, or nobody who reads two could tell what came first.
fn one_stream() -> io::Result<()> {
    Ok(rustix::stdio::dup2_stdout(io::stderr())?)
}

fn start(later: &Later) -> io::Result<i32> {
    if claim_start()? { in_background("serve", later) } else { Ok(0) }
}

fn start_and_wait(later: &Later) -> io::Result<i32> {
    one_stream()?;
    if claim_start()? {
        return run_later(later);
    }
    // Another process runs them, or has done so.
    let failed = |outcome: &Outcome| outcome.state == State::Failed;
    loop {
        let (after_create, on_start) = (Record::after_create().outcome(), Record::on_start().outcome());
        if let Some(outcome) = [after_create, on_start.clone()].into_iter().flatten().find(failed) {
            return Ok(outcome.exit_code.unwrap_or(1));
        }
        if on_start.is_some_and(|outcome| outcome.state != State::Running) {
            return Ok(0);
        }
        thread::sleep(PAUSE);
    }
}

/// Whether this process is the first to ask for what belongs to this start.
fn claim_start() -> io::Result<bool> {
    let claim = Path::new(RUNTIME_DIR).join("on-start.claim");
    match OpenOptions::new().write(true).create_new(true).open(claim) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        claimed => claimed.map(|_| true),
    }
}

/// A process of its own goes on with it, and what that prints is in the container's log.
fn in_background(verb: &str, what: &impl Serialize) -> io::Result<i32> {
    let log = |fd: u8| {
        let stream = OpenOptions::new().append(true).open(format!("/proc/1/fd/{fd}"));
        stream.map_or_else(|_| Stdio::null(), Stdio::from)
    };
    let mut serve = super::own_program();
    serve.args(["hooks", verb, &serde_json::to_string(what)?]);
    serve.stdin(Stdio::null()).stdout(log(1)).stderr(log(2)).process_group(0).spawn().map(|_| 0)
}

fn serve(later: &Later) -> io::Result<i32> {
    // Away from the process group of who has started it.
    let _ = setsid();
    run_later(later)
}

/// What fails ends it: nothing of what follows is run.
fn run_later(later: &Later) -> io::Result<i32> {
    let on_start = Record::on_start();
    let lock = on_start.lock()?;
    flock(&lock, FlockOperation::LockExclusive)?;
    let after_create = Record::after_create();
    if !later.after_create.is_empty() && !after_create.has_succeeded() {
        let lock = after_create.lock()?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let code = after_create.run(&later.after_create)?;
        if code != 0 {
            return Ok(code);
        }
    }
    on_start.run(&later.on_start)
}

/// Behind what belongs to this start, and not where that has failed.
fn serve_attach(hooks: &[Hook]) -> io::Result<i32> {
    let _ = setsid();
    flock(&Record::on_start().lock()?, FlockOperation::LockShared)?;
    let before = [Record::after_create().outcome(), Record::on_start().outcome()];
    if before.iter().flatten().any(|outcome| outcome.state == State::Failed) {
        return Ok(0);
    }
    let record = Record::on_attach();
    let lock = record.lock()?;
    flock(&lock, FlockOperation::LockExclusive)?;
    // Each time anew.
    let _ = fs::remove_file(record.directory.join("on-attach.done"));
    record.run(hooks)
}

fn state() -> io::Result<i32> {
    let hooks = Hooks {
        on_create: Record::on_create().outcome(),
        after_create: Record::after_create().outcome(),
        on_start: Record::on_start().outcome(),
        on_attach: Record::on_attach().outcome(),
    };
    writeln!(io::stdout(), "{}", serde_json::to_string(&hooks)?)?;
    Ok(0)
}

/// One word is a line for a shell. The exit code where it could not be started.
fn start_program(words: &[String]) -> Result<Child, i32> {
    let words: Vec<String> = words.iter().map(|word| variables::expand(word, |name| env::var(name).ok())).collect();
    let mut command = match words.as_slice() {
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
        [] => return Err(0),
    };
    command.stdin(Stdio::null()).spawn().map_err(|error| {
        let _ = could_not_run(&command.get_program().to_string_lossy(), &error);
        exit::of_failure(&error)
    })
}

fn wait(mut program: Child) -> i32 {
    program.wait().map_or_else(|error| exit::of_failure(&error), exit::code_of)
}
