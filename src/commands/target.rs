//! Which project a person means.

use std::env;
use std::io;
use std::path::{Path, PathBuf, absolute};

use futures_util::future::join_all;

use crate::context::Context;
use crate::deadline::{self, DISK};
use crate::engine::{Listed, label};
use crate::error::{Error, Result};
use crate::model::{ContainerName, SessionName};
use crate::nearest::nearest;
use crate::project::{self, Asked, Project, find_root};
use crate::quote;

/// A target is a directory, a container's name, a project's short name or `parent/base`; a directory wins over a name.
/// Without a target it is the project at hand. Only names ask the engine.
///
/// A path whose directory no longer exists is a target as well: its container may still be there.
pub async fn resolve(target: Option<&str>, context: &Context) -> Result<Project> {
    let Some(target) = target else {
        return at_hand(context);
    };
    let path = Path::new(target);
    let found = look_at(path, context, Asked::ByName)?;
    let is_path = is_written_as_path(target);
    let is_file = matches!(found, Ok(Err(Error::NotADirectory { .. })));
    match found {
        Ok(found) if is_path || !is_file => return found,
        Err(_) if is_path => return of_missing(path, context).await,
        _ => {}
    }
    let named = match target.parse::<ContainerName>() {
        Ok(name) => by_container(&name, context).await,
        Err(()) => by_name(target, context).await,
    };
    match named {
        // A program can be called like the project that it was built in, and is none of the projects.
        Err(Error::UnknownTarget { .. }) if is_file => Err(Error::NotADirectory { path: path.to_owned() }),
        named => named,
    }
}

/// A project and a session of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTarget {
    pub project: Project,
    /// `None` where none was named.
    pub session: Option<SessionName>,
}

impl SessionTarget {
    /// The session that is meant where none is named.
    pub fn session(&self) -> SessionName {
        self.session.clone().unwrap_or_default()
    }
}

/// A target that may name a session, as in `api:claude` or `:claude`; `session` is what an option says.
pub async fn resolve_session(target: Option<&str>, session: Option<&SessionName>, context: &Context) -> Result<SessionTarget> {
    let (target, named) = split(target, session)?;
    Ok(SessionTarget { project: resolve(target, context).await?, session: named })
}

/// The same, of a project whose directory has to exist.
pub async fn resolve_existing_session(
    target: Option<&str>,
    session: Option<&SessionName>,
    context: &Context,
) -> Result<SessionTarget> {
    let (target, named) = split(target, session)?;
    Ok(SessionTarget { project: resolve_existing(target, context).await?, session: named })
}

/// What exists under the whole name is meant by it: a directory can have a colon in its name.
pub fn split<'a>(target: Option<&'a str>, session: Option<&SessionName>) -> Result<(Option<&'a str>, Option<SessionName>)> {
    let whole = (target, session.cloned());
    let Some((text, (before, after))) = target.and_then(|text| Some((text, text.rsplit_once(':')?))) else {
        return Ok(whole);
    };
    let path = PathBuf::from(text);
    let Some(named) =
        after.parse::<SessionName>().ok().filter(|_| !deadline::block_within(DISK, move || path.exists()).unwrap_or(false))
    else {
        return Ok(whole);
    };
    match session {
        Some(session) if *session != named => Err(Error::TwoSessions { target: text.to_owned(), session: session.clone() }),
        _ => Ok((Some(before).filter(|before| !before.is_empty()), Some(named))),
    }
}

/// The project of a directory that is not there: of the path as it is given where that has a container, else of where it
/// leads, as far as it leads somewhere.
async fn of_missing(path: &Path, context: &Context) -> Result<Project> {
    let given = absolute(path).map_err(|source| Error::io(format!("make `{}` absolute", path.display()), source))?;
    let as_given = Project::at(&given)?;
    let leads_to = deadline::block_within(DISK, move || beyond_what_exists(&given)).unwrap_or_else(|| as_given.path_buf());
    if leads_to == as_given.path() || context.engine()?.container(&as_given.container_name()).await?.is_some() {
        return Ok(as_given);
    }
    Project::at(&leads_to)
}

/// The canonical path of the nearest ancestor that exists, and what is beyond it as it is written.
fn beyond_what_exists(path: &Path) -> PathBuf {
    let canonical = |ancestor: &Path| {
        let rest = path.strip_prefix(ancestor).ok()?;
        Some(project::normal(&ancestor.canonicalize().ok()?.join(rest)))
    };
    path.ancestors().find_map(canonical).unwrap_or_else(|| path.to_owned())
}

/// A target whose directory has to exist, because a container is to be made for it.
pub async fn resolve_existing(target: Option<&str>, context: &Context) -> Result<Project> {
    let project = resolve(target, context).await?;
    if is_orphaned(&project) { Err(Error::NoSuchDirectory { path: project.path_buf() }) } else { Ok(project) }
}

/// Whether a project's directory is gone. A disk that does not answer has not said so.
pub fn is_orphaned(project: &Project) -> bool {
    let project = project.clone();
    deadline::block_within(DISK, move || project.is_orphaned()).unwrap_or(false)
}

fn is_written_as_path(target: &str) -> bool {
    target.starts_with('/') || target == "." || target == ".." || target.starts_with("./") || target.starts_with("../")
}

