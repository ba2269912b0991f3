//! `wharf wait`: until something is so of sessions, as scripts need it.

mod ready;
mod session;
mod text;

use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;

use crate::cli::{Wait, WaitFor};
use crate::commands::target::{self, SessionTarget};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{ContainerName, SessionName, SessionState, exit};
use crate::output::{print, report};

pub use ready::until_ready;

/// As of timeout(1).
const TIMED_OUT: u8 = 124;

/// What has come true of a target.
#[derive(Debug, Serialize)]
pub struct Met {
    project: String,
    container: ContainerName,
    /// `null` where a container itself was waited for.
    session: Option<SessionName>,
    #[serde(rename = "met")]
    what: &'static str,
    /// What the session's command ended with.
    exit_code: Option<i32>,
    state: Option<SessionState>,
    /// The line that matched.
    line: Option<String>,
}

pub async fn run(args: Wait, context: &Context) -> Result<ExitCode> {
    let named: Vec<Option<&str>> =
        if args.targets.is_empty() { vec![None] } else { args.targets.iter().map(|target| Some(target.as_str())).collect() };
    let resolved = named.into_iter().map(|target| target::resolve_session(target, args.session.as_ref(), context));
    let targets = join_all(resolved).await.into_iter().collect::<Result<Vec<_>>>()?;
    match within(args.timeout, wait_for(&targets, &args, context)).await {
        Ok(code) => code,
        Err(late) => Ok(timed_out(&late, context)),
    }
}

/// What a future comes to, unless that takes too long.
pub async fn within<T>(limit: Option<Duration>, wait: impl Future<Output = T>) -> std::result::Result<T, Error> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, wait).await.map_err(|_| Error::WaitedTooLong { limit }),
        None => Ok(wait.await),
    }
}

/// Exit code 124, with what has taken too long.
pub fn timed_out(late: &Error, context: &Context) -> ExitCode {
    report::show(late, context);
    TIMED_OUT.into()
}

async fn wait_for(targets: &[SessionTarget], args: &Wait, context: &Context) -> Result<ExitCode> {
    let one = async |(index, target)| (index, wait_for_one(target, args, context).await);
    let mut waits = pin!(targets.iter().enumerate().map(one).collect::<FuturesUnordered<_>>());
    let mut codes = vec![0; targets.len()];
    while let Some((index, met)) = waits.next().await {
        let met = met?;
        codes[index] = met.exit_code.filter(|_| matches!(args.until, WaitFor::End)).unwrap_or(0);
        met.tell(args.json, targets.len() > 1)?;
        if !args.all {
            return Ok(exit::with(codes[index]));
        }
    }
    Ok(exit::with(codes.into_iter().find(|&code| code != 0).unwrap_or(0)))
}

async fn wait_for_one(target: &SessionTarget, args: &Wait, context: &Context) -> Result<Met> {
    match &args.until {
        WaitFor::Ready => {
            Box::pin(until_ready(target, context)).await?;
            Ok(Met::of(&target.project.container_name(), target.project.as_str(), target.session.clone(), "ready"))
        }
        until => Box::pin(session::until(target, until, args.since, context)).await,
    }
}

impl Met {
    fn of(container: &ContainerName, project: &str, session: Option<SessionName>, what: &'static str) -> Self {
        let (project, container) = (project.to_owned(), container.clone());
        Self { project, container, session, what, exit_code: None, state: None, line: None }
    }

    /// One target was named by who waits, and needs no words.
    fn tell(&self, as_json: bool, is_one_of_several: bool) -> Result<()> {
        if as_json {
            return print::json_line(self);
        }
        if !is_one_of_several {
            return Ok(());
        }
        let session = self.session.as_ref().map(|session| format!(":{session}")).unwrap_or_default();
        let code = self.exit_code.map(|code| format!(" {code}")).unwrap_or_default();
        print::line(format_args!("{}{session} {}{code}", self.container, self.what))
    }
}
