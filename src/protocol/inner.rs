//! The tmux inside the container: where its files are, and the command lines that speak to it.

/// In memory and only the session user's own: what is in it does not outlive a stop, as no session does.
pub const RUNTIME_DIR: &str = "/run/wharf";
/// In the container's own file system and only the session user's: it lives as long as the container.
pub const LIFE_DIR: &str = "/var/lib/wharf/life";
/// What it is in, which is root's.
pub const LIFE_PARENT: &str = "/var/lib/wharf";
/// Shared with the host: the sockets of the relay and of the ssh agent.
pub const HOST_DIR: &str = "/run/wharf/host";
/// Among the tools, so that a new wharf does not change it under a tmux that runs.
pub const CONFIG_PATH: &str = "/run/wharf/tools/tmux.conf";
pub const CONFIG: &[u8] = include_bytes!("../../tmux/inner.conf");
/// What a session's command has ended with: an option of its pane, and with `-` and the session's name one of the server.
pub const EXIT_CODE: &str = "@wharf-exit-code";
/// An option of the server: whether there has been a session.
pub const HAS_BEGUN: &str = "@wharf-has-begun";
pub const TMUX_SOCKET: &str = "/run/wharf/tmux.sock";

/// Arguments of the tmux inside. Which tmux that is, where its socket and configuration are, only the container's side
/// has to know.
pub mod commands {
    use crate::model::{Session, SessionName};
    use crate::protocol::Program;
    use crate::quote;

    /// Attaches to a session that exists.
    pub fn attach(session: &SessionName) -> Program {
        tmux(&["attach-session", "-t", &exactly(session)])
    }

    /// Attaches to a session, which is started first where it does not exist. A new session's directory is the one that
    /// this is run in: tmux expands formats in what `-c` is given.
    pub fn attach_or_create(session: &SessionName, command: &[String]) -> Program {
        new_session(&["-A", "-s", session.as_str()], command)
    }

    /// Starts a session without a client, in the directory that this is run in.
    pub fn create(session: &SessionName, command: &[String]) -> Program {
        new_session(&["-d", "-s", session.as_str()], command)
    }

    pub fn end(session: &SessionName) -> Program {
        tmux(&["kill-session", "-t", &exactly(session)])
    }

    /// Prints which tmux it is: [`crate::model::InnerTmux`].
    pub fn which() -> Program {
        Program::Own(vec!["which-tmux".to_owned()])
    }

    /// Prints the directory that the session's program is in.
    pub fn directory(session: &SessionName) -> Program {
        tmux(&["display-message", "-p", "-t", &pane(session), "#{pane_current_path}"])
    }

    /// Prints what a session's command has ended with.
    pub fn exit_code(session: &SessionName) -> Program {
        tmux(&["show-options", "-sqv", &format!("{}-{session}", super::EXIT_CODE)])
    }

    /// Prints a line of [`Session::FORMAT`] for each.
    pub fn list() -> Program {
        tmux(&["list-sessions", "-F", Session::FORMAT])
    }

    /// Reads a buffer from standard input, and types it into the session as it is.
    pub fn paste(session: &SessionName, buffer: &str) -> [Program; 2] {
        // `-r` keeps line feeds, which are carriage returns otherwise.
        let target = pane(session);
        [tmux(&["load-buffer", "-b", buffer, "-"]), tmux(&["paste-buffer", "-r", "-d", "-b", buffer, "-t", &target])]
    }

    pub fn press_enter(session: &SessionName) -> Program {
        tmux(&["send-keys", "-t", &pane(session), "Enter"])
    }

    /// Prints the screen, and `history` lines of what has left it at the top.
    pub fn capture(session: &SessionName, escapes: bool, history: Option<u32>) -> Program {
        let first = history.map(|lines| format!("-{lines}"));
        let mut arguments = vec!["capture-pane", "-p", "-t"];
        let target = pane(session);
        arguments.push(&target);
        if escapes {
            arguments.push("-e");
        }
        if let Some(first) = first.as_deref().filter(|&first| first != "-0") {
            arguments.extend(["-S", first]);
        }
        tmux(&arguments)
    }

    fn new_session(flags: &[&str], command: &[String]) -> Program {
        let mut arguments = vec!["new-session".to_owned()];
        arguments.extend(flags.iter().map(|&flag| flag.to_owned()));
        if !command.is_empty() {
            arguments.push("--".to_owned());
            arguments.extend(command.iter().map(|word| quote::tmux_argument(word)));
        }
        Program::Tmux(arguments)
    }

    fn tmux(arguments: &[&str]) -> Program {
        Program::Tmux(arguments.iter().map(|&word| word.to_owned()).collect())
    }

    /// The session's pane: without the colon, commands about panes look for a window of that name.
    fn pane(session: &SessionName) -> String {
        format!("={session}:")
    }

    /// Without `=`, tmux takes a name's beginning for the name.
    fn exactly(session: &SessionName) -> String {
        format!("={session}")
    }
}
