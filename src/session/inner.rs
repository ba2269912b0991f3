//! The tmux inside the container: where its files are, and the command lines that speak to it.

use super::SessionName;

/// In memory and only the session user's own: what is in it does not outlive a stop, as no session does.
pub const RUNTIME_DIR: &str = "/run/wharf";
/// Shared with the host: the agent's socket, which a mounted directory keeps reachable when the host's moves.
pub const HOST_DIR: &str = "/run/wharf/host";
pub const CONFIG_PATH: &str = "/etc/wharf/tmux.conf";
pub const CONFIG: &[u8] = include_bytes!("../../tmux/inner.conf");

const SOCKET: &str = "/run/wharf/tmux.sock";

/// Command lines to run in the container.
pub mod commands {
    use super::{CONFIG_PATH, SOCKET, SessionName};
    use crate::quote;

    /// Attaches to a session that exists.
    pub fn attach(session: &SessionName) -> Vec<String> {
        tmux(&["attach-session", "-t", &exactly(session)])
    }

    /// Attaches to a session, which is started first where it does not exist. A new session's directory is the one that
    /// this is run in: tmux expands formats in what `-c` is given.
    pub fn attach_or_create(session: &SessionName, command: &[String]) -> Vec<String> {
        new_session(&["-A", "-s", session.as_str()], command)
    }

    /// Starts a session without a client, in the directory that this is run in.
    pub fn create(session: &SessionName, command: &[String]) -> Vec<String> {
        new_session(&["-d", "-s", session.as_str()], command)
    }

    pub fn exists(session: &SessionName) -> Vec<String> {
        tmux(&["has-session", "-t", &exactly(session)])
    }

    /// Prints one name a line.
    pub fn list() -> Vec<String> {
        tmux(&["list-sessions", "-F", "#{session_name}"])
    }

    fn new_session(flags: &[&str], command: &[String]) -> Vec<String> {
        let mut line = tmux(&["new-session"]);
        line.extend(flags.iter().map(|&flag| flag.to_owned()));
        match command {
            [] => {}
            // tmux gives a single word to a shell; several are run as they are.
            [program] => line.extend(["--".to_owned(), quote::shell(program)]),
            words => line.extend(["--".to_owned()].into_iter().chain(words.iter().map(|word| quote::tmux_argument(word)))),
        }
        line
    }

    fn tmux(arguments: &[&str]) -> Vec<String> {
        // Without -u, tmux 3.3a prints tabs and non-ASCII as "_" in the C locale.
        let client = ["tmux", "-u", "-S", SOCKET, "-f", CONFIG_PATH];
        client.iter().chain(arguments).map(|&word| word.to_owned()).collect()
    }

    /// Without `=`, tmux takes a name's beginning for the name.
    fn exactly(session: &SessionName) -> String {
        format!("={session}")
    }
}
