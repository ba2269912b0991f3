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
/// In a session's environment: whether its command is run again when it fails.
pub const RESTART_VARIABLE: &str = "WHARF_RESTART";
/// And its value where it is.
pub const ON_FAILURE: &str = "on-failure";
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

    /// Attaches as `program` does, to a session whose mouse is for its programs alone where `outside` is a tmux: that one has a
    /// copy mode, and keys for it, of the person's own.
    pub fn with_mouse(program: Program, session: &SessionName, outside: bool) -> Program {
        let Program::Tmux(mut words) = program else { return program };
        let mouse = if outside { "off" } else { "on" };
        words.extend([";", "set-option", "-t", &pane(session), "mouse", mouse].map(str::to_owned));
        Program::Tmux(words)
    }

    pub fn end(session: &SessionName) -> Program {
        tmux(&["kill-session", "-t", &exactly(session)])
    }

    /// Sets an option of the server; one that it does not know is none of its business.
    pub fn set_option(option: &str, value: &str) -> Program {
        tmux(&["set-option", "-sq", option, value])
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

    /// Types into a session: first what standard input has, as it is, then keys by tmux's names. Nothing is typed where there is
    /// no such session. Before, it notes how things are, for [`Session::sent`] and [`sent_screen`].
    pub fn send(session: &SessionName, typing: &Typing) -> Program {
        let target = pane(session);
        let mut words = Vec::new();
        let mut command = |arguments: &[&str]| {
            if !words.is_empty() {
                words.push(";".to_owned());
            }
            words.extend(arguments.iter().map(|word| quote::tmux_argument(word)));
        };
        for (option, value) in SENT {
            command(&["set-option", "-F", "-t", &target, option, value]);
        }
        command(&["capture-pane", "-t", &target, "-b", &sent_buffer(session)]);
        if let Some(buffer) = typing.buffer {
            command(&["load-buffer", "-b", buffer, "-"]);
            // `-r` keeps line feeds, which are carriage returns otherwise; `-p` is for who wants to know a paste.
            let flags = if typing.as_paste { "-rpd" } else { "-rd" };
            command(&["paste-buffer", flags, "-b", buffer, "-t", &target]);
        }
        if !typing.keys.is_empty() {
            let keys: Vec<&str> = typing.keys.iter().map(String::as_str).collect();
            // No dashes before them: those begin what wharf itself runs.
            command(&[&["send-keys", "-t", &target], &keys[..]].concat());
        }
        Program::Tmux(words)
    }

    /// What [`send`] types.
    #[derive(Debug, Default)]
    pub struct Typing<'a> {
        /// The name of a buffer that nobody else uses; `None` where standard input has nothing.
        pub buffer: Option<&'a str>,
        /// As a paste, where the program asks to know of those.
        pub as_paste: bool,
        pub keys: &'a [String],
    }

    /// Prints how many lines have left the screen, and then the lines from `from` on, as `capture-pane -S` counts them.
    pub fn screen(session: &SessionName, from: &str) -> Program {
        let target = pane(session);
        tmux(&[
            "display-message",
            "-p",
            "-t",
            &target,
            "#{history_size}",
            ";",
            "capture-pane",
            "-p",
            "-t",
            &target,
            "-S",
            if from == "-0" { "0" } else { from },
        ])
    }

    /// The first prints how many lines had left the screen when something was last sent, and the second what it showed, which is
    /// an error where nothing was. tmux 3.3a can't print a buffer and something else in one go.
    pub fn sent_screen(session: &SessionName) -> [Program; 2] {
        let history = tmux(&["display-message", "-p", "-t", &pane(session), "#{@wharf-sent-history}"]);
        [history, tmux(&["show-buffer", "-b", &sent_buffer(session)])]
    }

    /// Runs a command in the session's place, or again the one that it ran before.
    pub fn respawn(session: &SessionName, environment: &[String], command: &[String]) -> Program {
        let target = pane(session);
        let mut words = Vec::new();
        let by_name = format!("{}-{session}", super::EXIT_CODE);
        for unset in [
            &["set-option", "-squ", &by_name][..],
            &["set-option", "-pqu", "-t", &target, super::EXIT_CODE],
            &["set-option", "-qu", "-t", &target, "@wharf-report"],
        ] {
            words.extend(unset.iter().map(|&word| word.to_owned()));
            words.push(";".to_owned());
        }
        words.extend(["respawn-pane", "-k", "-t", &target].map(str::to_owned));
        words.extend(environment.iter().flat_map(|pair| ["-e".to_owned(), pair.clone()]));
        push_command(&mut words, command);
        Program::Tmux(words)
    }

    /// Ends a session for good: what its command ended with is noted as of one that the signal ended.
    pub fn kill(session: &SessionName, exit_code: i32) -> Program {
        let by_name = format!("{}-{session}", super::EXIT_CODE);
        // Only where there is one: the first command fails otherwise.
        let target = exactly(session);
        tmux(&[
            "has-session",
            "-t",
            &target,
            ";",
            "set-option",
            "-s",
            &by_name,
            &exit_code.to_string(),
            ";",
            "kill-session",
            "-t",
            &target,
        ])
    }

    const SENT: [(&str, &str); 4] = [
        ("@wharf-sent-bells", "0#{@wharf-bells}"),
        ("@wharf-sent-reports", "0#{@wharf-reports}"),
        ("@wharf-sent-history", "#{history_size}"),
        ("@wharf-sent-at", "#{T:@wharf-now}"),
    ];

    fn sent_buffer(session: &SessionName) -> String {
        format!("wharf-sent-{session}")
    }

    /// Prints the screen, and what has left it at the top: so many lines, or all.
    pub fn capture(session: &SessionName, escapes: bool, history: Option<Lines>) -> Program {
        let first = history.map(|lines| match lines {
            Lines::All => "-".to_owned(),
            Lines::Last(lines) => format!("-{lines}"),
        });
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

    /// How much of what has left a screen.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Lines {
        All,
        Last(u32),
    }

    fn new_session(flags: &[&str], command: &[String]) -> Program {
        let mut arguments = vec!["new-session".to_owned()];
        arguments.extend(flags.iter().map(|&flag| flag.to_owned()));
        push_command(&mut arguments, command);
        Program::Tmux(arguments)
    }

    fn push_command(arguments: &mut Vec<String>, command: &[String]) {
        if !command.is_empty() {
            arguments.push("--".to_owned());
            arguments.extend(command.iter().map(|word| quote::tmux_argument(word)));
        }
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
