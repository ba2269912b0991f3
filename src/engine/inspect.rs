//! All that people may want to know of a container.

use bollard::models::{ContainerInspectResponse, MountPoint};
use serde::Serialize;

use super::container::{Container, container_from};
use super::create::NO_NEW_PRIVILEGES;
use super::{Engine, absent_is_none};
use crate::error::{Error, Result};
use crate::model::ContainerName;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    pub container: Container,
    /// In the order of their targets.
    pub mounts: Vec<Mounted>,
    /// The home directory of whom things are run as.
    pub home: String,
    /// Whether setuid programs work in it.
    pub gains_rights: bool,
}

/// What a container sees at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mounted {
    /// `bind` or `volume`
    pub kind: String,
    /// A path of the host's, or a volume's name.
    pub source: String,
    pub target: String,
    pub read_only: bool,
}

impl Engine {
    /// What the engine says of whatever container has this id or name.
    pub(super) async fn inspect_any(&self, id_or_name: &str) -> Result<ContainerInspectResponse> {
        let action = format!("look at container `{id_or_name}`");
        let path = format!("/containers/{id_or_name}/json");
        let answer = self.get(super::LOOK, &action, &path).await?;
        parse(&answer).map_err(|error| {
            let message = format!("its answer does not read as a container: {error}");
            Error::Engine { action, message, status: None }
        })
    }

    pub async fn inspect(&self, name: &ContainerName) -> Result<Option<Inspected>> {
        let found = absent_is_none(self.inspect_any(name.as_str()).await)?;
        Ok(found.map(|found| {
            let mut mounts: Vec<Mounted> = found.mounts.iter().flatten().map(mounted).collect();
            mounts.sort_by(|a, b| a.target.cmp(&b.target));
            let options = found.host_config.as_ref().and_then(|host| host.security_opt.as_ref());
            // Podman writes a value behind it.
            let gains_rights = !options.into_iter().flatten().any(|option| option.starts_with(NO_NEW_PRIVILEGES));
            let environment = found.config.as_ref().and_then(|config| config.env.as_ref());
            let home = environment.into_iter().flatten().find_map(|pair| pair.strip_prefix("HOME=")).unwrap_or("/").to_owned();
            Inspected { container: container_from(name, found), mounts, home, gains_rights }
        }))
    }
}

/// With docker's words for states. Podman has more, for what is on its way from one of these to the next.
fn parse(answer: &[u8]) -> serde_json::Result<ContainerInspectResponse> {
    let mut found: serde_json::Value = serde_json::from_slice(answer)?;
    if let Some(state) = found.pointer_mut("/State/Status") {
        let word = match state.as_str() {
            Some("configured" | "initialized") => Some("created"),
            // Nothing of it runs any more; its network and mounts may still be there.
            Some("stopped") => Some("exited"),
            // It runs until it has done what it was asked to.
            Some("stopping") => Some("running"),
            _ => None,
        };
        if let Some(word) = word {
            *state = word.into();
        }
    }
    serde_json::from_value(found)
}

fn mounted(point: &MountPoint) -> Mounted {
    let name = point.name.clone().filter(|name| !name.is_empty());
    Mounted {
        kind: point.typ.clone().unwrap_or_default(),
        source: name.or_else(|| point.source.clone()).unwrap_or_default(),
        target: point.destination.clone().unwrap_or_default(),
        read_only: point.rw == Some(false),
    }
}
