//! `wharf setup`

use std::env;
use std::process::ExitCode;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::tmux::{Binding, shell_command};

pub fn run(context: &Context) -> Result<ExitCode> {
    let tmux = context.tmux("setup")?;
    tmux.check_version()?;
    let options = tmux.options()?;
    let wharf = env::current_exe().map_err(|source| Error::io("find wharf's own program", source))?;
    let wharf = wharf.to_string_lossy();
    let place = [("--client", "#{client_name}"), ("--pane", "#{pane_id}")];
    let open = options.open_key.map(|key| Binding {
        key,
        note: "Open the project of this pane's directory in its container",
        command: shell_command(&[&wharf, "open"], &place),
    });
    tmux.bind(&open.into_iter().collect::<Vec<_>>())?;
    Ok(ExitCode::SUCCESS)
}
