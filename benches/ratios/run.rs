//! One run: a directory and an environment of its own, and everything that it made removed at its end.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::signal::unix::{SignalKind, signal};

use crate::Result;
use crate::engine::{Engine, query};

pub struct Run {
    /// Projects, homes and sockets.
    pub dir: PathBuf,
    /// The value of the label `wharf.bench` on what is made without wharf.
    pub id: String,
    pub engine: Engine,
    pub full: bool,
    pub wharf: PathBuf,
    _owned: TempDir,
}

impl Run {
    pub fn start(wharf: PathBuf, full: bool) -> Result<Self> {
        let owned = tempfile::Builder::new().prefix("wharf-bench.").tempdir()?;
        let dir = owned.path().canonicalize()?;
        let id = dir.extension().and_then(OsStr::to_str).ok_or("the temporary directory has no name")?.to_owned();
        remove_on_signal(dir.clone(), id.clone())?;
        Ok(Self { dir, id, engine: Engine::find()?, full, wharf, _owned: owned })
    }

    /// How many rounds: a quick run takes some eight minutes in all.
    pub fn rounds(&self, quick: usize) -> usize {
        if self.full { 3 * quick } else { quick }
    }

    pub fn wharf<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command(&self.wharf);
        command.args(arguments);
        command
    }

    /// The same with the engine as the only way into a container.
    pub fn wharf_by_exec<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.wharf(arguments);
        command.env("WHARF_ATTACH", "exec");
        command
    }

    pub fn docker<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command("docker");
        command.args(arguments);
        command
    }

    /// The host's tmux: a private server without configuration.
    pub fn tmux<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.command("tmux");
        command.arg("-S").arg(tmux_socket(&self.dir)).args(["-f", "/dev/null"]).args(arguments);
        command
    }

    /// A program with an environment that is nobody's.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let home = self.dir.join("home");
        let mut command = Command::new(program);
        command.env_clear().current_dir(&self.dir);
        for name in ["PATH", "TZ"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        for (name, below) in [("HOME", ""), ("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data"), ("XDG_STATE_HOME", "state")]
        {
            command.env(name, home.join(below));
        }
        command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").env("SHELL", "/bin/sh");
        command.env("DOCKER_HOST", format!("unix://{}", self.engine.socket.display()));
        command
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        remove_all(&self.dir, &self.id);
    }
}

/// What a program prints, without the last newline.
pub fn output(mut command: Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        let program = Path::new(command.get_program()).display();
        return Err(format!("`{program}` failed: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end_matches('\n').to_owned())
}

/// Once somebody presses Ctrl-C, the measuring thread fails by itself as its containers vanish.
fn remove_on_signal(dir: PathBuf, id: String) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    drop(entered);
    thread::spawn(move || {
        let status = runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
                _ = hangup.recv() => 129,
            }
        });
        remove_all(&dir, &id);
        let _ = std::fs::remove_dir_all(&dir);
        std::process::exit(status);
    });
    Ok(())
}

fn tmux_socket(dir: &Path) -> PathBuf {
    dir.join("tmux.sock")
}

/// Removes by label what belongs to the run. What is made meanwhile is seen by the next look.
fn remove_all(dir: &Path, id: &str) {
    let _ = Command::new("tmux").arg("-S").arg(tmux_socket(dir)).arg("kill-server").output();
    for _ in 0..10 {
        match remove_what_is_there(dir, id) {
            Ok(0) => return,
            Ok(_) => {}
            // The engine may be in the middle of removing one.
            Err(_) => thread::sleep(std::time::Duration::from_millis(200)),
        }
    }
}

fn remove_what_is_there(dir: &Path, id: &str) -> Result<usize> {
    let engine = Engine::find()?;
    let filters = query(&json!({ "label": ["wharf=true"] }));
    let belongs = |labels: &Value| {
        let project = labels["wharf.project"].as_str().map(Path::new);
        labels["wharf.bench"] == id || project.is_some_and(|project| project.starts_with(dir))
    };
    let containers = engine.get(&format!("/containers/json?all=1&filters={filters}"))?;
    let volumes = engine.get(&format!("/volumes?filters={filters}"))?;
    let containers = containers.as_array().into_iter().flatten().filter(|container| belongs(&container["Labels"]));
    let containers = containers.filter_map(|container| Some(format!("/containers/{}?force=1", container["Id"].as_str()?)));
    let volumes = volumes["Volumes"].as_array().into_iter().flatten().filter(|volume| belongs(&volume["Labels"]));
    let volumes = volumes.filter_map(|volume| Some(format!("/volumes/{}", volume["Name"].as_str()?)));
    let paths: Vec<String> = containers.chain(volumes).collect();
    for path in &paths {
        engine.delete(path)?;
    }
    Ok(paths.len())
}
