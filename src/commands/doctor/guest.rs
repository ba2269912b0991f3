//! The program that goes into containers: whether it is here, and whether a container has this very one.

use crate::commands::sources;
use crate::context::Context;
use crate::engine::{Container, Inspected};
use crate::error::{Error, Result};
use crate::guest::delivery::{Tools, guest_file};
use crate::protocol::TOOLS_DIR;

use super::finding::Finding;

/// Which file it is on this machine.
pub fn here(context: &Context) -> Finding {
    const CHECK: &str = "guest";
    match guest_file(&sources(context)) {
        Ok(path) => Finding::ok(CHECK, &format!("`{}` is what new containers get", path.display())),
        Err(error) => Finding::of(CHECK, &error, "`scripts/build` makes it"),
    }
}

/// Whether a container has what a new one would get. What it has works as well, so this is no warning.
pub async fn inside(container: &Container, context: &Context) -> Finding {
    const CHECK: &str = "tools";
    match is_current(container, context).await {
        Ok(Some(true)) => Finding::ok(CHECK, "the container has this version's"),
        Ok(Some(false)) => {
            let name = &container.name;
            Finding::ok(CHECK, &format!("the container has another version's, and works; `wharf rebuild {name}` replaces them"))
        }
        Ok(None) => Finding::ok(CHECK, "the container has none of wharf's"),
        Err(error) => Finding::of(CHECK, &error, "`wharf inspect` shows what it mounts"),
    }
}

async fn is_current(container: &Container, context: &Context) -> Result<Option<bool>> {
    let gone = || Error::Gone { container: container.name.clone() };
    let Inspected { mounts, .. } = context.engine()?.inspect(&container.name).await?.ok_or_else(gone)?;
    let Some(mounted) = mounts.iter().find(|mounted| mounted.target == TOOLS_DIR) else { return Ok(None) };
    Ok(Some(Tools::gather(&sources(context))?.volume() == mounted.source))
}
