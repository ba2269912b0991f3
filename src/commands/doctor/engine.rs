//! The engine, and the image that a new container would be made of.

use crate::config::{DEFAULT_GPU_IMAGE, DEFAULT_IMAGE};
use crate::context::Context;
use crate::engine::{Cgroups, Features, Users};
use crate::error::{Error, Result};

use super::finding::Finding;
use super::project::Wanted;

const CHECK: &str = "engine";

/// Which one it is, and whether it answers.
pub async fn engine(context: &Context) -> Finding {
    let endpoint = match context.endpoint() {
        Ok(endpoint) => endpoint,
        Err(error) => return Finding::of(CHECK, &error, ""),
    };
    let chosen = endpoint.chosen;
    match features(context).await {
        Ok(features) => told(features, &format!("{features} at `{}` ({chosen})", endpoint.socket.display())),
        Err(error) => {
            let hint = error.hint().unwrap_or_else(|| "`docker version` shows whether it answers".to_owned());
            Finding::problem(CHECK, &format!("{error} ({chosen})"), &hint)
        }
    }
}

/// With what does not work with this engine.
fn told(features: &Features, found: &str) -> Finding {
    let mut lost = Vec::new();
    let Cgroups { memory, cpus, pids } = features.cgroups;
    let limits: Vec<&str> = [("memory", memory), ("cpus", cpus), ("pids", pids)]
        .into_iter()
        .filter(|(_, works)| !works)
        .map(|(name, _)| name)
        .collect();
    if !limits.is_empty() {
        lost.push(format!("limits have no effect: {}", limits.join(", ")));
    }
    let hint = match features.users {
        Users::RootIsPerson => {
            lost.push("you are root in containers, which outside is you".to_owned());
            "rootless podman has you in containers under your own name"
        }
        Users::Remapped => {
            lost.push("files that are made in containers are not yours".to_owned());
            "`userns-remap` in the engine's configuration says so"
        }
        Users::Same | Users::Kept => "systemd delegates cgroups to users where they are version 2",
    };
    if lost.is_empty() {
        Finding::ok(CHECK, found)
    } else {
        Finding::warning(CHECK, &format!("{found}: {}", lost.join("; ")), hint)
    }
}

async fn features(context: &Context) -> Result<&Features> {
    context.engine()?.features().await
}

/// Whether it is there.
pub async fn image(wanted: Wanted, context: &Context) -> Finding {
    const CHECK: &str = "image";
    let Wanted { image: configured, is_built } = wanted;
    let flag = context.variable("WHARF_IMAGE").filter(|name| !name.is_empty());
    let is_built = is_built && flag.is_none();
    let name = flag.unwrap_or(configured);
    let found = match context.engine() {
        Ok(engine) => engine.image(&name).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(Some(image)) if image.is_native() => Finding::ok(CHECK, &format!("`{name}` is there")),
        Ok(Some(image)) => {
            let other = Error::OtherArchitecture { image: name, architecture: image.architecture, log: Vec::new() };
            Finding::of(CHECK, &other, "")
        }
        Ok(None) if is_built => Finding::ok(CHECK, &format!("`{name}` is built by the next `wharf open`")),
        Ok(None) if [DEFAULT_IMAGE, DEFAULT_GPU_IMAGE].contains(&name.as_str()) => {
            Finding::of(CHECK, &Error::NoImage { image: name }, "")
        }
        Ok(None) => {
            let found = format!("there is no image `{name}` on this engine; `wharf open` tries to pull it");
            Finding::warning(CHECK, &found, &format!("`docker pull {name}` shows whether a registry has it"))
        }
        Err(error) => Finding::of(CHECK, &error, "name another in the configuration"),
    }
}
