//! A home, a state directory and projects that nobody else has, and wharf run in them.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::program::{output_of, printed_by};
use super::{BUSYBOX, Docker, Host};

/// What belongs to one test; all of it is removed at its end.
pub struct World {
    directory: tempfile::TempDir,
    root: PathBuf,
}

impl World {
    /// `WHARF_TEST_INSIDE` names a tmux that wharf is to put into containers, where it is not the host's.
    pub fn new() -> Self {
        let base = std::env::var_os("WHARF_TEST_TMP").map_or_else(std::env::temp_dir, PathBuf::from);
        // A socket's path has to fit into 108 bytes.
        let directory = tempfile::Builder::new().prefix("w").rand_bytes(5).tempdir_in(base).unwrap();
        let root = directory.path().canonicalize().unwrap();
        for name in ["home", "state", "src"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        if let Some(tmux) = std::env::var_os("WHARF_TEST_INSIDE") {
            let data = root.join("home/.local/share/wharf");
            fs::create_dir_all(&data).unwrap();
            symlink(tmux, data.join("tmux")).unwrap();
        }
        Self { directory, root }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A new directory to be a project.
    pub fn project(&self, name: &str) -> PathBuf {
        let path = self.root.join("src").join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    /// The host's git, in this world's home; gives what it printed.
    #[track_caller]
    pub fn git(&self, directory: &Path, arguments: &[&str]) -> String {
        printed_by(self.command("git").current_dir(directory).args(arguments)).trim_end().to_owned()
    }

    /// A new repository with a commit, `main`, and a worktree of it with the branch `topic`: two projects.
    #[track_caller]
    pub fn worktree(&self) -> (PathBuf, PathBuf) {
        let main = self.project("main");
        self.git(&main, &["init", "--quiet"]);
        let commit = ["commit", "--quiet", "--allow-empty", "--message", "first"];
        self.git(&main, &[&["-c", "user.name=Test", "-c", "user.email=test@example.org"][..], &commit].concat());
        self.git(&main, &["worktree", "add", "--quiet", "-b", "topic", "../topic"]);
        (main, self.project("topic"))
    }

    pub fn wharf<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        let mut command = self.command(binary());
        command.args(arguments);
        Run { command, input: None }
    }

    /// Any program with this world's environment, and nothing of the one around the test but `PATH` and the engine.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.root.join("src"));
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command
    }

    pub fn environment(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.root.join(name).to_string_lossy().into_owned();
        let mut environment = vec![
            ("HOME".to_owned(), path("home")),
            ("XDG_STATE_HOME".to_owned(), path("state")),
            ("XDG_CONFIG_HOME".to_owned(), path("home/.config")),
            ("TMUX_TMPDIR".to_owned(), path("")),
            ("TERM".to_owned(), "xterm-256color".to_owned()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ];
        for name in ["PATH", "DOCKER_HOST", "USER", "LOGNAME", "WHARF_ATTACH"] {
            environment.extend(std::env::var(name).ok().map(|value| (name.to_owned(), value)));
        }
        environment
    }

    /// wharf as a person has it: the plugin, its scripts and the binary under test, in a directory whose name needs quoting.
    pub fn installed(&self) -> PathBuf {
        let directory = self.project("it's #1 plugin");
        for name in ["wharf.tmux", "Cargo.toml", "scripts", "images"] {
            assert!(self.command("cp").arg("-R").arg(repository().join(name)).arg(&directory).status().unwrap().success());
        }
        fs::create_dir_all(directory.join("bin")).unwrap();
        for program in [binary(), guest()] {
            fs::copy(&program, directory.join("bin").join(program.file_name().unwrap())).unwrap();
        }
        directory
    }

    pub fn host(&self) -> Host<'_> {
        Host::start(self)
    }

    /// The project's container is up and `session` runs in it.
    #[track_caller]
    pub fn open_detached(&self, project: &Path) -> String {
        self.wharf(["open", "--detach"]).arg(project).success();
        self.container_of(project)
    }

    /// The container's name, as the engine has it.
    #[track_caller]
    #[expect(clippy::unused_self, reason = "reads as what it is: a container of this world")]
    pub fn container_of(&self, project: &Path) -> String {
        let mut names = Docker::below("container", project);
        assert_eq!(names.len(), 1, "containers of {}: {names:?}", project.display());
        names.remove(0)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        Docker::remove_all_below(&self.root);
        let _ = self.directory.path();
    }
}

/// A project whose container runs.
pub struct Place {
    pub world: World,
    pub project: PathBuf,
    pub container: String,
}

impl Place {
    /// With a session in it.
    pub fn opened() -> Self {
        let world = World::new();
        let project = world.project("api");
        let container = world.open_detached(&project);
        Self { world, project, container }
    }

    /// With nothing but busybox.
    pub fn started() -> Self {
        let world = World::new();
        let project = world.project("api");
        world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
        let container = world.container_of(&project);
        Self { world, project, container }
    }
}

/// One run of wharf that is being put together.
pub struct Run {
    command: Command,
    input: Option<Vec<u8>>,
}

impl Run {
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.command.current_dir(directory);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What is written to standard input.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// The command itself, for who wants to run it elsewhere.
    pub fn into_command(self) -> Command {
        self.command
    }

    pub fn run(mut self) -> Outcome {
        self.command.stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() });
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if let Some(input) = self.input {
            child.stdin.take().unwrap().write_all(&input).unwrap();
        }
        let output = output_of(child);
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs, and expects success with nothing on standard error; gives standard output without its last newline.
    #[track_caller]
    pub fn success(self) -> String {
        let outcome = self.run();
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "stdout: {}", outcome.stdout);
        outcome.stdout.trim_end_matches('\n').to_owned()
    }

    /// Runs, and expects exit code 1 with nothing on standard output; gives standard error.
    #[track_caller]
    pub fn failure(self) -> String {
        let outcome = self.run();
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "stderr: {}", outcome.stderr);
        outcome.stderr
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// The binary under test.
pub fn binary() -> PathBuf {
    std::env::var_os("WHARF_TEST_BIN").map_or_else(|| env!("CARGO_BIN_EXE_wharf").into(), PathBuf::from)
}

/// The program that goes into containers, where wharf looks for it: beside itself.
pub fn guest() -> PathBuf {
    binary().with_file_name("wharf-guest")
}

/// The repository, or a copy of what tests need of it.
pub fn repository() -> PathBuf {
    std::env::var_os("WHARF_TEST_ROOT").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}
