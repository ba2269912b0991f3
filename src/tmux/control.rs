//! A client in control mode, which is told what happens to windows and writes what they show: half a millisecond for a
//! batch of commands, where a process takes two.
//!
//! It has to be attached to a session, and must not be a client to anybody: it draws nothing, is of no size, and leaves a
//! session that would end without it.

use std::collections::BTreeMap;
use std::io;
use std::process::Stdio;

use tmux_interface::{DisplayMessage, TmuxCommands};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::shown::Shown;
use super::window::CONTAINER;
use super::{SessionId, TmuxServer, WindowId};
use crate::error::Result;
use crate::project::ContainerName;

/// What the answers to questions begin with, so that nothing else is taken for one.
const WINDOWS: &str = "wharf-windows ";
const SHOWN: &str = "wharf-shown ";
const ATTACHED: &str = "wharf-attached ";

/// What a window is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    pub container: ContainerName,
    /// Whether its person wants to know of activity (tmux's option `monitor-activity`).
    pub wants_activity: bool,
}

pub type Windows = BTreeMap<WindowId, Watched>;

/// What the client is told.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// It is attached to its session: time for [`ControlClient::ask_for_all`].
    Attached,
    /// The windows of projects; all of them, each time that it changes.
    Windows(Windows),
    /// What windows show already.
    Shown(BTreeMap<WindowId, Shown>),
    /// A reason for [`ControlClient::ask_for_windows`].
    WindowsMayHaveChanged,
    /// A reason for [`ControlClient::ask_for_clients`].
    ClientsHaveChanged,
    /// The session has no other client, and should not outlive the last one.
    IsAlone,
    /// The session or the server has ended.
    End,
}

#[derive(Debug)]
pub struct ControlClient {
    _child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl TmuxServer {
    /// The server's process.
    pub fn server_process(&self) -> Result<u32> {
        let ask = DisplayMessage::new().print().message("#{pid}");
        let printed = self.run("ask for its process", &TmuxCommands::new().cmd(ask))?;
        printed.parse().map_err(|_| super::window::unexpected("ask for its process", &printed))
    }

    /// The session for a control client: one that people look at, and none that this would keep from ending.
    pub fn session_to_watch_from(&self) -> Result<Option<SessionId>> {
        let format = "#{S:#{session_id} #{session_attached} #{destroy-unattached}:}";
        let ask = DisplayMessage::new().print().message(format);
        let printed = self.run("look for a session", &TmuxCommands::new().cmd(ask))?;
        Ok(best_session(&printed))
    }

    /// Attaches to the session. Ends with the process.
    pub fn watch_from(&self, session: &SessionId) -> io::Result<ControlClient> {
        let mut tmux = Command::new("tmux");
        tmux.arg("-u").arg("-S").arg(&self.socket).args(["-C", "attach-session", "-f", "no-output,ignore-size", "-t"]);
        tmux.arg(session.to_string()).env_remove("TMUX").kill_on_drop(true);
        let mut child = tmux.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok(ControlClient { _child: child, stdin, lines: BufReader::new(stdout).lines() })
    }
}

impl ControlClient {
    /// Waits for what comes next. Can be cancelled.
    pub async fn told(&mut self) -> io::Result<Told> {
        loop {
            match self.lines.next_line().await? {
                Some(line) => {
                    if let Some(told) = parse(&line) {
                        return Ok(told);
                    }
                }
                None => return Ok(Told::End),
            }
        }
    }

    /// It is answered by [`Told::Shown`] and [`Told::Windows`], and by the latter again whenever that changes. Too early before
    /// [`Told::Attached`]: tmux 3.3a reads what it is told while it attaches, and then knows no client to subscribe.
    pub async fn ask_for_all(&mut self) -> io::Result<()> {
        let shown = format!("{SHOWN}#{{S:#{{W:#{{window_id}}={} }}}}", Shown::format());
        // The server looks at a subscription once a second and tells of a change: for windows that begin or cease to be a
        // project's while they are there. New ones are told of at once.
        let subscribe = format!("refresh-client -B 'wharf::{}'", windows_format());
        self.say(&[ask(&shown), ask(&windows_format()), subscribe]).await
    }

    /// It is answered by [`Told::Windows`].
    pub async fn ask_for_windows(&mut self) -> io::Result<()> {
        self.say(&[ask(&windows_format())]).await
    }

    /// It is answered by [`Told::IsAlone`] where that is so.
    pub async fn ask_for_clients(&mut self) -> io::Result<()> {
        self.say(&[ask(&format!("{ATTACHED}#{{session_attached}} #{{destroy-unattached}}"))]).await
    }

    /// Makes windows show something else, all at once.
    pub async fn show(&mut self, changes: impl IntoIterator<Item = (&WindowId, &Shown, &Shown)>) -> io::Result<()> {
        let commands: Vec<String> = changes.into_iter().flat_map(|(window, old, new)| old.changes(new, window)).collect();
        if commands.is_empty() { Ok(()) } else { self.say(&commands).await }
    }

