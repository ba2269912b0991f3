//! `wharf doctor`

mod disk;
mod engine;
mod finding;
mod guest;
mod project;
mod terminal;
mod tmux;

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use tokio::time::{Instant, timeout_at};

use crate::cli::Doctor;
use crate::commands::target;
use crate::context::Context;
use crate::deadline::on_thread;
use crate::error::{Error, Result};
use crate::output::print;
use crate::output::report::HINT;
use crate::project::Project;
use finding::{Finding, Verdict};
use project::Wanted;

/// How long all of it may take: of an engine that hangs, that is known in half the time.
const PATIENCE: Duration = Duration::from_secs(3);

pub async fn run(args: Doctor, context: &Context) -> Result<ExitCode> {
    let findings = Box::pin(look(args.target.as_deref(), context)).await;
    if args.json {
        print::json(&findings)?;
    } else {
        print::coloured(&findings.iter().map(text).collect::<String>())?;
    }
    let is_well = findings.iter().all(|finding| finding.state != Verdict::Problem);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everything at once, but for what depends on the project and on whether there is an engine.
async fn look(target: Option<&str>, context: &Context) -> Vec<Finding> {
    let deadline = Instant::now() + PATIENCE;
    let state_dir = context.state_dir.clone();
    let state = on_thread(move || vec![disk::state_directory(&state_dir)]);
    let (engine, tmux, state, (project, configuration, wanted)) = tokio::join!(
        engine::engine(context),
        tmux::tmux(context),
        in_time("state", deadline, async { state.await.unwrap_or_default() }),
        configured(target, deadline, context),
    );
    let features = context.tmux.as_ref().filter(|_| tmux.len() > 2).and_then(|server| server.terminal_features().ok());
    let variable = |name: &str| context.variable(name).filter(|value| !value.is_empty());
    let terminal = terminal::terminal(variable, context.home.as_deref(), &features.unwrap_or_default());
    let is_engine_there = engine.state != Verdict::Problem;
    let image =
        async { vec![if is_engine_there { engine::image(wanted, context).await } else { Finding::without_engine("image") }] };
    let container = async {
        match &project {
            Some(project) if is_engine_there => project::container(project, context).await,
            Some(project) => project::container_without_engine(project, context).await,
            None => Vec::new(),
        }
    };
    let guest = vec![guest::here(context)];
    let (image, container) = tokio::join!(in_time("image", deadline, image), in_time("container", deadline, container));
    let parts = [vec![engine], tmux, terminal.into(), state, guest, image, configuration, container];
    parts.into_iter().flatten().collect()
}

/// Which project it is about, if any, and what is configured for it.
async fn configured(target: Option<&str>, deadline: Instant, context: &Context) -> (Option<Project>, Vec<Finding>, Wanted) {
    const CHECK: &str = "project";
    let resolved = timeout_at(deadline, Box::pin(target::resolve(target, context))).await;
    let (project, mut findings) = match resolved {
        Ok(Ok(project)) => (Some(project), Vec::new()),
        // Nobody has asked for one.
        Ok(Err(Error::TooWide { path })) if target.is_none() => {
            (None, vec![Finding::ok(CHECK, &format!("`{}` is none", path.display()))])
        }
        Ok(Err(error)) => (None, vec![Finding::of(CHECK, &error, "`wharf list` shows which there are")]),
        Err(_) => (None, vec![Finding::late(CHECK)]),
    };
    let (locations, of) = (context.configuration(), project.clone());
    let looked = timeout_at(deadline, on_thread(move || project::configuration(&locations, of.as_ref()))).await;
    let (found, wanted) = looked.ok().flatten().unwrap_or_else(|| (vec![Finding::late("config")], Wanted::default()));
    findings.extend(found);
    (project, findings, wanted)
}

async fn in_time(check: &'static str, deadline: Instant, look: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    timeout_at(deadline, look).await.unwrap_or_else(|_| vec![Finding::late(check)])
}

/// Lines that the terminal wraps, so that a command in a hint can be copied.
fn text(finding: &Finding) -> String {
    let (word, style) = match finding.state {
        Verdict::Ok => ("ok", AnsiColor::Green.on_default()),
        Verdict::Warning => ("warning", AnsiColor::Yellow.on_default()),
        Verdict::Problem => ("problem", AnsiColor::Red.on_default().bold()),
    };
    let mut text = String::new();
    let style: Style = style;
    let _ = writeln!(text, "{style}{word:<7}{style:#} {}: {}", finding.check, finding.found);
    if let Some(hint) = &finding.hint {
        let _ = writeln!(text, "{HINT}hint:{HINT:#} {hint}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_below_it_what_helps() {
        assert_eq!(text(&Finding::ok("engine", "it answers")), "\u{1b}[32mok     \u{1b}[0m engine: it answers\n");
        let wrong = text(&Finding::problem("image", "it is not there", "make it"));
        assert_eq!(anstream::adapter::strip_str(&wrong).to_string(), "problem image: it is not there\nhint: make it\n");
    }
}
