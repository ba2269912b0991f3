//! The tmux that keeps a container's sessions: the host's, which is among the tools, or the image's own.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::{find_program, is_executable, is_set, root, runtime_dir};
use crate::model::{Inner, InnerTmux, TmuxVersion, exit};
use crate::protocol::{CONFIG_PATH, Launch, NO_SHELL, NO_TMUX, SHELL_VARIABLE, TERMINFO, TMUX_SOCKET, TMUX_VERSION, TOOLS_DIR};

/// Notes which tmux was chosen: a client has to be of its server's version, whatever is installed meanwhile.
const CHOICE: &str = "tmux-choice";
const SHELLS: [&str; 4] = ["bash", "zsh", "sh", "ash"];

/// A program with its arguments and what its environment needs besides.
#[derive(Debug)]
pub struct Invocation {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(&'static str, OsString)>,
}

/// What an image lacks; [`Missing::exit_code`] is how the host hears of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Tmux,
    Shell,
}

impl Missing {
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Tmux => NO_TMUX,
            Self::Shell => NO_SHELL,
        }
    }
}

/// Becomes the tmux.
pub fn run(arguments: &[String]) -> ExitCode {
    let missing = match invocation(arguments) {
        Ok(invocation) => {
            let error = invocation.command().exec();
            eprintln!("wharf: could not run `{}`: {error}", invocation.program.display());
            return exit::with(exit::NOT_RUN);
        }
        Err(missing) => missing,
    };
    eprintln!("wharf: there is no {} in this container", if missing == Missing::Tmux { "tmux" } else { "shell" });
    exit::with(missing.exit_code())
}