/// The project of the pane that a key was pressed in, else of the working directory.
pub fn at_hand(context: &Context) -> Result<Project> {
    if let (Some(tmux), Some(pane), Some(_)) = (&context.tmux, &context.pane, &context.client) {
        let place = tmux.place(pane)?;
        return match place.project {
            Some(project) => Ok(project),
            None => project_of(&place.directory, context, Asked::Implied),
        };
    }
    let directory = env::current_dir().map_err(|source| Error::io("find the working directory", source))?;
    project_of(&directory, context, Asked::Implied)
}

fn project_of(directory: &Path, context: &Context, asked: Asked) -> Result<Project> {
    look_at(directory, context, asked)?.unwrap_or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Err(Error::NoSuchDirectory { path: directory.to_owned() }),
        _ => Err(Error::io(format!("look at `{}`", directory.display()), error)),
    })
}

/// The project of what is at a path, as far as that can be looked at, unless its disk hangs.
fn look_at(path: &Path, context: &Context, asked: Asked) -> Result<io::Result<Result<Project>>> {
    let (at, home) = (path.to_owned(), context.home.clone());
    let look = move || {
        if !at.metadata()?.is_dir() {
            return Ok(Err(Error::NotADirectory { path: at }));
        }
        let canonical = at.canonicalize()?;
        Ok(match find_root(&canonical, home.as_deref(), asked) {
            Some(root) => Project::at(&root),
            None => Err(Error::TooWide { path: canonical }),
        })
    };
    let silent = || Error::io(format!("look at `{}`", path.display()), io::Error::other("its disk does not answer"));
    deadline::block_within(DISK, look).ok_or_else(silent)
}

/// What names of hosts that stand for containers end with.
pub const HOST_SUFFIX: &str = ".wharf";

/// The project that a name of a host means: its own name, `base.parent`, or its container's name. Never a directory.
pub async fn by_host_name(host: &str, context: &Context) -> Result<Project> {
    let name = host.to_ascii_lowercase();
    let name = name.strip_suffix(HOST_SUFFIX).unwrap_or(&name);
    let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if !is_plain || name.is_empty() {
        return Err(Error::UnknownTarget { target: quote::printable(host), nearest: None });
    }
    if let Ok(name) = name.parse::<ContainerName>() {
        return by_container(&name, context).await;
    }
    let containers = context.engine()?.containers().await?;
    let mut found = called(&containers, context, |project| project.is_host(name));
    match found.len() {
        0 => Err(unknown(name, &containers)),
        1 => Ok(found.remove(0)),
        _ => {
            found.sort();
            let candidates = found.iter().map(|project| format!("{}{HOST_SUFFIX} ({project})", project.container_name()));
            Err(Error::AmbiguousHost { host: host.to_owned(), candidates: candidates.collect() })
        }
    }
}

async fn by_container(name: &ContainerName, context: &Context) -> Result<Project> {
    // A container that runs can say it without the engine; the name proves it.
    if let Some(connection) = context.relays().knock(name).await
        && let Some(project) = connection.claimed_project().map(Project::from_label)
        && project.container_name() == *name
    {
        return Ok(project);
    }
    let unknown = || Error::UnknownTarget { target: name.to_string(), nearest: None };
    let container = context.engine()?.container(name).await?.ok_or_else(unknown)?;
    let path = container.labels.get(label::PROJECT).cloned().unwrap_or_default();
    let project = Project::from_label(&path);
    if project.container_name() == *name && container.belongs_to(&project) {
        Ok(project)
    } else {
        Err(Error::NotOurs { container: name.clone() })
    }
}

async fn by_name(target: &str, context: &Context) -> Result<Project> {
    let containers = context.engine()?.containers().await?;
    let mut found = called(&containers, context, |project| project.is_called(target));
    match found.len() {
        0 => Err(unknown(target, &containers)),
        1 => Ok(found.remove(0)),
        _ => {
            found.sort();
            let candidates = found.iter().map(Project::to_string).collect();
            Err(Error::AmbiguousTarget { target: target.to_owned(), candidates })
        }
    }
}

/// The projects that a name means: one's own where it means any of these, else those of others on the same engine.
fn called(containers: &[Listed], context: &Context, is_called: impl Fn(&Project) -> bool) -> Vec<Project> {
    let (own, others): (Vec<&Listed>, Vec<&Listed>) =
        containers.iter().filter(|listed| is_called(&listed.project)).partition(|listed| listed.is_of(context.user.uid));
    let found = if own.is_empty() { others } else { own };
    found.into_iter().map(|listed| listed.project.clone()).collect()
}

fn unknown(target: &str, containers: &[Listed]) -> Error {
    let nearest = nearest(target, containers.iter().map(|listed| listed.project.short_name())).map(str::to_owned);
    Error::UnknownTarget { target: target.to_owned(), nearest }
}

/// The projects that several targets mean, each with what is wrong with it; without any, the one at hand.
pub async fn resolve_each(targets: &[String], context: &Context) -> Vec<Result<Project>> {
    if targets.is_empty() {
        return vec![resolve_existing(None, context).await];
    }
    join_all(targets.iter().map(|target| resolve_existing(Some(target), context))).await
}
