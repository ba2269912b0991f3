//! Networks in which containers reach each other by name.

use std::collections::HashMap;

use bollard::models::{
    ContainerSummary, EndpointSettings, Network, NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest,
    NetworkingConfig,
};
use bollard::query_parameters::{ListContainersOptions, ListNetworksOptions};

use super::container::label;
use super::{Engine, absent_is_none};
use crate::error::{Error, Result};
use crate::model::ContainerName;

/// The network that a container is in, and what the others there may call it beside its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// As it is configured.
    pub network: String,
    pub aliases: Vec<String>,
}

impl Membership {
    /// The engine's name for it: an own space of names, in which nothing is `host`.
    pub fn engine_name(&self) -> String {
        engine_name(&self.network)
    }

    pub(super) fn config(&self) -> NetworkingConfig {
        let settings = EndpointSettings { aliases: Some(self.aliases.clone()), ..EndpointSettings::default() };
        NetworkingConfig { endpoints_config: Some(HashMap::from([(self.engine_name(), settings)])) }
    }
}

fn engine_name(network: &str) -> String {
    format!("wharf-{network}")
}

impl Engine {
    /// Makes sure that there is a network of this name that is wharf's. An error where one is that is not.
    ///
    /// The engine takes a second one of the same name from who comes at the same moment, and then connects nobody by that
    /// name; so whoever has made the later one removes it.
    pub async fn ensure_network(&self, network: &str) -> Result<()> {
        let name = engine_name(network);
        if self.has_network(network).await? {
            return Ok(());
        }
        let labels =
            HashMap::from([(label::WHARF.to_owned(), "true".to_owned()), (label::NETWORK.to_owned(), network.to_owned())]);
        let request = NetworkCreateRequest { name: name.clone(), labels: Some(labels), ..NetworkCreateRequest::default() };
        let action = format!("create network `{name}`");
        let made = self.work(action, self.docker.create_network(request)).await?.id;
        let oldest = self.networks_called(&name).await?.into_iter().min_by_key(age);
        if oldest.is_some_and(|oldest| oldest.id.as_deref() != Some(&made)) {
            self.remove_network_by_id(&name, &made).await?;
        }
        Ok(())
    }

    /// Puts a container that does not run into its network again, where that is not the one any more that it was in: the
    /// engine goes by the network's id, and would not start it.
    pub async fn rejoin_network(&self, container: &ContainerName, network: &str) -> Result<()> {
        let name = engine_name(network);
        let found = self.inspect_any(container.as_str()).await?;
        let networks = found.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let was_in = networks.get(&name).cloned().unwrap_or_default();
        let now = self.networks_called(&name).await?.into_iter().find_map(|found| found.id);
        if was_in.network_id.as_ref().is_none_or(|id| id.is_empty() || Some(id) == now.as_ref()) {
            return Ok(());
        }
        let container = container.to_string();
        let request = NetworkDisconnectRequest { container: container.clone(), force: Some(true) };
        let left = self.work(format!("take container `{container}` out of network `{name}`"), async {
            self.docker.disconnect_network(&name, request).await
        });
        absent_is_none(left.await)?;
        let settings = EndpointSettings { aliases: was_in.aliases, ..EndpointSettings::default() };
        let action = format!("put container `{container}` into network `{name}`");
        let request = NetworkConnectRequest { container, endpoint_config: Some(settings) };
        self.work(action, self.docker.connect_network(&name, request)).await
    }

    async fn has_network(&self, network: &str) -> Result<bool> {
        let name = engine_name(network);
        let found = self.networks_called(&name).await?;
        if found.iter().all(|found| is_ours(found, network)) {
            Ok(!found.is_empty())
        } else {
            Err(Error::ForeignNetwork { name })
        }
    }

    async fn networks_called(&self, name: &str) -> Result<Vec<Network>> {
        // The engine's own filter takes parts of names, too.
        let found = self.networks(HashMap::from([("name".to_owned(), vec![name.to_owned()])])).await?;
        Ok(found.into_iter().filter(|found| found.name.as_deref() == Some(name)).collect())
    }

    /// The networks that wharf has made and no container is in but these, by their configured names. One that is stopped
    /// is in it as well.
    pub async fn unused_networks(&self, except: &[String]) -> Result<Vec<String>> {
        let labels = vec![label::OURS.to_owned(), label::NETWORK.to_owned()];
        let found = self.networks(HashMap::from([("label".to_owned(), labels)])).await?;
        let mut unused = Vec::new();
        for network in found {
            let configured = network.labels.as_ref().and_then(|labels| labels.get(label::NETWORK)).cloned();
            let Some(configured) = configured.filter(|configured| is_ours(&network, configured)) else { continue };
            if network.name == Some(engine_name(&configured)) && !self.is_network_used(&configured, except).await? {
                unused.push(configured);
            }
        }
        unused.sort();
        Ok(unused)
    }

    async fn is_network_used(&self, network: &str, except: &[String]) -> Result<bool> {
        let filters = HashMap::from([("network".to_owned(), vec![engine_name(network)])]);
        let options = ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
        let listed = self.look("list containers", self.docker.list_containers(Some(options))).await?;
        let is_excepted = |found: &ContainerSummary| {
            let mut names = found.names.iter().flatten().map(|name| name.trim_start_matches('/'));
            names.any(|name| except.iter().any(|excepted| excepted == name))
        };
        Ok(listed.iter().any(|found| !is_excepted(found)))
    }

    /// Removes a network that is wharf's and that no container is in; whether it is gone by this.
    pub async fn remove_unused_network(&self, network: &str) -> Result<bool> {
        if !self.has_network(network).await? || self.is_network_used(network, &[]).await? {
            return Ok(false);
        }
        let name = engine_name(network);
        match self.remove_network_by_id(&name, &name).await {
            // Somebody has put a container into it meanwhile.
            Err(error) if error.is_status(403) || error.is_status(409) => Ok(false),
            removed => removed.map(|()| true),
        }
    }

    async fn remove_network_by_id(&self, name: &str, id: &str) -> Result<()> {
        let removed = self.work(format!("remove network `{name}`"), self.docker.remove_network(id)).await;
        absent_is_none(removed).map(drop)
    }

    async fn networks(&self, filters: HashMap<String, Vec<String>>) -> Result<Vec<Network>> {
        let options = ListNetworksOptions { filters: Some(filters) };
        self.look("list networks", self.docker.list_networks(Some(options))).await
    }
}

/// When it was made; the engine says it to the nanosecond. Two of one moment differ by their ids.
fn age(found: &Network) -> (Option<jiff::Timestamp>, Option<String>) {
    (found.created.as_deref().and_then(|created| created.parse().ok()), found.id.clone())
}

fn is_ours(found: &Network, network: &str) -> bool {
    let is = |name, value: &str| found.labels.as_ref().and_then(|labels| labels.get(name)).map(String::as_str) == Some(value);
    is(label::WHARF, "true") && is(label::NETWORK, network)
}
