//! Which engine: what the environment says, in the order that docker's own client asks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::remote::Remote;
use crate::digest::sha256_hex;
use crate::error::{Error, Result};

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// What decides on the engine, read once from the environment.
#[derive(Debug, Default)]
pub struct EngineSettings {
    pub docker_host: Option<String>,
    pub docker_context: Option<String>,
    /// `DOCKER_CONFIG`, or `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`, where rootless podman has its socket.
    pub runtime_dir: Option<PathBuf>,
}

impl EngineSettings {
    /// The sockets of engines that these lead to: who reaches one of them is as good as root.
    pub fn sockets(&self) -> Vec<PathBuf> {
        let podman = self.runtime_dir.as_ref().map(|dir| dir.join("podman/podman.sock"));
        Endpoint::find(self)
            .ok()
            .filter(|endpoint| endpoint.remote.is_none())
            .map(|endpoint| endpoint.socket)
            .into_iter()
            .chain(podman)
            .collect()
    }
}

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A path, or the URL of another machine.
    pub socket: PathBuf,
    /// What that URL says, where it is one.
    pub remote: Option<Remote>,
    /// What has led there, for people.
    pub chosen: &'static str,
}

impl Endpoint {
    /// `DOCKER_HOST`, `DOCKER_CONTEXT`, the current Docker context, the default socket, podman's socket.
    pub fn find(settings: &EngineSettings) -> Result<Self> {
        if let Some(host) = settings.docker_host.as_deref().filter(|host| !host.is_empty()) {
            return Self::parse(host, "by DOCKER_HOST");
        }
        if let Some(host) = settings.context_host()? {
            return Self::parse(&host, "by the Docker context");
        }
        let podman = settings.runtime_dir.as_ref().map(|dir| dir.join("podman/podman.sock"));
        let default = PathBuf::from(DEFAULT_SOCKET);
        match podman.filter(|path| !default.exists() && path.exists()) {
            Some(socket) => Ok(Self { socket, remote: None, chosen: "podman's" }),
            None => Ok(Self { socket: default, remote: None, chosen: "the default" }),
        }
    }

    /// `said` is what was said on the way to another machine.
    pub(super) fn unreachable(&self, source: io::Error, said: Option<String>) -> Error {
        let socket = self.socket.clone();
        if self.remote.is_some() {
            let said = said.filter(|said| !said.is_empty());
            return Error::EngineAway {
                address: socket.display().to_string(),
                message: said.unwrap_or_else(|| source.to_string()),
            };
        }
        match source.kind() {
            io::ErrorKind::PermissionDenied => Error::EngineForbidden { socket },
            _ => Error::EngineUnreachable { socket, source },
        }
    }

    fn parse(address: &str, chosen: &'static str) -> Result<Self> {
        match address.strip_prefix("unix://") {
            Some(socket) if socket.starts_with('/') => Ok(Self { socket: socket.into(), remote: None, chosen }),
            _ => match Remote::parse(address) {
                Some(remote) => Ok(Self { socket: address.into(), remote: Some(remote), chosen }),
                None => Err(Error::EngineAddress { address: address.to_owned() }),
            },
        }
    }
}

impl EngineSettings {
    fn context_host(&self) -> Result<Option<String>> {
        let Some(config) = &self.docker_config else {
            return Ok(None);
        };
        let named = self.docker_context.clone().filter(|name| !name.is_empty());
        let Some(context) = named.or_else(|| current_context(config)).filter(|name| name != "default") else {
            return Ok(None);
        };
        // A context's directory is the SHA-256 of its name (docker/cli, cli/context/store).
        let meta = config.join("contexts/meta").join(sha256_hex(&context)).join("meta.json");
        let host = fs::read(meta).ok().and_then(|text| serde_json::from_slice::<ContextMeta>(&text).ok());
        match host {
            Some(meta) => Ok(Some(meta.endpoints.docker.host)),
            None => Err(Error::NoSuchContext { context }),
        }
    }
}

fn current_context(config: &Path) -> Option<String> {
    let text = fs::read(config.join("config.json")).ok()?;
    serde_json::from_slice::<ConfigJson>(&text).ok()?.current_context.filter(|name| !name.is_empty())
}

#[derive(Deserialize)]
struct ConfigJson {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

#[derive(Deserialize)]
struct ContextMeta {
    #[serde(rename = "Endpoints")]
    endpoints: ContextEndpoints,
}

#[derive(Deserialize)]
struct ContextEndpoints {
    docker: ContextEndpoint,
}

#[derive(Deserialize)]
struct ContextEndpoint {
    #[serde(rename = "Host")]
    host: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings_with_context(host: &str) -> (tempfile::TempDir, EngineSettings) {
        let dir = tempfile::tempdir().unwrap();
        // printf %s lab | sha256sum
        let meta = dir.path().join("contexts/meta/a51146d38077ff992eba84cf1d5e9b249073503eb74868699016153b031a38f7");
        fs::create_dir_all(&meta).unwrap();
        fs::write(meta.join("meta.json"), format!(r#"{{"Name":"lab","Endpoints":{{"docker":{{"Host":"{host}"}}}}}}"#)).unwrap();
        fs::write(dir.path().join("config.json"), r#"{"currentContext":"lab"}"#).unwrap();
        let settings = EngineSettings { docker_config: Some(dir.path().to_owned()), ..EngineSettings::default() };
        (dir, settings)
    }

    #[test]
    fn docker_host_wins_over_the_context() {
        let (_dir, mut settings) = settings_with_context("unix:///lab.sock");
        assert_eq!(Endpoint::find(&settings).unwrap().socket, Path::new("/lab.sock"));
        settings.docker_host = Some("unix:///host.sock".to_owned());
        assert_eq!(Endpoint::find(&settings).unwrap().socket, Path::new("/host.sock"));
    }

    #[test]
    fn an_unknown_context_is_an_error_and_default_is_none() {
        let (_dir, mut settings) = settings_with_context("unix:///lab.sock");
        settings.docker_context = Some("gone".to_owned());
        assert_eq!(Endpoint::find(&settings).unwrap_err().to_string(), "there is no Docker context `gone`");
        settings.docker_context = Some("default".to_owned());
        assert_eq!(Endpoint::find(&settings).unwrap().socket, Path::new(DEFAULT_SOCKET));
    }

    #[test]
    fn other_addresses_are_refused() {
        for address in ["tcp://127.0.0.1", "ssh://-host", "fd://", "unix://relative", "nonsense"] {
            let settings = EngineSettings { docker_host: Some(address.to_owned()), ..EngineSettings::default() };
            assert!(matches!(Endpoint::find(&settings), Err(Error::EngineAddress { .. })), "{address}");
        }
    }
}
