//! Images from a registry.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};

use super::aloud::Said;
use super::listing::escape;
use super::{Engine, credentials};
use crate::error::{Error, Result};

/// How long an engine may say nothing of a pull. It gives up a registry that does not answer after half of this, and says so.
const SILENCE: Duration = Duration::from_secs(60);

/// What an engine says of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    pub id: String,
    pub is_done: bool,
    /// Bytes downloaded, and those that there are.
    pub downloaded: Option<(u64, u64)>,
}

impl Engine {
    /// Pulls an image, and tells of each layer what becomes of it. Nothing of it is left where that fails, but for layers that
    /// the engine keeps for the next try.
    pub async fn pull(&self, image: &str, mut tell: impl FnMut(Layer)) -> Result<()> {
        let (name, tag) = name_and_tag(image);
        let mut request = Request::post(format!("/images/create?fromImage={}&tag={}", escape(name), escape(tag)));
        request = request.header(header::HOST, "docker");
        if let Some(auth) = credentials::header_for(self.docker_config.as_deref(), image).await {
            request = request.header("X-Registry-Auth", auth);
        }
        let action = format!("pull image `{image}`");
        let request = request.body(Full::<Bytes>::default()).map_err(|error| Error::Engine {
            action: action.clone(),
            message: error.to_string(),
            status: None,
        })?;
        let pulled = self.aloud(&action, Some(SILENCE), request, |said| layer(said).map(&mut tell).unwrap_or_default());
        match pulled.await {
            // A status of the registry's is none of the engine's own: a 404 is no lost race.
            Err(Error::Engine { message, .. }) => {
                let server = Some(credentials::server_of(image)).filter(|server| !credentials::is_hub(server));
                Err(Error::Pull { image: image.to_owned(), registry: server.map(str::to_owned), message })
            }
            pulled => pulled,
        }
    }
}

/// As the engine takes them. Without a tag it would pull all there are.
fn name_and_tag(image: &str) -> (&str, &str) {
    if let Some((name, digest)) = image.split_once('@') {
        let base = name.rfind('/').map_or(0, |slash| slash + 1);
        return (name[base..].split_once(':').map_or(name, |(short, _)| &name[..base + short.len()]), digest);
    }
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

fn layer(said: Said) -> Option<Layer> {
    let (id, status) = (said.id?, said.status?);
    let is_done = matches!(status.as_str(), "Pull complete" | "Already exists");
    // The tag is told of in the same way.
    let is_layer = is_done
        || ["Pulling fs layer", "Waiting", "Downloading", "Verifying Checksum", "Download complete", "Extracting"]
            .contains(&status.as_str());
    let amount = said.progress.filter(|_| status == "Downloading");
    let downloaded = amount.and_then(|amount| Some((amount.current?, amount.total?)));
    is_layer.then_some(Layer { id, is_done, downloaded })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_tag() {
        for (image, expected) in [
            ("debian", ("debian", "latest")),
            ("debian:13", ("debian", "13")),
            ("127.0.0.1:5000/debian", ("127.0.0.1:5000/debian", "latest")),
            ("127.0.0.1:5000/a/debian:13", ("127.0.0.1:5000/a/debian", "13")),
            ("a:5000/debian@sha256:01", ("a:5000/debian", "sha256:01")),
            ("a:5000/debian:13@sha256:01", ("a:5000/debian", "sha256:01")),
        ] {
            assert_eq!(name_and_tag(image), expected, "{image}");
        }
    }

    #[test]
    fn only_layers_are_told_of() {
        let told = |line: &str| layer(serde_json::from_str(line).unwrap());
        assert_eq!(told(r#"{"status":"Pulling from library/debian","id":"13"}"#), None);
        assert_eq!(told(r#"{"status":"Digest: sha256:1"}"#), None);
        let id = || "1a".to_owned();
        assert_eq!(
            told(r#"{"status":"Downloading","progressDetail":{"current":5,"total":9},"progress":"[=>]","id":"1a"}"#),
            Some(Layer { id: id(), is_done: false, downloaded: Some((5, 9)) })
        );
        for (status, is_done) in [("Pulling fs layer", false), ("Extracting", false), ("Pull complete", true)] {
            let line = format!(r#"{{"status":"{status}","progressDetail":{{}},"id":"1a"}}"#);
            assert_eq!(told(&line), Some(Layer { id: id(), is_done, downloaded: None }));
        }
    }
}
