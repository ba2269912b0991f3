//! Containers beside a project's own, while a new one takes its place. Nobody who lists containers sees them: wharf's are
//! those that have the name that follows from their project.

use std::collections::HashMap;

use bollard::models::ContainerSummary;
use bollard::query_parameters::{ListContainersOptions, RemoveContainerOptions, RenameContainerOptions};

use super::container::{belongs_to, label};
use super::listing::is_of;
use super::{Engine, absent_is_none};
use crate::error::Result;
use crate::model::ContainerName;
use crate::project::Project;

/// A place beside a project's own container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// The one that is to take its place.
    Next,
    /// The one that had its place.
    Aside,
}

impl Beside {
    pub fn name(self, container: &ContainerName) -> String {
        match self {
            Self::Next => format!("{container}-next"),
            Self::Aside => format!("{container}-aside"),
        }
    }
}

impl Engine {
    /// The id of what wharf has put there for the project.
    pub async fn beside(&self, project: &Project, container: &ContainerName, place: Beside) -> Result<Option<String>> {
        let name = place.name(container);
        let found = absent_is_none(self.inspect_any(&name).await)?;
        let is_ours = |labels: &_| belongs_to(labels, project);
        let ours = found.filter(|found| found.config.as_ref().and_then(|config| config.labels.as_ref()).is_some_and(is_ours));
        Ok(ours.and_then(|found| found.id))
    }

    /// Removes what wharf has put there, and keeps its named volumes.
    pub async fn remove_beside(&self, project: &Project, container: &ContainerName, place: Beside) -> Result<()> {
        let Some(id) = self.beside(project, container, place).await? else {
            return Ok(());
        };
        let options = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
        let action = format!("remove container `{}`", place.name(container));
        absent_is_none(self.work(action, self.docker.remove_container(&id, Some(options))).await).map(drop)
    }

    /// What is beside projects' containers, left there by this user or by anybody.
    pub async fn all_beside(&self, of: Option<u32>) -> Result<Vec<(Project, Beside)>> {
        let filters = HashMap::from([("label".to_owned(), vec![label::OURS.to_owned()])]);
        let options = ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
        let listed = self.look("list containers", self.docker.list_containers(Some(options))).await?;
        let beside = |found: ContainerSummary| {
            let labels = found.labels?;
            let project = Project::from_label(labels.get(label::PROJECT)?);
            if !is_of(of, labels.get(label::USER).map(String::as_str)) {
                return None;
            }
            let names = found.names?;
            let has_name = |place: &Beside| {
                let name = place.name(&project.container_name());
                names.iter().any(|given| given.trim_start_matches('/') == name)
            };
            let place = [Beside::Next, Beside::Aside].into_iter().find(has_name)?;
            Some((project, place))
        };
        Ok(listed.into_iter().filter_map(beside).collect())
    }

    pub async fn set_aside(&self, container: &ContainerName) -> Result<()> {
        self.rename(container.as_str(), &Beside::Aside.name(container)).await
    }

    /// Gives the project's container its name.
    pub async fn move_in(&self, container: &ContainerName, from: Beside) -> Result<()> {
        self.rename(&from.name(container), container.as_str()).await
    }

    async fn rename(&self, from: &str, to: &str) -> Result<()> {
        let renamed = self.docker.rename_container(from, RenameContainerOptions { name: to.to_owned() });
        self.work(format!("rename container `{from}` to `{to}`"), renamed).await
    }
}
