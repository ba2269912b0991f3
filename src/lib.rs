//! wharf: the host's tmux as the switcher for containers.
//!
//! A library for the fuzzer's sake: what is public is what programs of this repository call.

mod cli;
mod commands;
mod config;
mod connection;
mod container;
mod context;
mod deadline;
mod digest;
mod engine;
mod error;
mod guest;
mod history;
mod image;
mod model;
mod output;
mod paths;
mod picker;
mod project;
mod protocol;
mod quote;
mod tmux;

use std::process::ExitCode;

use clap::Parser;

/// The whole program: parse → run → report → exit code.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(verb) = guest::command_line::Inside::of_this_program() {
        return guest::run(verb);
    }
    let cli = cli::Cli::parse();
    let context = context::Context::from_environment(cli.surface);
    match commands::run(cli.command, &context) {
        Ok(code) => code,
        Err(error) => output::report::report(&error, &context),
    }
}

/// Reads a project's configuration from any bytes, and shows whatever comes of it. Must not panic.
#[cfg(fuzzing)]
pub fn fuzz_configuration(bytes: &[u8]) {
    config::survives(&String::from_utf8_lossy(bytes));
}
