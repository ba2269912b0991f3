//! wharf: the host's tmux as the switcher for containers.
//!
//! A library for the fuzzer's sake: what is public is what programs of this repository call.

mod age;
mod ago;
mod aside;
mod build;
mod cli;
mod commands;
mod config;
mod context;
mod default_image;
mod digest;
mod drift;
mod engine;
mod entry;
mod error;
mod exit;
mod history;
mod inside;
mod lifecycle;
mod made_with;
mod nearest;
mod outfit;
mod picker;
mod places;
mod plan;
mod prepare;
mod print;
mod progress;
mod project;
mod quote;
mod report;
mod session;
mod shared;
mod spec;
mod supply;
mod target;
mod tmux;
mod tools;
mod way;
mod wire;

use std::process::ExitCode;

use clap::Parser;

/// The whole program: parse → run → report → exit code.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(verb) = cli::Inside::of_this_program() {
        return inside::run(verb);
    }
    let cli = cli::Cli::parse();
    let context = context::Context::from_environment(cli.surface);
    match commands::run(cli.command, &context) {
        Ok(code) => code,
        Err(error) => report::report(&error, &context),
    }
}

/// Reads a project's configuration from any bytes, and shows whatever comes of it. Must not panic.
#[cfg(fuzzing)]
pub fn fuzz_configuration(bytes: &[u8]) {
    config::survives(&String::from_utf8_lossy(bytes));
}
