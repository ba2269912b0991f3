//! `wharf setup`

use std::env;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use super::watch;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::print;
use crate::tmux::{Binding, Bound, shell_command};

/// What `list-keys -N` shows of the keys: to open, to pick, and for the menu.
pub const NOTES: [&str; 4] = [
    "Open the project of this pane's directory in its container",
    "Pick a project or a session of its container",
    "Show what can be done with this pane's container",
    "Open the next session that waits for its user",
];

pub fn run(context: &Context) -> Result<ExitCode> {
    let tmux = context.tmux("setup")?;
    tmux.check_version()?;
    let options = tmux.options()?;
    let wharf = env::current_exe().map_err(|source| Error::io("find wharf's own program", source))?;
    let wharf = wharf.to_string_lossy();
    let place = [("--client", "#{client_name}"), ("--pane", "#{pane_id}")];
    let command = |verb| shell_command(&[&wharf, verb], &place);
    let [to_open, to_pick, for_menu, to_next] = NOTES;
    let open = options.open_key.map(|key| Binding { key, note: to_open, bound: Bound::Run(command("open")) });
    let pick = Bound::Popup(command("pick"), options.pick_size);
    let pick = options.pick_key.map(|key| Binding { key, note: to_pick, bound: pick });
    let menu = options.menu_key.map(|key| Binding { key, note: for_menu, bound: Bound::Run(command("menu")) });
    let next = options.next_key.map(|key| Binding { key, note: to_next, bound: Bound::Run(command("next")) });
    tmux.bind(&open.into_iter().chain(pick).chain(menu).chain(next).collect::<Vec<_>>())?;
    tmux.detour(&wharf, options.splits)?;
    tmux.set_status_defaults()?;
    tmux.name_windows()?;
    tmux.tell_of_panes()?;
    watch::ensure(true, context);
    // What people want to be told of may be another thing now.
    tmux.say_that_windows_changed();
    // From a configuration file, tmux would show it each time in place of the pane.
    if io::stdout().is_terminal() {
        advise(&tmux.missing_options()?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn advise(missing: &[(&str, &str)]) -> Result<()> {
    if missing.is_empty() {
        return print::line("the keys are bound, and tmux has every option that sessions need");
    }
    print::line("the keys are bound; in .tmux.conf, these would let sessions do all that a bare pane does:")?;
    missing.iter().try_for_each(|(line, why)| print::line(format_args!("  {line:<28} # {why}")))
}
