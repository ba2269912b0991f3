//! wharf: the host's tmux as the switcher for containers.
//!
//! Two programs share this library: `wharf` on the host, and `wharf-guest` in every container, which is built without the
//! feature `host`. What is public is what programs of this repository call.

// What only the host asks of the shared rooms.
#![cfg_attr(not(feature = "host"), allow(dead_code, unused_imports))]

mod digest;
mod guest;
mod model;
mod protocol;
mod quote;

#[cfg(feature = "host")]
mod cli;
#[cfg(feature = "host")]
mod commands;
#[cfg(feature = "host")]
mod config;
#[cfg(feature = "host")]
mod connection;
#[cfg(feature = "host")]
mod container;
#[cfg(feature = "host")]
mod context;
#[cfg(feature = "host")]
mod deadline;
#[cfg(feature = "host")]
mod engine;
#[cfg(feature = "host")]
mod error;
#[cfg(feature = "host")]
mod history;
#[cfg(feature = "host")]
mod image;
#[cfg(feature = "host")]
mod nearest;
#[cfg(feature = "host")]
mod output;
#[cfg(feature = "host")]
mod paths;
#[cfg(feature = "host")]
mod picker;
#[cfg(feature = "host")]
mod project;
#[cfg(feature = "host")]
mod tmux;

use std::process::ExitCode;

#[cfg(feature = "host")]
use clap::Parser;

/// `wharf`, the host's program: parse → run → report → exit code.
#[cfg(feature = "host")]
#[must_use]
pub fn main() -> ExitCode {
    commands::completions::answer();
    let cli = cli::Cli::parse();
    let everyone = cli.command.is_about_everyone();
    let context = context::Context::from_environment(cli.surface, everyone);
    match commands::run(cli.command, &context) {
        Ok(code) => code,
        Err(error) => output::report::report(&error, &context),
    }
}

/// `wharf-guest`, the program in containers.
#[must_use]
pub fn guest_main() -> ExitCode {
    guest::main()
}

/// Reads a project's configuration from any bytes, and shows whatever comes of it. Must not panic.
#[cfg(all(fuzzing, feature = "host"))]
pub fn fuzz_configuration(bytes: &[u8]) {
    config::survives(&String::from_utf8_lossy(bytes));
}