/// Prints which one it is, as `host 3.8`, for [`InnerTmux`].
pub fn print_choice() -> ExitCode {
    let Some(chosen) = choose() else {
        return exit::with(Missing::Tmux.exit_code());
    };
    let (inner, version) = match &chosen {
        Chosen::OfImage(path) => (Inner::Image, version_of(path)),
        Chosen::Injected(_) => (Inner::Host, injected_version()),
    };
    let said = writeln!(io::stdout(), "{}", InnerTmux { inner, version });
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Where its server listens: root's is not the session user's, who could be any server.
pub fn socket() -> PathBuf {
    if root::is_beside_user() { runtime_dir().join("tmux.sock") } else { TMUX_SOCKET.into() }
}

/// The command line that runs the tmux with these arguments.
pub fn invocation(arguments: &[String]) -> Result<Invocation, Missing> {
    let chosen = choose().ok_or(Missing::Tmux)?;
    let mut environment = Vec::new();
    match shell() {
        Some(shell) => environment.push(("SHELL", shell.into())),
        None if needs_shell(arguments) && !session_exists(&chosen, arguments) => return Err(Missing::Shell),
        None => {}
    }
    if !is_set("TERMINFO_DIRS") {
        // The empty entry is where ncurses looks by itself, and comes first.
        environment.push(("TERMINFO_DIRS", format!(":{TOOLS_DIR}/{TERMINFO}").into()));
    }
    Ok(chosen.invocation(arguments, environment))
}

impl Invocation {
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Where a tmux is, and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Chosen {
    OfImage(PathBuf),
    Injected(Launch),
}

impl Chosen {
    fn invocation(&self, arguments: &[String], mut environment: Vec<(&'static str, OsString)>) -> Invocation {
        let mut words: Vec<OsString> = match self {
            Self::OfImage(path) => vec![path.into()],
            Self::Injected(launch) => {
                environment.extend(launch.tmux_locale().map(|locale| ("LOCPATH", locale.into())));
                launch.tmux().into_iter().map(OsString::from).collect()
            }
        };
        // Without -u, tmux 3.3a prints tabs and non-ASCII as "_" in the C locale.
        words.extend(["-u".into(), "-S".into(), socket().into(), "-f".into(), CONFIG_PATH.into()]);
        words.extend(run_by_wharf(arguments).into_iter().map(OsString::from));
        Invocation { program: words.remove(0).into(), arguments: words, environment }
    }
}

/// The choice of this container's first session, or one made now.
fn choose() -> Option<Chosen> {
    let note = runtime_dir().join(CHOICE);
    if let Ok(noted) = fs::read_to_string(&note) {
        let chosen = if noted.is_empty() { injected() } else { Some(Chosen::OfImage(PathBuf::from(noted))) };
        return chosen;
    }
    let of_image = find_program("tmux");
    let host = injected();
    let hosts_version = host.as_ref().and_then(|_| injected_version());
    let chosen = match Inner::choose(of_image.as_deref().and_then(version_of), hosts_version) {
        Some(Inner::Image) => Chosen::OfImage(of_image?),
        _ => host?,
    };
    let text = if let Chosen::OfImage(path) = &chosen { path.to_string_lossy().into_owned() } else { String::new() };
    // Whoever comes second at the same time chooses the same. Where nothing can be written, each choice is made anew.
    let new = note.with_extension(std::process::id().to_string());
    let _ = fs::write(&new, text).and_then(|()| fs::rename(&new, &note));
    Some(chosen)
}

fn injected() -> Option<Chosen> {
    let is_there = |launch: &Launch| launch.tmux().last().is_some_and(|program| is_executable(Path::new(program)));
    [Launch::Static, Launch::Bundle].into_iter().find(is_there).map(Chosen::Injected)
}

fn injected_version() -> Option<TmuxVersion> {
    fs::read_to_string(Path::new(TOOLS_DIR).join(TMUX_VERSION)).ok()?.parse().ok()
}

fn version_of(tmux: &Path) -> Option<TmuxVersion> {
    let asked = Command::new(tmux).arg("-V").stdin(Stdio::null()).stderr(Stdio::null()).output();
    String::from_utf8_lossy(&asked.ok()?.stdout).parse().ok()
}

/// The shell that a person has configured, else the best that the image has. One that the image names itself is its choice.
fn shell() -> Option<PathBuf> {
    let configured = env::var(SHELL_VARIABLE).ok().and_then(|shell| {
        if shell.starts_with('/') { Some(PathBuf::from(shell)).filter(|path| is_executable(path)) } else { find_program(&shell) }
    });
    let named = env::var_os("SHELL").map(PathBuf::from).filter(|path| path.is_absolute() && is_executable(path));
    configured.or(named).or_else(|| SHELLS.iter().find_map(|name| find_program(name)))
}

/// tmux runs a shell where a new session is given no command.
fn needs_shell(arguments: &[String]) -> bool {
    arguments.first().is_some_and(|verb| verb == "new-session") && !arguments.iter().any(|word| word == "--")
}

fn session_exists(chosen: &Chosen, arguments: &[String]) -> bool {
    let name = arguments.iter().skip_while(|word| *word != "-s").nth(1);
    let Some(name) = name.filter(|_| arguments.iter().any(|word| word == "-A")) else {
        return false;
    };
    let question = ["has-session", "-t", &format!("={name}")].map(str::to_owned);
    let mut command = chosen.invocation(&question, Vec::new()).command();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A session's command is run by wharf. tmux would give one of a single word to a shell, which may not exist and would
/// expand it.
fn run_by_wharf(arguments: &[String]) -> Vec<String> {
    match arguments.iter().position(|word| word == "--") {
        Some(dashes) => {
            let (before, command) = arguments.split_at(dashes + 1);
            [before, &Launch::of_this_build().guest(), &["keep".to_owned()], command].concat()
        }
        None => arguments.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sessions_command_is_run_by_wharf() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(run_by_wharf(&words("new-session -d")), words("new-session -d"));
        let run = run_by_wharf(&words("new-session -d -- sh -c x"));
        assert_eq!(run[..3], words("new-session -d --"));
        assert_eq!(run[run.len() - 4..], words("keep sh -c x"));
    }
}
