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

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
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
use crate::model::{OLDEST_TMUX, TmuxVersion};
use crate::quote;

/// How long a tmux that works may take to say its version, which takes 2 ms.
const ANSWER: Duration = Duration::from_secs(1);
const PROGRAM: &str = "tmux";
const ASK_VERSION: &str = "ask tmux for its version";

/// One server, known by its socket. Every command to it goes through here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TmuxServer {
    socket: PathBuf,
    /// Its process, as `TMUX` has it.
    process: Option<u32>,
    /// The program that speaks to it.
    program: PathBuf,
}

impl TmuxServer {
    /// The server that the `TMUX` variable names: `socket,pid,session`. A socket's path can hold commas.
    pub fn from_variable(tmux: &str) -> Option<Self> {
        let mut parts = tmux.rsplitn(3, ',').skip(1);
        let (process, socket) = (parts.next()?, parts.next().filter(|socket| !socket.is_empty())?);
        let process = process.parse().ok();
        let program = process.and_then(program_of).unwrap_or_else(|| PROGRAM.into());
        Some(Self { socket: Path::new(socket).to_owned(), process, program })
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The server's own program: the `tmux` in `PATH` may be of another version, whose client the server does not
    /// understand. Just `tmux` where nobody can say.
    pub fn program(&self) -> &Path {
        &self.program
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
        if let Ok(mut child) = self.command(commands).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            // A process that nobody waits for stays beside its parent as a zombie.
            thread::spawn(move || child.wait());
        }
    }

    fn command(&self, commands: &TmuxCommands) -> Command {
        let mut tmux = Command::new(&self.program);
        // Which is how it calls itself.
        tmux.arg0(PROGRAM);
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

    /// How programs are given extended keys: `xterm` or `csi-u`; nothing before 3.5, which has no such option.
    pub async fn extended_keys_format(&self) -> Result<String> {
        let ask = tmux_interface::DisplayMessage::new().print().message("#{extended-keys-format}");
        let output = tokio::process::Command::from(self.command(&TmuxCommands::new().cmd(ask))).kill_on_drop(true).output();
        Self::printed("ask for the format of keys", output.await)
    }

    /// What tmux knows of the terminal that was used last.
    pub fn terminal_features(&self) -> Result<String> {
        let ask = tmux_interface::DisplayMessage::new().print().message("#{client_termfeatures}");
        self.run("look at its terminal", &TmuxCommands::new().cmd(ask))
    }
}

/// The version of the tmux in `PATH`, where it says one in time that is new enough.
pub async fn program_version() -> Result<String> {
    let mut tmux = Command::new(PROGRAM);
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

/// One that is called by no number is its maker's business.
fn new_enough(version: String) -> Result<String> {
    if version.parse::<TmuxVersion>().is_ok_and(|version| version < OLDEST_TMUX) {
        let problem = format!("tmux {version} is too old: wharf needs {OLDEST_TMUX} or newer");
        return Err(Error::Options { problems: vec![problem] });
    }
    Ok(version)
}

/// The program of a server's process, by a path that leads to it for as long as the process is there: a program that has been
/// upgraded is another file. `None` where the process is no tmux, as where its number has gone to another one.
fn program_of(process: u32) -> Option<PathBuf> {
    let running = PathBuf::from(format!("/proc/{process}/exe"));
    let path = fs::read_link(&running).ok()?;
    if !path.file_name()?.as_bytes().starts_with(PROGRAM.as_bytes()) {
        return None;
    }
    let file = |path: &Path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    let its = file(&running)?;
    Some(if file(&path) == Some(its) { path } else { running })
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
        for version in ["3.2", "3.2a", "3.3a", "3.10", "4.0", "next-3.6", "openbsd-7.4", "master", "my-own"] {
            assert!(new_enough(version.to_owned()).is_ok(), "{version}");
        }
        for version in ["3.1c", "2.9a", "1.8", "next-3.1"] {
            assert!(new_enough(version.to_owned()).is_err(), "{version}");
        }
    }

    #[test]
    fn a_process_that_is_no_tmux_has_no_program() {
        assert_eq!(program_of(std::process::id()), None);
        assert_eq!(program_of(u32::MAX), None);
        let server = TmuxServer::from_variable(&format!("/tmp/x,{},0", std::process::id())).unwrap();
        assert_eq!(server.program(), Path::new("tmux"));
    }
}
