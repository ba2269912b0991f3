//! One verb a file.

mod attach;
mod list;
mod open;
mod rm;
mod setup;
mod start;
mod stop;

use std::io;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::{Cli, Command, Creation};
use crate::context::{Context, DEFAULT_IMAGE};
use crate::error::{Error, Result};
use crate::lifecycle::Wanted;
use crate::plan::WantedImage;

pub fn run(command: Command, context: &Context) -> Result<ExitCode> {
    match command {
        Command::Open(args) => block_on(open::run(args, context)),
        Command::Start(args) => block_on(start::run(args, context)),
        Command::Attach(args) => block_on(attach::run(args, context)),
        Command::List(args) => block_on(list::run(args, context)),
        Command::Stop(args) => block_on(stop::run(args, context)),
        Command::Rm(args) => block_on(rm::run(args, context)),
        Command::Setup => setup::run(context),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "wharf", &mut io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        Command::Man => {
            let page = clap_mangen::Man::new(Cli::command()).render(&mut io::stdout());
            page.map(|()| ExitCode::SUCCESS).map_err(|source| Error::io("print the manual page", source))
        }
    }
}

/// One thread is enough: a command waits more than it computes, and a client that lives for days stays small.
fn block_on(command: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| Error::io("start", source))?.block_on(command)
}

/// What a new container is to be, from the command line and this user.
fn wanted<'a>(creation: &'a Creation, context: &'a Context) -> Wanted<'a> {
    let image = creation.image.as_deref().filter(|image| !image.is_empty());
    Wanted {
        image: WantedImage { name: image.unwrap_or(DEFAULT_IMAGE), is_default: image.is_none() },
        workspace: creation.workspace.as_deref(),
        user: &context.user,
        state_dir: &context.state_dir,
    }
}
