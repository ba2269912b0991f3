//! Containers that are never started: a way to put files into a volume on any engine.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, ContainerInspectResponse, HostConfig};
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptions};

use super::container::label;
use super::mount::Mount;
use super::{Engine, absent_is_none, age_of};
use crate::error::{Error, Result};

/// A container of this kind lives for half a second. One of this age was left behind by a launch that was killed.
const ABANDONED: Duration = Duration::from_secs(10);

impl Engine {
    /// Creates a container with these labels, and with it the volumes that it mounts, where there is none of that name yet.
    /// Gives its id.
    ///
    /// The name is a lock: a container that has it is an error (409).
    pub async fn create_filler(
        &self,
        name: &str,
        image: &str,
        mounts: Vec<Mount>,
        labels: HashMap<String, String>,
        user_namespace: Option<String>,
    ) -> Result<String> {
        let mounted = self.mounted(mounts, self.features().await?).await?;
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            labels: Some(labels),
            // Images may have none, and the engine wants one to be named.
            entrypoint: Some(vec!["never-started".to_owned()]),
            host_config: Some(HostConfig {
                userns_mode: user_namespace,
                binds: Some(mounted.binds),
                mounts: Some(mounted.mounts),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptions { name: Some(name.to_owned()), ..CreateContainerOptions::default() };
        let created = self.docker.create_container(Some(options), body);
        self.work(format!("create container `{name}`"), created).await.map(|created| created.id)
    }

    /// The id of a container of that name which a launch that was killed has left. By it, what another launch makes of that name
    /// meanwhile is safe.
    pub async fn abandoned_filler(&self, name: &str) -> Result<Option<String>> {
        let Some(holder) = absent_is_none(self.inspect_any(name).await)? else {
            return Ok(None);
        };
        if !is_filler(&holder) {
            return Err(Error::NameTaken { container: name.to_owned() });
        }
        Ok(holder.id.filter(|_| age_of(holder.created.as_deref()) > ABANDONED))
    }

    pub async fn filler_exists(&self, name: &str) -> Result<bool> {
        Ok(absent_is_none(self.inspect_any(name).await)?.is_some())
    }

    /// Removes a container that has never run; one that is gone already is fine.
    pub async fn remove_filler(&self, id: &str) -> Result<()> {
        // With the anonymous volumes that its image asks for.
        let options = RemoveContainerOptions { v: true, ..RemoveContainerOptions::default() };
        let removed = self.docker.remove_container(id, Some(options));
        absent_is_none(self.work(format!("remove container `{id}`"), removed).await).map(drop)
    }
}

/// Whether wharf made a container for this, which the name does not prove: it has our label, and never ran. Its state does not
/// say that: one that another launch is removing is `dead` for a moment.
fn is_filler(container: &ContainerInspectResponse) -> bool {
    let labels = container.config.as_ref().and_then(|config| config.labels.as_ref());
    let started_at = container.state.as_ref().and_then(|state| state.started_at.as_deref());
    // The engine's way to say never.
    let has_run = started_at.is_some_and(|at| !at.starts_with("0001-"));
    labels.and_then(|labels| labels.get(label::WHARF)).is_some_and(|value| value == "true") && !has_run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filler_has_our_label_and_never_ran() {
        let never = "0001-01-01T00:00:00Z";
        for (label, state, started_at, expected) in [
            ("true", "created", never, true),
            // While another launch removes it.
            ("true", "removing", never, true),
            ("true", "dead", never, true),
            ("false", "created", never, false),
            ("true", "running", "2026-01-02T03:04:05Z", false),
            ("true", "exited", "2026-01-02T03:04:05Z", false),
        ] {
            let inspected = serde_json::json!({
                "Config": { "Labels": { "wharf": label } }, "State": { "Status": state, "StartedAt": started_at },
            });
            assert_eq!(is_filler(&serde_json::from_value(inspected).unwrap()), expected, "{label} {state}");
        }
    }
}
