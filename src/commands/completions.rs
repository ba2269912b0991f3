//! `wharf completions`, and the answers to a shell that completes a line: verbs and flags, and what there is just now:
//! projects, containers and sessions.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::time::Duration;

use clap::{Command, CommandFactory};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::env::{CompleteEnv, Shells};
use tokio::time::timeout;

use super::block_on;
use super::list::sessions_of;
use crate::cli::{Cli, Surface};
use crate::context::Context;
use crate::engine::Listed;
use crate::error::{Error, Result};
use crate::history::History;

/// Set by the scripts that shells load, to the shell's name.
const VARIABLE: &str = "WHARF_COMPLETE";
/// How long a person who has pressed Tab is left waiting for the engine.
const PATIENCE: Duration = Duration::from_millis(500);

/// Answers where it is a shell that asks, and ends the process.
pub fn answer() {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// What a shell has to load so that it asks: nothing that has to be loaded anew when wharf changes.
pub fn script(shell: &str) -> Result<Vec<u8>> {
    let shells = Shells::builtins();
    let mut script = Vec::new();
    let completer =
        shells.completer(shell).map(|shell| shell.write_registration(VARIABLE, "wharf", "wharf", "wharf", &mut script));
    let written = completer.unwrap_or_else(|| Err(std::io::ErrorKind::Unsupported.into()));
    written.map_err(|source| Error::io("write the completion script", source))?;
    Ok(script)
}

fn command() -> Command {
    let mut command = Cli::command();
    command.build();
    with_completers(command)
}

fn with_completers(command: Command) -> Command {
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let command = command.mut_args(|argument| match argument.get_id().as_str() {
        "target" | "targets" => argument.add(ArgValueCompleter::new(targets)),
        "session" => argument.add(ArgValueCompleter::new(sessions)),
        _ => argument,
    });
    verbs.into_iter().fold(command, |command, verb| command.mut_subcommand(verb, with_completers))
}

/// Names of projects and containers, and directories.
fn targets(typed: &OsStr) -> Vec<CompletionCandidate> {
    let directories = PathCompleter::dir().complete(typed);
    let Some(word) = typed.to_str().filter(|word| !word.contains('/') && !word.starts_with('.')) else {
        return directories;
    };
    named(word, projects()).into_iter().chain(directories).collect()
}

fn sessions(typed: &OsStr) -> Vec<CompletionCandidate> {
    typed.to_str().map(|word| named(word, running_sessions())).unwrap_or_default()
}

/// Those whose names begin with what was typed.
fn named(typed: &str, names: BTreeMap<String, String>) -> Vec<CompletionCandidate> {
    let fitting = names.into_iter().filter(|(name, _)| name.starts_with(typed));
    fitting.map(|(name, help)| CompletionCandidate::new(name).help(Some(help.into()))).collect()
}

/// By the name that a person would type, what it stands for. Without the engine, those that were opened lately.
fn projects() -> BTreeMap<String, String> {
    let context = Context::from_environment(Surface::default(), false);
    let containers = containers(&context);
    let history = History::read(&context.state_dir);
    let known = containers.iter().map(|listed| &listed.project).chain(history.projects());
    let mut names: BTreeMap<String, String> =
        known.map(|project| (project.short_name().to_owned(), project.to_string())).collect();
    names.extend(containers.iter().map(|listed| (listed.name.to_string(), listed.project.to_string())));
    names
}

fn running_sessions() -> BTreeMap<String, String> {
    let context = Context::from_environment(Surface::default(), false);
    let containers = containers(&context);
    // Those that say it in time.
    let sessions = block_on(async { Ok(sessions_of(&context, &containers).await) }).unwrap_or_default();
    let mut names = BTreeMap::new();
    for (listed, sessions) in containers.iter().zip(sessions) {
        for session in sessions.unwrap_or_default() {
            names.entry(session.name.to_string()).or_insert_with(|| listed.project.short_name().to_owned());
        }
    }
    names
}

/// None where the engine does not say in time.
fn containers(context: &Context) -> Vec<Listed> {
    let ask = async { timeout(PATIENCE, context.containers()).await.unwrap_or_else(|_| Ok(Vec::new())) };
    block_on(ask).unwrap_or_default()
}
