//! The windows of projects, as a watcher follows them: all of them are read, and read again whenever somebody says that
//! they may have changed, which whoever opens, tags or leaves one does.
//!
//! A client in control mode would be told by itself, but the whole server dies where something happens to a session while
//! such a client connects (tmux's pull requests 4980 and 5004; seen with 3.3a), or where a session is killed right after
//! another of its windows was selected (its issue 5243). A client that waits on a channel belongs to no session, is of no
//! size, and harms nothing.

use std::collections::BTreeMap;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use tmux_interface::{DisplayMessage, SetOption, TmuxCommands, WaitFor};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::changes::CHANNEL;
use super::mark::{self, CONTAINER};
use super::shown::{Shown, WAITING};
use super::{TmuxServer, WindowId};
use crate::error::Result;
use crate::model::ContainerName;

/// Between a word and the next look, so that many windows that open at once are looked at together.
const PAUSE: Duration = Duration::from_millis(10);
/// What a list begins with.
const WINDOWS: &str = "wharf-windows";

/// What a window is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    pub container: ContainerName,
    /// Whether its person wants to know of activity (tmux's option `monitor-activity`).
    pub wants_activity: bool,
}

pub type Windows = BTreeMap<WindowId, Watched>;

/// How all windows are.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    /// Those of projects.
    pub windows: Windows,
    /// What each window shows already.
    pub shown: BTreeMap<WindowId, Shown>,
    /// The server's process.
    process: u32,
}

/// The windows of a server, as they change.
#[derive(Debug)]
pub struct WindowWatch<'a> {
    tmux: &'a TmuxServer,
    process: u32,
    /// Lists the windows, and waits.
    client: Option<(Child, Lines<BufReader<ChildStdout>>)>,
    has_listed: bool,
}

impl TmuxServer {
    /// The server's process.
    pub fn server_process(&self) -> Result<u32> {
        let ask = DisplayMessage::new().print().message("#{pid}");
        let printed = self.run("ask for its process", &TmuxCommands::new().cmd(ask))?;
        printed.parse().map_err(|_| super::window::unexpected("ask for its process", &printed))
    }

    /// Begins to follow the windows of the server that is this process.
    pub fn watch_windows(&self, process: u32) -> WindowWatch<'_> {
        WindowWatch { tmux: self, process, client: None, has_listed: false }
    }

    /// Makes windows show something else, all at once, and says for how many sessions somebody is waited for, where that is
    /// another number.
    ///
    /// # Errors
    ///
    /// The server has not done it, or not all of it.
    pub async fn show(
        &self,
        changes: impl IntoIterator<Item = (&WindowId, &Shown, &Shown)>,
        waiting: Option<usize>,
    ) -> Result<()> {
        let mut commands = TmuxCommands::new();
        if let Some(waiting) = waiting {
            commands.push(SetOption::new().global().option(WAITING).value(waiting.to_string()));
        }
        for (window, old, new) in changes {
            old.changes(new, window).into_iter().for_each(|change| commands.push(change));
        }
        if commands.commands.is_empty() {
            return Ok(());
        }
        let output = Command::from(self.command(&commands)).kill_on_drop(true).output().await;
        Self::printed("show how containers stand", output).map(drop)
    }
}

impl WindowWatch<'_> {
    /// The windows as they are, the first time at once and then whenever they may have changed. Can be cancelled.
    ///
    /// # Errors
    ///
    /// The server has ended.
    pub async fn next(&mut self) -> io::Result<Listed> {
        loop {
            let Some((client, lines)) = &mut self.client else {
                self.client = Some(self.start()?);
                self.has_listed = false;
                continue;
            };
            match lines.next_line().await? {
                Some(line) => {
                    if let Some(listed) = parse(&line) {
                        self.has_listed = true;
                        // Another server may be at the socket now.
                        return if listed.process == self.process { Ok(listed) } else { Err(io::ErrorKind::NotFound.into()) };
                    }
                }
                None if self.has_listed => {
                    client.wait().await?;
                    tokio::time::sleep(PAUSE).await;
                    self.client = None;
                }
                None => return Err(io::ErrorKind::NotFound.into()),
            }
        }
    }

    fn start(&self) -> io::Result<(Child, Lines<BufReader<ChildStdout>>)> {
        let list = DisplayMessage::new().print().message(windows_format());
        let wait = WaitFor::new().channel(CHANNEL);
        let mut tmux = Command::from(self.tmux.command(&TmuxCommands::new().cmd(list).cmd(wait)));
        let mut client = tmux.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
        let stdout = client.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((client, BufReader::new(stdout).lines()))
    }
}

/// A container's name is a word; the project's path is anybody's text.
fn windows_format() -> String {
    let shown = Shown::format();
    // Of the first pane that shows a project.
    let container = format!("#{{s/ .*//:#{{P:#{{?{},#{{{CONTAINER}}} ,}}}}}}", mark::is_living());
    format!("{WINDOWS} #{{pid}} #{{S:#{{W:#{{window_id}}={container}=#{{monitor-activity}}={shown} }}}}")
}

fn parse(line: &str) -> Option<Listed> {
    let (process, windows) = line.strip_prefix(WINDOWS)?.strip_prefix(' ')?.split_once(' ')?;
    let mut listed = Listed { windows: Windows::new(), shown: BTreeMap::new(), process: process.parse().ok()? };
    for window in windows.split(' ') {
        let mut words = window.splitn(4, '=');
        let (Some(id), Some(container), Some(wants_activity)) = (words.next(), words.next(), words.next()) else { continue };
        let Ok(id) = id.parse::<WindowId>() else { continue };
        listed.shown.insert(id.clone(), Shown::parse(words.next().unwrap_or_default()));
        if let Ok(container) = container.parse() {
            let wants_activity = matches!(wants_activity, "1" | "on");
            listed.windows.insert(id, Watched { container, wants_activity });
        }
    }
    Some(listed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Condition, Status};
    use crate::project::Project;

    #[test]
    fn a_list_of_windows() {
        let container = Project::from_label("/srv/api").container_name();
        let id = |id: &str| id.parse::<WindowId>().unwrap();
        let running = Shown::from(&Status::from(Condition::Running));
        let watched = |wants_activity| Watched { container: container.clone(), wants_activity };
        for (line, windows, shown) in [
            ("wharf-windows 7 ".to_owned(), vec![], vec![]),
            (
                format!("wharf-windows 7 @0==0===== @1={container}=0=running==== "),
                vec![(id("@1"), watched(false))],
                vec![(id("@0"), Shown::default()), (id("@1"), running.clone())],
            ),
            (
                format!("wharf-windows 7 @1={container}=1===== @2=hostile#(touch)=0===== "),
                vec![(id("@1"), watched(true))],
                vec![(id("@1"), Shown::default()), (id("@2"), Shown::default())],
            ),
        ] {
            let expected = Listed { windows: windows.into_iter().collect(), shown: shown.into_iter().collect(), process: 7 };
            assert_eq!(parse(&line), Some(expected), "{line}");
        }
        for line in ["", "wharf-windows", "wharf-windows x @1=a=0", "no server running"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
