//! The host's tmux server. Nothing outside this directory knows `tmux_interface`.

mod advice;
mod changes;
mod client;
mod detours;
mod id;
mod keys;
mod mark;
mod menu;
mod options;
mod panes;
mod shown;
mod watched;
mod widget;
mod window;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tmux_interface::TmuxCommands;

pub use id::{ClientName, PaneId, SessionId, WindowId};
pub use keys::{Binding, Bound, shell_command};
pub use menu::{At, Does, Item};
pub use options::PopupSize;
pub use panes::OpenPane;
pub use shown::Shown;
pub use watched::{Listed, Windows};
pub use window::{Beside, NewPane, Switch};

use crate::error::{Error, Result};
use crate::quote;

/// The oldest tmux with popups and `display-message -d`.
const OLDEST: (u32, u32) = (3, 2);

/// How long a tmux that works may take to say its version, which takes 2 ms.
const ANSWER: Duration = Duration::from_secs(1);
const ASK_VERSION: &str = "ask tmux for its version";

/// One server, known by its socket. Every command to it goes through here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TmuxServer {
    socket: PathBuf,
    /// Its process, as `TMUX` has it.
    process: Option<u32>,
}

impl TmuxServer {
    /// The server that the `TMUX` variable names: `socket,pid,session`. A socket's path can hold commas.
    pub fn from_variable(tmux: &str) -> Option<Self> {
        let mut parts = tmux.rsplitn(3, ',').skip(1);
        let (process, socket) = (parts.next()?, parts.next().filter(|socket| !socket.is_empty())?);
        Some(Self { socket: Path::new(socket).to_owned(), process: process.parse().ok() })
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    pub fn process(&self) -> Option<u32> {
        self.process
    }

    /// Runs commands in one process (2 ms each), and gives what they printed without the last newline.
    fn run(&self, action: &'static str, commands: &TmuxCommands) -> Result<String> {
        Self::printed(action, self.command(commands).output())
    }

    fn printed(action: &'static str, output: io::Result<Output>) -> Result<String> {
        let output = output.map_err(|source| Error::io("run `tmux`", source))?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::Tmux { action, message });
        }
        let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if printed.ends_with('\n') {
            printed.pop();
        }
        Ok(printed)
    }

    /// Runs commands without waiting for them, where nothing follows from how they end.
    fn run_aside(&self, commands: &TmuxCommands) {
        let _ = self.command(commands).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }

    fn command(&self, commands: &TmuxCommands) -> Command {
        let mut tmux = Command::new("tmux");
        // Without -u, tmux 3.3a prints tabs and non-ASCII as "_" in the C locale.
        tmux.arg("-u").arg("-S").arg(&self.socket);
        for (index, command) in commands.commands.iter().enumerate() {
            if index > 0 {
                tmux.arg(";");
            }
            tmux.args(command.to_vec().iter().map(|word| quote::tmux_argument(word)));
        }
        tmux.stdin(Stdio::null());
        tmux
    }

    /// Fails where the server is older than what wharf uses.
    pub fn check_version(&self) -> Result<()> {
        new_enough(self.run(ASK_VERSION, &ask_version())?).map(drop)
    }

    /// The server's version, where it says one in time that is new enough. One that hangs holds nobody up.
    pub async fn version(&self) -> Result<String> {
        version_of(self.command(&ask_version())).await
    }

    /// What tmux knows of the terminal that was used last.
    pub fn terminal_features(&self) -> Result<String> {
        let ask = tmux_interface::DisplayMessage::new().print().message("#{client_termfeatures}");
        self.run("look at its terminal", &TmuxCommands::new().cmd(ask))
    }
}

/// The version of the tmux in `PATH`, where it says one in time that is new enough.
pub async fn program_version() -> Result<String> {
    let mut tmux = Command::new("tmux");
    tmux.arg("-V").stdin(Stdio::null());
    version_of(tmux).await
}

async fn version_of(command: Command) -> Result<String> {
    let output = tokio::process::Command::from(command).kill_on_drop(true).output();
    let output = tokio::time::timeout(ANSWER, output).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let version = TmuxServer::printed(ASK_VERSION, output)?;
    new_enough(version.strip_prefix("tmux ").unwrap_or(&version).to_owned())
}

fn ask_version() -> TmuxCommands<'static> {
    TmuxCommands::new().cmd(tmux_interface::DisplayMessage::new().print().message("#{version}"))
}

fn new_enough(version: String) -> Result<String> {
    if is_new_enough(&version) {
        return Ok(version);
    }
    let (major, minor) = OLDEST;
    Err(Error::Options { problems: vec![format!("tmux {version} is too old: wharf needs {major}.{minor} or newer")] })
}

/// Versions read `3.3a`, `next-3.6`, or `openbsd-7.4` where it comes with the system and is recent.
fn is_new_enough(version: &str) -> bool {
    let numbers = version.strip_prefix("next-").unwrap_or(version);
    let mut parts = numbers.split('.').map(|part| part.trim_end_matches(|c: char| !c.is_ascii_digit()).parse::<u32>());
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_can_have_commas() {
        let server = TmuxServer::from_variable("/tmp/a,b/default,123,0").unwrap();
        assert_eq!((server.socket(), server.process()), (Path::new("/tmp/a,b/default"), Some(123)));
        for text in ["", ",,", "nonsense", "a,b"] {
            assert_eq!(TmuxServer::from_variable(text), None, "{text}");
        }
    }

    #[test]
    fn versions() {
        for version in ["3.2", "3.2a", "3.3a", "3.10", "4.0", "next-3.6", "openbsd-7.4", "master"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["3.1c", "2.9a", "1.8", "next-3.1"] {
            assert!(!is_new_enough(version), "{version}");
        }
    }
}
