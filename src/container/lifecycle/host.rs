//! What a trusted file has run on the host before a container starts.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::Lifecycle;
use crate::container::wanted::Wanted;
use crate::error::{Error, Result};
use crate::output::progress;
use crate::paths;
use crate::protocol::hooks::Command as Hook;
use crate::quote;

/// How many of its last lines an error has.
const LAST_LINES: usize = 10;

impl Lifecycle<'_> {
    /// Runs these commands in the project's directory, one after the other until one fails. What they print is shown, and kept in
    /// a file.
    pub(super) async fn run_on_host(&self, wanted: &Wanted<'_>) -> Result<()> {
        for hook in wanted.on_host {
            let commands: Vec<&Vec<String>> = match hook {
                Hook::One(words) => vec![words],
                Hook::Parallel(commands) => commands.values().collect(),
            };
            let mut running = Vec::new();
            for words in commands {
                progress::note(&format!("on this host: {}", quote::printable(&words.join(" "))));
                running.push((
                    words,
                    self.spawn_on_host(words).map_err(|source| Error::io(format!("run `{}`", words.join(" ")), source))?,
                ));
            }
            for (words, child) in running {
                self.follow_on_host(words, child, wanted.state_dir).await?;
            }
        }
        Ok(())
    }

    /// One word is a line for a shell.
    fn spawn_on_host(&self, words: &[String]) -> io::Result<Child> {
        let mut command = match words {
            [line] => {
                let mut shell = Command::new("/bin/sh");
                // One stream, in the order in which it is written.
                shell.args(["-c", &format!("exec 2>&1\n{line}")]);
                shell
            }
            [program, arguments @ ..] => {
                let mut command = Command::new("/bin/sh");
                command.args(["-c", "exec 2>&1 \"$0\" \"$@\"", program]).args(arguments);
                command
            }
            [] => Command::new("true"),
        };
        command.current_dir(self.project.path()).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()
    }

    async fn follow_on_host(&self, words: &[String], mut child: Child, state_dir: &Path) -> Result<()> {
        let command = words.join(" ");
        let failed = |source| Error::io(format!("run `{command}`"), source);
        let mut log = self.host_log(state_dir)?;
        let mut last = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout).split(b'\n');
            while let Some(line) = lines.next_segment().await.map_err(failed)? {
                let line = String::from_utf8_lossy(&line).into_owned();
                anstream::eprintln!("{}", quote::printable(&line));
                writeln!(log, "{line}").map_err(failed)?;
                last.push(quote::printable(&line));
            }
        }
        let status = child.wait().await.map_err(failed)?;
        if status.success() {
            return Ok(());
        }
        let log = last.split_off(last.len().saturating_sub(LAST_LINES));
        let exit_code = crate::model::exit::code_of(status);
        Err(Error::HookFailed { container: self.name(), hook: "initializeCommand", command, exit_code, log })
    }

    fn host_log(&self, state_dir: &Path) -> Result<std::fs::File> {
        let path = log_on_host(&paths::files(&self.name(), state_dir));
        paths::create(path.parent().unwrap_or(state_dir))?;
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        opened.map_err(|source| Error::io(format!("write `{}`", path.display()), source))
    }
}

fn log_on_host(files: &Path) -> PathBuf {
    files.join("initializeCommand.log")
}