    async fn say(&mut self, commands: &[String]) -> io::Result<()> {
        self.stdin.write_all(format!("{}\n", commands.join(" ; ")).as_bytes()).await
    }
}

/// Of lines `$1 2 0:`, session, clients and `destroy-unattached`.
fn best_session(printed: &str) -> Option<SessionId> {
    let sessions = printed.split(':').filter_map(|session| {
        let mut words = session.split(' ');
        let (id, attached, destroyed) = (words.next()?, words.next()?.parse::<u32>().ok()?, words.next()?);
        let rank = match (ends_unattached(destroyed), attached > 0) {
            (false, true) => 0,
            (false, false) => 1,
            (true, true) => 2,
            (true, false) => return None,
        };
        Some((rank, id.parse::<SessionId>().ok()?))
    });
    sessions.min_by_key(|(rank, _)| *rank).map(|(_, id)| id)
}

/// The option `destroy-unattached`: a flag up to tmux 3.3, a choice from 3.4 on.
fn ends_unattached(value: &str) -> bool {
    !matches!(value, "0" | "off" | "")
}

/// A container's name is a word; the project's path is anybody's text.
fn windows_format() -> String {
    format!("{WINDOWS}#{{S:#{{W:#{{window_id}}=#{{{CONTAINER}}}=#{{monitor-activity}} }}}}")
}

fn ask(format: &str) -> String {
    format!("display-message -p '{format}'")
}

/// A line of control mode. What people call windows and sessions comes in lines that begin with a `%`.
fn parse(line: &str) -> Option<Told> {
    let (notification, rest) = line.split_once(' ').unwrap_or((line, ""));
    match notification {
        "%exit" => Some(Told::End),
        "%session-changed" => Some(Told::Attached),
        "%window-add" | "%unlinked-window-add" | "%window-close" | "%unlinked-window-close" => Some(Told::WindowsMayHaveChanged),
        "%client-detached" | "%client-session-changed" => Some(Told::ClientsHaveChanged),
        "%subscription-changed" => rest.split_once(" : ").and_then(|(_, value)| parse_windows(value)),
        _ => parse_windows(line).or_else(|| parse_shown(line)).or_else(|| parse_attached(line)),
    }
}

fn parse_windows(text: &str) -> Option<Told> {
    let windows = text.strip_prefix(WINDOWS)?.split(' ').filter_map(|window| {
        let mut words = window.split('=');
        let id = words.next()?.parse().ok()?;
        let container = words.next()?.parse().ok()?;
        Some((id, Watched { container, wants_activity: words.next().is_some_and(|value| matches!(value, "1" | "on")) }))
    });
    Some(Told::Windows(windows.collect()))
}

fn parse_shown(text: &str) -> Option<Told> {
    let windows = text.strip_prefix(SHOWN)?.split(' ').filter_map(|window| {
        let (id, values) = window.split_once('=')?;
        Some((id.parse().ok()?, Shown::parse(values)))
    });
    Some(Told::Shown(windows.collect()))
}

fn parse_attached(text: &str) -> Option<Told> {
    let (attached, destroyed) = text.strip_prefix(ATTACHED)?.split_once(' ')?;
    (attached == "1" && ends_unattached(destroyed)).then_some(Told::IsAlone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    #[test]
    fn a_session_that_people_look_at_is_best_and_none_is_kept_alive() {
        for (printed, session) in [
            ("$0 0 0:$1 2 0:", Some("$1")),
            ("$0 0 0:$1 2 1:", Some("$0")),
            ("$0 0 off:", Some("$0")),
            ("$0 1 keep-last:$1 0 1:", Some("$0")),
            ("$1 0 1:", None),
            ("", None),
        ] {
            assert_eq!(best_session(printed).map(|id| id.to_string()).as_deref(), session, "{printed}");
        }
    }

    #[test]
    fn lines_of_control_mode() {
        let container = Project::from_label("/srv/api").container_name();
        let windows = |wants_activity| {
            let watched = Watched { container: container.clone(), wants_activity };
            Some(Told::Windows(Windows::from([("@1".parse().unwrap(), watched)])))
        };
        for (line, read) in [
            (format!("wharf-windows @0==0 @1={container}=0 @2=hostile#(touch)=0 "), windows(false)),
            (format!("%subscription-changed wharf $0 - - - : wharf-windows @1={container}=1 "), windows(true)),
            ("wharf-windows ".to_owned(), Some(Told::Windows(Windows::new()))),
            (format!("%window-renamed @1 wharf-windows @1={container}=1"), None),
            ("%window-add @3".to_owned(), Some(Told::WindowsMayHaveChanged)),
            ("%unlinked-window-add @3".to_owned(), Some(Told::WindowsMayHaveChanged)),
            ("%client-detached /dev/pts/1".to_owned(), Some(Told::ClientsHaveChanged)),
            ("wharf-attached 1 1".to_owned(), Some(Told::IsAlone)),
            ("wharf-attached 1 0".to_owned(), None),
            ("wharf-attached 2 1".to_owned(), None),
            ("%session-changed $0 main".to_owned(), Some(Told::Attached)),
            ("%exit".to_owned(), Some(Told::End)),
            ("%exit server exited".to_owned(), Some(Told::End)),
            ("%begin 1 2 1".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(parse(&line), read, "{line}");
        }
    }
}
