//! An engine that belongs to one test, for what nobody may do to the machine's own: freeze it, kill it, stop all that runs
//! on it. A real dockerd with a containerd of its own, in namespaces of their own. Up in 0.3 s; only root can start one.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::program::output_of;
use super::world::{Run, World};
use super::{BUSYBOX, DEADLINE, DEBIAN, Docker, is_root};

const SCRIPT: &str = include_str!("private_engine.sh");

/// It lives in its world's directory, and ends before that goes.
pub struct PrivateEngine<'a> {
    world: &'a World,
    directory: PathBuf,
    shell: Child,
    answers: RefCell<BufReader<ChildStdout>>,
}

impl<'a> PrivateEngine<'a> {
    /// An engine that answers, and has the busybox image and nothing else.
    #[track_caller]
    pub fn start(world: &'a World) -> Self {
        assert!(is_root(), "only root can start an engine: `--skip private_engine::` leaves these tests out");
        let directory = world.root().join("engine");
        fs::create_dir(&directory).unwrap();
        let script = directory.join("private_engine.sh");
        fs::write(&script, SCRIPT).unwrap();
        let mut shell = world.command("sh");
        // A process group of its own: a Ctrl-C that ends the test must not end what cleans up after it.
        shell.arg(script).arg(&directory).arg(cgroup(world)).process_group(0);
        let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = RefCell::new(BufReader::new(shell.stdout.take().unwrap()));
        let engine = Self { world, directory, shell, answers };
        engine.say("start");
        engine.wait_until_it_answers();
        engine.load(BUSYBOX);
        engine
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.join("docker.sock")
    }

    /// For `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// wharf in the engine's world, on this engine.
    pub fn wharf<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        self.world.wharf(arguments).env("DOCKER_HOST", self.host())
    }

    /// docker's own client on this engine: what it prints, without its last newline.
    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> String {
        Docker::run([&["--host", &self.host()], arguments].concat())
    }

    #[track_caller]
    pub fn inspect(&self, name: &str, format: &str) -> String {
        self.docker(&["inspect", "--format", format, name])
    }

    /// Copies an image of the machine's engine, which takes as long as the image is big.
    #[track_caller]
    fn load(&self, image: &str) {
        self.pipe(&["save", image], &["load", "--quiet"]);
    }

    /// Makes a default image of the machine's: its tmux and what that needs, and nothing else. All of it would take 10 s.
    #[track_caller]
    pub fn load_default_image(&self) {
        let label = format!("--label=wharf.test={}", std::env::var("WHARF_TEST_RUN").unwrap_or_default());
        let files = "exec tar -ch /lib/terminfo /usr/lib/locale/C.utf8 \
            $(ldd /bin/sh /bin/sleep /usr/bin/tmux | grep -o '/[^ ):]*' | sort -u)";
        let tree = ["run", "--rm", "--network=none", &label, DEBIAN, "sh", "-c", files];
        self.pipe(&tree, &["import", "-", DEBIAN]);
    }

    /// What docker prints on the machine's engine goes into docker on this one.
    #[track_caller]
    fn pipe(&self, from: &[&str], into: &[&str]) {
        let mut from = Command::new("docker").args(from).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut docker = Command::new("docker");
        docker.args(["--host", &self.host()]).args(into).stdin(from.stdout.take().unwrap());
        let into = output_of(docker.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        assert!(into.status.success(), "docker: {}", String::from_utf8_lossy(&into.stderr));
        assert!(from.wait().unwrap().success(), "docker could not read from the machine's engine");
    }

    /// It accepts connections from now on, and does not answer.
    pub fn freeze(&self) {
        self.say("freeze");
    }

    pub fn thaw(&self) {
        self.say("thaw");
    }

    /// Ends the daemon as a crash would. Its containers live on.
    pub fn kill(&self) {
        self.say("kill");
    }

    /// Ends the daemon as an upgrade would. Its containers live on.
    pub fn stop(&self) {
        self.say("stop");
    }

    /// Starts the daemon again, after [`Self::kill`] or [`Self::stop`].
    #[track_caller]
    pub fn start_again(&self) {
        self.say("start");
        self.wait_until_it_answers();
    }

    #[track_caller]
    fn say(&self, word: &str) {
        writeln!(self.shell.stdin.as_ref().unwrap(), "{word}").unwrap();
        let mut answer = String::new();
        self.answers.borrow_mut().read_line(&mut answer).unwrap();
        assert_eq!(answer, format!("{word}\n"), "{}", self.logs());
    }

    #[track_caller]
    fn wait_until_it_answers(&self) {
        let start = Instant::now();
        while !Docker::output(["--host", &self.host(), "version"]).status.success() {
            assert!(start.elapsed() < DEADLINE, "the private engine does not answer\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn logs(&self) -> String {
        let read = |name| fs::read_to_string(self.directory.join(name)).unwrap_or_default();
        ["containerd.log", "dockerd.log"].map(read).concat()
    }
}

impl Drop for PrivateEngine<'_> {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

fn cgroup(world: &World) -> String {
    format!("wharf-test-{}", world.root().file_name().unwrap().to_string_lossy())
}
