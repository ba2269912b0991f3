//! What was made of a container since it was created: told, and kept as an image.

use std::collections::HashMap;

use bollard::models::ContainerConfig;
use bollard::query_parameters::CommitContainerOptions;

use super::container::label;
use super::{Engine, absent_is_none};
use crate::error::Result;
use crate::model::ContainerName;

/// Labels that not every container has: an image would hand them on to one that is made of it.
const OPTIONAL: [&str; 5] = [label::NETWORK, label::MASKED, label::ON_EXIT, label::SSH_PORT, label::THROW_AWAY];

impl Engine {
    /// Makes an image of a container as it is now, under a name with a tag. It stands still meanwhile.
    pub async fn commit(&self, container: &ContainerName, image: &str) -> Result<()> {
        let (repo, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
        let options = CommitContainerOptions {
            container: Some(container.to_string()),
            repo: Some(repo.to_owned()),
            tag: Some(tag.to_owned()),
            pause: true,
            ..CommitContainerOptions::default()
        };
        // One that is there and empty is none: see `container_from`.
        let labels: HashMap<String, String> = OPTIONAL.map(|name| (name.to_owned(), String::new())).into();
        let config = ContainerConfig { labels: Some(labels), ..ContainerConfig::default() };
        let committed = self.docker.commit_container(options, config);
        self.work(format!("make an image of container `{container}`"), committed).await.map(drop)
    }

    /// The paths that are not as the image has them: added, changed or removed.
    pub async fn changed_paths(&self, container: &ContainerName) -> Result<Vec<String>> {
        let changes = self.docker.container_changes(container.as_str());
        let changes = absent_is_none(self.look(format!("compare container `{container}` with its image"), changes).await)?;
        Ok(changes.flatten().unwrap_or_default().into_iter().map(|change| change.path).collect())
    }
}
