//! wharf: the host's tmux as the switcher for containers.

mod cli;
mod commands;
mod context;
mod digest;
mod engine;
mod error;
mod lifecycle;
mod plan;
mod progress;
mod project;
mod quote;
mod report;
mod session;
mod spec;
mod target;
mod tmux;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let context = context::Context::from_environment(cli.surface);
    match commands::run(cli.command, &context) {
        Ok(code) => code,
        Err(error) => report::report(&error, &context),
    }
}
