//! `wharf pick`

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use futures_util::future::LocalBoxFuture;

use super::attach::Wished;
use super::open::{attach_command, open_window};
use crate::cli::{Creation, Open, Pick};
use crate::commands::target;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::print;
use crate::picker::{self, Choice, Outcome, Place};
use crate::tmux::{Beside, NewPane};

/// As fzf has them.
const NOTHING: u8 = 1;
const LEFT: u8 = 130;

pub async fn run(args: Pick, context: &Context) -> Result<ExitCode> {
    let open_here = |choice, place| -> LocalBoxFuture<'_, Result<()>> { Box::pin(open_here(choice, place, context)) };
    // In a popup, which goes with the picker, what is wrong is said while it is there.
    let opener: Option<picker::Opener> = if context.client.is_some() && !args.print { Some(&open_here) } else { None };
    match picker::run(context, args.query.as_deref().unwrap_or_default(), opener).await? {
        Outcome::Left => Ok(ExitCode::from(LEFT)),
        Outcome::Nothing => Ok(ExitCode::from(NOTHING)),
        Outcome::Opened => Ok(ExitCode::SUCCESS),
        Outcome::Chosen(choice, _) if args.print => {
            let session = choice.session.as_ref().map(|session| format!("\t{session}")).unwrap_or_default();
            print::line(format_args!("{}{session}", choice.project))?;
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Chosen(choice, Place::Split) => split(&choice, context).map(|()| ExitCode::SUCCESS),
        Outcome::Chosen(choice, Place::Window) => Err(become_open(&choice)),
    }
}

async fn open_here(choice: Choice, place: Place, context: &Context) -> Result<()> {
    if target::is_orphaned(&choice.project) {
        return Err(Error::NoSuchDirectory { path: choice.project.path_buf() });
    }
    if place == Place::Split {
        return split(&choice, context);
    }
    let tmux = context.tmux("pick")?;
    let args = Open { session: choice.session, creation: creation(context), ..Open::default() };
    Box::pin(open_window(&args, &choice.project, tmux, context)).await.map(drop)
}

/// What the environment says of a container to create.
fn creation(context: &Context) -> Creation {
    Creation { image: context.variable("WHARF_IMAGE").filter(|image| !image.is_empty()), ..Creation::default() }
}

/// Opens it beside the pane at hand.
fn split(choice: &Choice, context: &Context) -> Result<()> {
    let tmux = context.tmux("pick")?;
    let pane = context.pane.as_ref().ok_or(Error::Needs { verb: "pick", needs: "pane" })?;
    let (project, session) = (&choice.project, choice.session.clone().unwrap_or_default());
    let new = NewPane {
        project,
        session: &session,
        command: attach_command(project, Wished::new(&session, &creation(context)))?,
        environment: vec![format!("WHARF_PROJECT={project}")],
    };
    let place = tmux.place(pane)?;
    tmux.open_beside(pane, &place.window, Beside::Right, new)
}

/// Goes on as `wharf open`: what the picker has in memory is nothing that a session needs.
fn become_open(choice: &Choice) -> Error {
    let program = match env::current_exe() {
        Ok(program) => program,
        Err(source) => return Error::io("find wharf's own program", source),
    };
    let mut open = Command::new(program);
    open.arg("open");
    if let Some(session) = &choice.session {
        open.args(["--session", session.as_str()]);
    }
    let failed: io::Error = open.arg(choice.project.path()).exec();
    Error::io("open it", failed)
}
