//! Volumes: data that outlives a container.

use std::collections::HashMap;

use bollard::models::VolumeCreateRequest;
use bollard::query_parameters::{ListVolumesOptions, RemoveVolumeOptions};

use super::container::label;
use super::{Engine, absent_is_none};
use crate::error::Result;
use crate::project::{ContainerName, Project};

impl Engine {
    pub async fn volume_exists(&self, name: &str) -> Result<bool> {
        let inspected = self.look(format!("look at volume `{name}`"), self.docker.inspect_volume(name)).await;
        Ok(absent_is_none(inspected)?.is_some())
    }

    /// Creates a volume; one of that name that exists is left as it is.
    pub async fn create_volume(&self, name: &str, labels: HashMap<String, String>) -> Result<()> {
        let request = VolumeCreateRequest { name: Some(name.to_owned()), labels: Some(labels), ..VolumeCreateRequest::default() };
        self.work(format!("create volume `{name}`"), self.docker.create_volume(request)).await.map(drop)
    }

    /// The volumes that wharf made for a project.
    pub async fn volumes_of(&self, project: &Project) -> Result<Vec<String>> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{}=true", label::WHARF)])]);
        let options = ListVolumesOptions { filters: Some(filters) };
        let listed = self.look("list volumes", self.docker.list_volumes(Some(options))).await?;
        let is_of_project =
            |labels: &HashMap<String, String>| labels.get(label::PROJECT).map(String::as_str) == Some(project.as_str());
        let volumes = listed.volumes.unwrap_or_default();
        Ok(volumes.into_iter().filter(|volume| is_of_project(&volume.labels)).map(|volume| volume.name).collect())
    }

    /// Removes a volume; one that does not exist is fine.
    pub async fn remove_volume(&self, container: &ContainerName, name: &str) -> Result<()> {
        let action = format!("remove volume `{name}` of `{container}`");
        let removed = self.work(action, self.docker.remove_volume(name, None::<RemoveVolumeOptions>)).await;
        absent_is_none(removed).map(drop)
    }
}
