//! The guest's command line: what the host, and the guest itself, run in a container. No person types it.

use std::time::Duration;

use lexopt::prelude::{Long, Value};
use lexopt::{Error, Parser, ValueExt};

use crate::model::{SessionState, UnknownState};
use crate::protocol::hooks::Command;

/// What the guest is for.
#[derive(Debug, PartialEq, Eq)]
pub enum Verb {
    /// Hold a container: start its relay, and stay.
    Hold(Holding),
    /// Be a container's first process: run a program, reap what others leave, and end with it.
    Init(Vec<String>),
    /// Stay until a signal comes.
    Pause,
    /// Stay until no other process is in the container: root's programs are in one of their own.
    Linger,
    /// Let clients in; without a flag, start a relay unless one runs, and wait until it listens.
    Relay(RelayMode),
    /// Run the tmux that keeps the sessions, with these arguments.
    Tmux(Vec<String>),
    /// Print which tmux keeps the sessions, and its version.
    WhichTmux,
    /// Run a session's command, and keep its last screen until a key closes it.
    Keep(Vec<String>),
    /// Say of this session what its program does, or that it says nothing any more.
    Report(Option<SessionState>),
    /// Whether something listens at this port.
    Listens(u16),
    /// Run a project's hooks.
    Hooks(HooksVerb),
    /// Let ssh in.
    Sshd(SshdVerb),
    /// Note what is done once in a home directory.
    Home(HomeVerb),
    /// Print which ports somebody listens at.
    Listening,
    /// Copy between this port and standard input and output.
    Connect(u16),
    /// Run a program in this one's place.
    Become(Vec<String>),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding {
    /// Only until the first client that ran something has gone: `--once`.
    pub once: bool,
    /// Only until the last session has ended: `--until-last-session`.
    pub until_last_session: bool,
    /// How long programs may take to end with it: `--stop-timeout MILLISECONDS`.
    pub stop_timeout: Duration,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelayMode {
    /// Be the relay: `--serve`.
    pub serve: bool,
    /// Serve one client on standard input and output: `--stdio`.
    pub stdio: bool,
    /// Be root in the container of the first process: `--root`.
    pub root: bool,
}

/// What is done once in a home directory has a name.
#[derive(Debug, PartialEq, Eq)]
pub enum HomeVerb {
    /// Note that it is done; fail where it was.
    Claim(String),
    /// It was not done after all.
    Forget(String),
}

/// A hook is a command line; they travel as JSON, in one argument.
#[derive(Debug, PartialEq, Eq)]
pub enum HooksVerb {
    /// Those of a new container, unless they have succeeded.
    Create(Vec<Command>),
    /// Those of this start, in the background.
    Start(Vec<Command>),
    /// Be what goes on with those of this start.
    Serve(Vec<Command>),
    /// Print what became of them.
    State,
}

#[derive(Debug, PartialEq, Eq)]
pub enum SshdVerb {
    /// Print the public key.
    HostKey,
    /// Serve one client, who has one of these keys, on standard input and output.
    Serve(String),
    /// Listen at the container's port for clients that have one of these keys.
    Listen(String),
}

impl Verb {
    /// What this process was called for.
    pub fn of_this_process() -> Result<Self, Error> {
        Self::parse(Parser::from_env())
    }

    fn parse(mut line: Parser) -> Result<Self, Error> {
        let verb = word(&mut line, "a verb")?;
        let verb = match verb.as_str() {
            "hold" => Self::Hold(holding(&mut line)?),
            "init" => Self::Init(program(&mut line)?),
            "pause" => Self::Pause,
            "linger" => Self::Linger,
            "relay" => Self::Relay(relay(&mut line)?),
            "tmux" => Self::Tmux(rest(&mut line)?),
            "which-tmux" => Self::WhichTmux,
            "keep" => Self::Keep(program(&mut line)?),
            "become" => Self::Become(program(&mut line)?),
            "report" => Self::Report(report(&mut line)?),
            "listens" => Self::Listens(line.value()?.parse()?),
            "hooks" => Self::Hooks(hooks(&mut line)?),
            "home" => Self::Home(home(&mut line)?),
            "listening" => Self::Listening,
            "connect" => Self::Connect(word(&mut line, "a port")?.parse().map_err(|_| Error::Custom("that is no port".into()))?),
            "sshd" => Self::Sshd(sshd(&mut line)?),
            _ => return Err(Error::UnexpectedArgument(verb.into())),
        };
        match line.next()? {
            Some(surplus) => Err(surplus.unexpected()),
            None => Ok(verb),
        }
    }
}

fn holding(line: &mut Parser) -> Result<Holding, Error> {
    let mut holding = Holding::default();
    while let Some(flag) = line.next()? {
        match flag {
            Long("once") => holding.once = true,
            Long("until-last-session") => holding.until_last_session = true,
            Long("stop-timeout") => holding.stop_timeout = Duration::from_millis(line.value()?.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(holding)
}

fn relay(line: &mut Parser) -> Result<RelayMode, Error> {
    let mut mode = RelayMode::default();
    while let Some(flag) = line.next()? {
        match flag {
            Long("serve") => mode.serve = true,
            Long("stdio") => mode.stdio = true,
            Long("root") => mode.root = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(mode)
}

/// `none` takes the last one back.
fn report(line: &mut Parser) -> Result<Option<SessionState>, Error> {
    let state = word(line, "a state")?;
    if state == "none" { Ok(None) } else { state.parse().map(Some).map_err(|error: UnknownState| Error::Custom(error.into())) }
}

fn hooks(line: &mut Parser) -> Result<HooksVerb, Error> {
    let verb = word(line, "a verb of hooks")?;
    Ok(match verb.as_str() {
        "create" => HooksVerb::Create(commands(line)?),
        "start" => HooksVerb::Start(commands(line)?),
        "serve" => HooksVerb::Serve(commands(line)?),
        "state" => HooksVerb::State,
        _ => return Err(Error::UnexpectedArgument(verb.into())),
    })
}

fn home(line: &mut Parser) -> Result<HomeVerb, Error> {
    let verb = word(line, "a verb of homes")?;
    let name = word(line, "a name")?;
    // It is that of a file.
    match verb.as_str() {
        _ if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
            Err(Error::Custom("that is no name".into()))
        }
        "claim" => Ok(HomeVerb::Claim(name)),
        "forget" => Ok(HomeVerb::Forget(name)),
        _ => Err(Error::UnexpectedArgument(verb.into())),
    }
}

fn commands(line: &mut Parser) -> Result<Vec<Command>, Error> {
    let json = word(line, "hooks")?;
    serde_json::from_str(&json).map_err(|error| Error::ParsingFailed { value: json, error: error.into() })
}

fn sshd(line: &mut Parser) -> Result<SshdVerb, Error> {
    let verb = word(line, "a verb of sshd")?;
    Ok(match verb.as_str() {
        "host-key" => SshdVerb::HostKey,
        "serve" => SshdVerb::Serve(word(line, "keys")?),
        "listen" => SshdVerb::Listen(word(line, "keys")?),
        _ => return Err(Error::UnexpectedArgument(verb.into())),
    })
}

/// One word that is no flag.
fn word(line: &mut Parser, what: &str) -> Result<String, Error> {
    match line.next()? {
        Some(Value(word)) => word.string(),
        Some(other) => Err(other.unexpected()),
        None => Err(Error::Custom(format!("{what} is missing").into())),
    }
}

/// A program and its arguments.
fn program(line: &mut Parser) -> Result<Vec<String>, Error> {
    let words = rest(line)?;
    if words.is_empty() { Err(Error::Custom("a program is missing".into())) } else { Ok(words) }
}

/// All that is left, whatever it looks like.
fn rest(line: &mut Parser) -> Result<Vec<String>, Error> {
    line.raw_args()?.map(ValueExt::string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Verb, String> {
        Verb::parse(Parser::from_args(words)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_programs_arguments_are_its_own() {
        let words = ["-c", "--", "--once", "", "a b"].map(str::to_owned).to_vec();
        let line = |verb| [&[verb], &["sh", "-c", "--", "--once", "", "a b"][..]].concat();
        assert_eq!(parse(&line("become")), Ok(Verb::Become([vec!["sh".to_owned()], words.clone()].concat())));
        assert_eq!(parse(&[&["tmux"], &line("x")[2..]].concat()), Ok(Verb::Tmux(words)));
    }

    #[test]
    fn flags_are_read_and_others_refused() {
        let holding = Holding { once: true, until_last_session: false, stop_timeout: Duration::from_millis(1500) };
        assert_eq!(parse(&["hold", "--stop-timeout=1500", "--once"]), Ok(Verb::Hold(holding)));
        assert_eq!(parse(&["relay", "--serve"]), Ok(Verb::Relay(RelayMode { serve: true, ..RelayMode::default() })));
        assert_eq!(parse(&["relay", "--nonsense"]), Err("invalid option '--nonsense'".to_owned()));
        assert_eq!(parse(&["pause", "more"]), Err("unexpected argument \"more\"".to_owned()));
        assert_eq!(parse(&["keep"]), Err("a program is missing".to_owned()));
        assert_eq!(parse(&[]), Err("a verb is missing".to_owned()));
    }

    #[test]
    fn a_report_is_a_state_or_none() {
        assert_eq!(parse(&["report", "waiting"]), Ok(Verb::Report(Some(SessionState::Waiting))));
        assert_eq!(parse(&["report", "none"]), Ok(Verb::Report(None)));
        assert_eq!(parse(&["report", "idle"]), Err("a state is `working`, `waiting`, `done` or `failed`".to_owned()));
        assert_eq!(parse(&["listens", "80"]), Ok(Verb::Listens(80)));
        assert!(parse(&["listens", "http"]).is_err());
    }

    #[test]
    fn hooks_travel_as_json() {
        let hooks = vec![vec!["make".to_owned(), "all".to_owned()]];
        assert_eq!(parse(&["hooks", "create", r#"[["make","all"]]"#]), Ok(Verb::Hooks(HooksVerb::Create(hooks))));
        assert!(parse(&["hooks", "create", "make"]).is_err());
    }
}
