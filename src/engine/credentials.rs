//! Who a registry takes one for: what `docker login` has stored in docker's `config.json`.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;

/// How docker's client calls the registry of names without a host.
const HUB: &str = "https://index.docker.io/v1/";
/// How long a program that keeps passwords may take: it may have to ask a key ring.
const HELPER: Duration = Duration::from_secs(10);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConfigJson {
    auths: HashMap<String, Stored>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
    #[serde(rename = "credHelpers")]
    helpers: HashMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stored {
    /// `user:password`, in base64.
    auth: Option<String>,
    identitytoken: Option<String>,
}

/// What a helper prints.
#[derive(Debug, Deserialize)]
struct Helped {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// What the engine is told for a registry, as the header `X-Registry-Auth` has it; `None` where nothing is stored.
pub async fn header_for(docker_config: Option<&Path>, image: &str) -> Option<String> {
    let text = std::fs::read(docker_config?.join("config.json")).ok()?;
    let config: ConfigJson = serde_json::from_slice(&text).ok()?;
    let server = server_of(image);
    let kept_by = config.helpers.get(server).or(config.store.as_ref());
    let helped = match kept_by {
        Some(helper) => tokio::time::timeout(HELPER, ask(helper, server)).await.ok().flatten(),
        None => None,
    };
    let mut auth = match helped {
        Some(Helped { username, secret }) if username == "<token>" => serde_json::json!({ "identitytoken": secret }),
        Some(Helped { username, secret }) => serde_json::json!({ "username": username, "password": secret }),
        None => stored(&config.auths, server)?,
    };
    auth["serveraddress"] = server.into();
    Some(URL_SAFE.encode(auth.to_string()))
}

/// User and password for a registry; `None` where nothing is stored, or a token in their place.
pub async fn login_of(docker_config: Option<&Path>, server: &str) -> Option<(String, String)> {
    let header = header_for(docker_config, &format!("{server}/any")).await?;
    let said: serde_json::Value = serde_json::from_slice(&URL_SAFE.decode(header).ok()?).ok()?;
    Some((said["username"].as_str()?.to_owned(), said["password"].as_str()?.to_owned()))
}

/// The credentials of all registries that the file itself names, for the header `X-Registry-Config`.
pub fn header_for_all(docker_config: Option<&Path>) -> Option<String> {
    let text = std::fs::read(docker_config?.join("config.json")).ok()?;
    let config: ConfigJson = serde_json::from_slice(&text).ok()?;
    let auths = config.auths.keys().filter_map(|server| Some((server.clone(), stored(&config.auths, server)?)));
    let auths: serde_json::Map<String, serde_json::Value> = auths.collect();
    (!auths.is_empty()).then(|| URL_SAFE.encode(serde_json::Value::Object(auths).to_string()))
}

/// The registry that an image's name stands for: what is before the first slash where that can be a host.
pub fn server_of(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => HUB,
    }
}

/// Whether the registry is that of names without a host.
pub fn is_hub(server: &str) -> bool {
    server == HUB
}

fn stored(auths: &HashMap<String, Stored>, server: &str) -> Option<serde_json::Value> {
    // Older clients have stored whole addresses.
    let host = |key: &str| {
        let key = key.trim_start_matches("https://").trim_start_matches("http://");
        key.split('/').next().unwrap_or(key).to_owned()
    };
    let found = auths.get(server).or_else(|| Some(auths.iter().find(|(key, _)| host(key) == host(server))?.1))?;
    if let Some(token) = found.identitytoken.as_ref().filter(|token| !token.is_empty()) {
        return Some(serde_json::json!({ "identitytoken": token }));
    }
    let decoded = String::from_utf8(STANDARD.decode(found.auth.as_deref()?).ok()?).ok()?;
    // Some have been stored with a trailing NUL.
    let (username, password) = decoded.trim_end_matches('\0').split_once(':')?;
    Some(serde_json::json!({ "username": username, "password": password }))
}

async fn ask(helper: &str, server: &str) -> Option<Helped> {
    if helper.contains('/') {
        return None;
    }
    let mut child = tokio::process::Command::new(format!("docker-credential-{helper}"));
    child.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = child.spawn().ok()?;
    child.stdin.take()?.write_all(server.as_bytes()).await.ok()?;
    let output = child.wait_with_output().await.ok()?;
    if output.status.success() { serde_json::from_slice(&output.stdout).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_names_its_registry() {
        for (image, server) in [
            ("debian", HUB),
            ("ada/debian:13", HUB),
            ("ghcr.io/ada/debian", "ghcr.io"),
            ("localhost/debian", "localhost"),
            ("127.0.0.1:5000/a/b@sha256:1", "127.0.0.1:5000"),
        ] {
            assert_eq!(server_of(image), server, "{image}");
        }
    }

    #[test]
    fn what_is_stored_is_found_under_each_form_of_a_name() {
        let auths = |key: &str, auth: &str| -> HashMap<String, Stored> {
            serde_json::from_value(serde_json::json!({ key: { "auth": STANDARD.encode(auth) } })).unwrap()
        };
        let ada = serde_json::json!({ "username": "ada", "password": "a:b" });
        for (key, server) in
            [(HUB, HUB), ("ghcr.io", "ghcr.io"), ("https://ghcr.io/v1/", "ghcr.io"), ("http://127.0.0.1:5000", "127.0.0.1:5000")]
        {
            assert_eq!(stored(&auths(key, "ada:a:b"), server), Some(ada.clone()), "{key}");
        }
        assert_eq!(stored(&auths("ghcr.io", "ada:a"), "gcr.io"), None);
        assert_eq!(stored(&auths("ghcr.io", "ada"), "ghcr.io"), None);
    }
}
