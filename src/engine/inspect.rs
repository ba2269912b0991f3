//! All that people may want to know of a container.

use bollard::models::MountPoint;
use bollard::query_parameters::InspectContainerOptions;
use serde::Serialize;

use super::container::{Container, container_from};
use super::create::NO_NEW_PRIVILEGES;
use super::{Engine, absent_is_none};
use crate::error::Result;
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
    pub async fn inspect(&self, name: &ContainerName) -> Result<Option<Inspected>> {
        let inspected = self.docker.inspect_container(name.as_str(), None::<InspectContainerOptions>);
        let found = absent_is_none(self.look(format!("look at container `{name}`"), inspected).await)?;
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

fn mounted(point: &MountPoint) -> Mounted {
    let name = point.name.clone().filter(|name| !name.is_empty());
    Mounted {
        kind: point.typ.clone().unwrap_or_default(),
        source: name.or_else(|| point.source.clone()).unwrap_or_default(),
        target: point.destination.clone().unwrap_or_default(),
        read_only: point.rw == Some(false),
    }
}
