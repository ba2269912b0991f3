//! Containers that are never started: a way to put files into a volume on any engine.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, ContainerInspectResponse, HostConfig};
use bollard::query_parameters::{CreateContainerOptions, InspectContainerOptions, RemoveContainerOptions, RemoveVolumeOptions};

use super::create::{Mount, engine_mount};
use super::{Engine, absent_is_none, age_of};
use crate::error::Result;

/// A container of this kind lives for half a second. One of this age was left behind by a launch that was killed.
const ABANDONED: Duration = Duration::from_secs(10);

impl Engine {
    /// Creates a container with these labels, and with it the volumes that it mounts, where there is none of that name yet.
    /// Gives its id.
    ///
    /// The name is a lock: a container that has it is an error (409), and makes room for the next try where it was abandoned.
    pub async fn create_filler(
        &self,
        name: &str,
        image: &str,
        mounts: Vec<Mount>,
        labels: HashMap<String, String>,
    ) -> Result<String> {
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            labels: Some(labels),
            // Images may have none, and the engine wants one to be named.
            entrypoint: Some(vec!["never-started".to_owned()]),
            host_config: Some(HostConfig {
                mounts: Some(mounts.into_iter().map(engine_mount).collect()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptions { name: Some(name.to_owned()), ..CreateContainerOptions::default() };
        let created = self.docker.create_container(Some(options), body);
        let created = self.work(format!("create container `{name}`"), created).await;
        if created.as_ref().is_err_and(|error| error.is_status(409)) {
            self.remove_if_abandoned(name).await?;
        }
        created.map(|created| created.id)
    }

    async fn remove_if_abandoned(&self, name: &str) -> Result<()> {
        let holder = absent_is_none(self.inspect_filler(name).await)?;
        match holder.filter(|holder| age_of(holder.created.as_deref()) > ABANDONED).and_then(|holder| holder.id) {
            // By its id: another launch may have been first, and has made its own.
            Some(id) => self.remove_filler(&id, None).await,
            None => Ok(()),
        }
    }

    pub async fn filler_exists(&self, name: &str) -> Result<bool> {
        Ok(absent_is_none(self.inspect_filler(name).await)?.is_some())
    }

    async fn inspect_filler(&self, name: &str) -> Result<ContainerInspectResponse> {
        let inspected = self.docker.inspect_container(name, None::<InspectContainerOptions>);
        self.look(format!("look at container `{name}`"), inspected).await
    }

    /// Removes the container of this name or id, and the volume with it where one is named; either may be gone already.
    pub async fn remove_filler(&self, name: &str, volume: Option<&str>) -> Result<()> {
        let options = RemoveContainerOptions { force: true, ..RemoveContainerOptions::default() };
        let removed = self.work(format!("remove container `{name}`"), self.docker.remove_container(name, Some(options)));
        absent_is_none(removed.await)?;
        if let Some(volume) = volume {
            let removed = self.docker.remove_volume(volume, None::<RemoveVolumeOptions>);
            absent_is_none(self.work(format!("remove volume `{volume}`"), removed).await)?;
        }
        Ok(())
    }
}
