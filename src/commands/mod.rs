//! One verb a file.

mod asked;
mod attach;
mod branch;
mod capture;
pub mod completions;
mod config;
mod consent;
mod cp;
mod doctor;
mod dotfiles;
mod events;
mod exec;
mod forward;
mod hooks;
mod image;
mod inspect;
mod kill;
mod list;
mod logs;
mod menu;
mod next;
mod open;
mod pick;
mod ports;
mod prune;
mod rebuild;
mod restart;
mod rm;
mod run;
mod send;
mod sessions;
mod setup;
mod split;
mod ssh;
mod start;
mod status;
mod stop;
mod target;
mod trust;
mod wait;
mod watch;

use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::guest::delivery::Sources;
use crate::model::native_architecture;
use crate::output::print;
use crate::tmux::TmuxServer;

use asked::{Asked, choice, flags};

pub fn run(command: Command, context: &Context) -> Result<ExitCode> {
    match command {
        Command::Open(args) => block_on(open::run(args, context)),
        Command::Start(args) => block_on(start::run(args, context)),
        Command::Attach(args) => block_on(attach::run(args, context)),
        Command::Exec(args) => block_on(exec::run(args, context)),
        Command::Forward(args) => block_on(forward::run(args, context)),
        Command::Cp(args) => block_on(cp::run(args, context)),
        Command::Run(args) => block_on(run::run(args, context)),
        Command::Send(args) => block_on(send::run(args, context)),
        Command::Capture(args) => block_on(capture::run(args, context)),
        Command::Sessions(args) => block_on(sessions::run(args, context)),
        Command::Branch(args) => block_on(branch::run(args, context)),
        Command::Branches(args) => block_on(branch::list(args, context)),
        Command::Next => block_on(next::run(context)),
        Command::Kill(args) => block_on(kill::run(args, context)),
        Command::Events(args) => block_on(events::run(args, context)),
        Command::Wait(args) => block_on(wait::run(args, context)),
        Command::List(args) => block_on(list::run(args, context)),
        Command::Ports(args) => block_on(ports::run(args, context)),
        Command::Status(args) => block_on(status::run(args, context)),
        Command::SshProxy(args) => block_on(ssh::proxy(args, context)),
        Command::SshConfig => ssh::config(context),
        Command::Pick(args) => block_on(pick::run(args, context)),
        Command::Logs(args) => block_on(logs::run(args, context)),
        Command::Inspect(args) => block_on(inspect::run(args, context)),
        Command::Restart(args) => block_on(restart::run(args, context)),
        Command::Menu => block_on(menu::run(context)),
        Command::Stop(args) => block_on(stop::run(args, context)),
        Command::Rm(args) => block_on(rm::run(args, context)),
        Command::Rebuild(args) => block_on(rebuild::run(args, context)),
        Command::Prune(args) => block_on(prune::run(args, context)),
        Command::Split(args) => block_on(split::run(args, context)),
        Command::Config(args) => block_on(config::run(args, context)),
        Command::Trust(args) => block_on(trust::run(args, context)),
        Command::Image(verb) => block_on(image::run(verb, context)),
        Command::Doctor(args) => block_on(doctor::run(args, context)),
        Command::Setup => setup::run(context),
        Command::Watch(args) => watch::run(args, context),
        Command::Completions { shell } => print::bytes(&completions::script(&shell.to_string())?).map(|()| ExitCode::SUCCESS),
        Command::Man => {
            let mut page = Vec::new();
            let drawn = clap_mangen::Man::new(Cli::command()).render(&mut page);
            drawn.map_err(|source| Error::io("draw the manual page", source))?;
            print::bytes(&page).map(|()| ExitCode::SUCCESS)
        }
    }
}

/// One thread is enough: a command waits more than it computes, and a client that lives for days stays small.
fn block_on<T>(command: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| Error::io("start", source))?.block_on(command)
}

/// Where to find what containers get.
fn sources(context: &Context) -> Sources<'_> {
    Sources {
        guest: context.guest.as_deref(),
        program: &context.program,
        architecture: native_architecture(),
        data_dir: &context.data_dir,
        server_program: context.tmux.as_ref().map(TmuxServer::program),
        search_path: context.search_path(),
    }
}
