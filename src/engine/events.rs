//! What happens to containers, told by the engine as it happens.

use std::collections::HashMap;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptions;
use futures_util::{Stream, StreamExt};

use super::{Engine, label, one_line};
use crate::error::{Error, Result};
use crate::model::ContainerName;

/// What may change how a container stands. `exec_*` comes with every program that somebody runs in one.
const ACTIONS: [&str; 10] = ["create", "start", "die", "oom", "stop", "pause", "unpause", "destroy", "health_status", "rename"];

impl Engine {
    /// The containers with wharf's label to which something happens from `since` on, in seconds since the epoch: one that
    /// is renamed, under both names. The stream ends with the engine; nothing comes as long as nothing happens.
    pub fn events(&self, since: i64) -> impl Stream<Item = Result<Vec<ContainerName>>> + Unpin + use<> {
        let filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            ("label".to_owned(), vec![label::OURS.to_owned()]),
            ("event".to_owned(), ACTIONS.map(str::to_owned).to_vec()),
        ]);
        let options = EventsOptions { since: Some(since.to_string()), until: None, filters: Some(filters) };
        let docker = self.docker.clone();
        Box::pin(docker.events(Some(options)).map(|event| match event {
            Ok(event) => Ok(names(event)),
            Err(error) => Err(Error::Engine {
                action: "follow what happens to containers".to_owned(),
                message: one_line(&error.to_string()),
                status: None,
            }),
        }))
    }
}

fn names(event: EventMessage) -> Vec<ContainerName> {
    let attributes = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
    // The engine writes a former name as it keeps it, with a slash.
    let names = ["name", "oldName"].into_iter().filter_map(|attribute| attributes.get(attribute));
    names.filter_map(|name| name.trim_start_matches('/').parse().ok()).collect()
}
