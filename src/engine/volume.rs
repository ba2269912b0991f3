//! Volumes: data that outlives a container.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bollard::models::{ContainerSummary, Volume, VolumeCreateRequest};
use bollard::query_parameters::{ListContainersOptions, ListVolumesOptions, RemoveVolumeOptions};

use super::container::label;
use super::listing::is_of;
use super::{Engine, absent_is_none, age_of};
use crate::error::Result;
use crate::model::ContainerName;
use crate::project::Project;

impl Engine {
    pub async fn volume_exists(&self, name: &str) -> Result<bool> {
        let inspected = self.look(format!("look at volume `{name}`"), self.docker.inspect_volume(name)).await;
        Ok(absent_is_none(inspected)?.is_some())
    }

    /// How long ago a volume was made, by the engine's clock and this machine's; `None` where there is none.
    pub async fn volume_age(&self, name: &str) -> Result<Option<Duration>> {
        let inspected = self.look(format!("look at volume `{name}`"), self.docker.inspect_volume(name)).await;
        let Some(volume) = absent_is_none(inspected)? else {
            return Ok(None);
        };
        Ok(Some(age_of(volume.created_at.as_deref())))
    }

    /// The volumes that were made together with the container that mounts them, and not before it.
    pub async fn new_volumes(&self, container: &str) -> Result<Vec<String>> {
        let found = self.inspect_any(container).await?;
        let made_at = found.config.and_then(|config| config.labels?.remove(label::CREATED_AT));
        let mut new = Vec::new();
        for name in found.mounts.into_iter().flatten().filter_map(|mount| mount.name) {
            let inspected = self.look(format!("look at volume `{name}`"), self.docker.inspect_volume(&name)).await?;
            // In this form, times are in the order of their texts.
            let is_new = inspected.labels.get(label::CREATED_AT).is_some_and(|at| Some(at) >= made_at.as_ref());
            new.extend(is_new.then_some(name));
        }
        Ok(new)
    }

    /// Creates a volume; one of that name that exists is left as it is.
    pub async fn create_volume(&self, name: &str, labels: HashMap<String, String>) -> Result<()> {
        let request = VolumeCreateRequest { name: Some(name.to_owned()), labels: Some(labels), ..VolumeCreateRequest::default() };
        self.work(format!("create volume `{name}`"), self.docker.create_volume(request)).await.map(drop)
    }

    /// Removes a volume of wharf's tools, or a cache; one that does not exist is fine.
    pub async fn remove_unused(&self, name: &str) -> Result<()> {
        let removed = self.docker.remove_volume(name, None::<RemoveVolumeOptions>);
        absent_is_none(self.work(format!("remove volume `{name}`"), removed).await).map(drop)
    }

    /// The volumes of wharf's tools that no container mounts but these.
    pub async fn unused_tools(&self, except: &[String]) -> Result<Vec<String>> {
        self.unused(vec![label::OURS.to_owned(), label::TOOLS.to_owned()], None, except).await
    }

    /// The caches of this user or of anybody that no container mounts but these.
    pub async fn unused_caches(&self, of: Option<u32>, except: &[String]) -> Result<Vec<String>> {
        self.unused(vec![label::OURS.to_owned(), label::CACHE.to_owned()], of, except).await
    }

    /// The volumes with these labels that no container mounts but these.
    async fn unused(&self, labels: Vec<String>, of: Option<u32>, except: &[String]) -> Result<Vec<String>> {
        let volumes = self.volumes(labels, of).await?;
        let options = ListContainersOptions { all: true, ..ListContainersOptions::default() };
        let containers = self.look("list containers", self.docker.list_containers(Some(options))).await?;
        let is_excepted = |found: &ContainerSummary| {
            let mut names = found.names.iter().flatten().map(|name| name.trim_start_matches('/'));
            names.any(|name| except.iter().any(|excepted| excepted == name))
        };
        let left = containers.into_iter().filter(|found| !is_excepted(found));
        let used: HashSet<String> =
            left.flat_map(|found| found.mounts.unwrap_or_default()).filter_map(|mount| mount.name).collect();
        Ok(volumes.into_iter().map(|volume| volume.name).filter(|name| !used.contains(name)).collect())
    }

    /// The volumes that wharf made for projects of this user or of anybody, and how long ago, by name.
    pub async fn projects_volumes(&self, of: Option<u32>) -> Result<Vec<(String, Project, Duration)>> {
        let volumes = self.volumes(vec![label::OURS.to_owned(), label::PROJECT.to_owned()], of).await?;
        let of_project = |volume: Volume| {
            let project = Project::from_label(volume.labels.get(label::PROJECT)?);
            Some((volume.name, project, age_of(volume.created_at.as_deref())))
        };
        Ok(volumes.into_iter().filter_map(of_project).collect())
    }

    /// The volumes that wharf made for a project.
    pub async fn volumes_of(&self, project: &Project) -> Result<Vec<String>> {
        let volumes = self.projects_volumes(None).await?;
        Ok(volumes.into_iter().filter(|(_, of, _)| of == project).map(|(name, ..)| name).collect())
    }

    /// Of this user or of anybody, by name.
    async fn volumes(&self, labels: Vec<String>, of: Option<u32>) -> Result<Vec<Volume>> {
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let options = ListVolumesOptions { filters: Some(filters) };
        let listed = self.look("list volumes", self.docker.list_volumes(Some(options))).await?;
        let mut volumes = listed.volumes.unwrap_or_default();
        volumes.retain(|volume| is_of(of, volume.labels.get(label::USER).map(String::as_str)));
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(volumes)
    }

    /// Removes a volume; one that does not exist is fine.
    pub async fn remove_volume(&self, container: &ContainerName, name: &str) -> Result<()> {
        let action = format!("remove volume `{name}` of `{container}`");
        let removed = self.work(action, self.docker.remove_volume(name, None::<RemoveVolumeOptions>)).await;
        absent_is_none(removed).map(drop)
    }
}
