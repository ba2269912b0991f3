//! Images from a Dockerfile, by the builder that every engine has.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, BufWriter};

use hyper::{Request, header};

use super::listing::escape;
use super::upload::{Pieces, blame, upload};
use super::{Engine, credentials};
use crate::error::{Error, Result};

/// What to build.
#[derive(Debug)]
pub struct BuildOrder<'a> {
    pub tag: &'a str,
    /// Its path in the context.
    pub dockerfile: &'a str,
    pub target: Option<&'a str>,
    pub arguments: &'a [(String, String)],
    /// Images whose layers may be used again.
    pub cache_from: &'a [String],
    pub labels: HashMap<&'static str, String>,
    /// Whether every step is to be taken, though the engine has taken it before.
    pub anew: bool,
}

impl Engine {
    /// User and password that `docker login` has stored for a registry.
    pub async fn login_of(&self, server: &str) -> Option<(String, String)> {
        credentials::login_of(self.docker_config.as_deref(), server).await
    }

    /// Builds an image of the context that `pack` writes as a tar archive, and tells what the builder prints. It may take its
    /// time for as long as the engine is there. Containers that it needs are gone afterwards, however it ends.
    pub async fn build(
        &self,
        order: BuildOrder<'_>,
        pack: impl FnOnce(BufWriter<Pieces>) -> io::Result<()> + Send + 'static,
        mut tell: impl FnMut(&str),
    ) -> Result<()> {
        let action = format!("build image `{}`", order.tag);
        let mut request =
            Request::post(path(&order)).header(header::HOST, "docker").header(header::CONTENT_TYPE, "application/x-tar");
        if let Some(auths) = credentials::header_for_all(self.docker_config.as_deref()) {
            request = request.header("X-Registry-Config", auths);
        }
        let (body, packed) = upload(pack);
        let request = request.body(body).map_err(|error| Error::io(action.clone(), io::Error::other(error)))?;
        let built = self.aloud(&action, None, request, |said| {
            if let Some(text) = said.stream {
                tell(&in_dockers_words(&text));
            } else if let (None, Some(status)) = (said.id, said.status) {
                // Of the pull of an image that this one is based on.
                tell(&format!("{status}\n"));
            }
        });
        let built = built.await;
        blame(built, packed).await
    }
}

/// What podman's builder says of itself, as docker's does: `STEP 2/5: RUN make` is `Step 2/5 : RUN make`.
fn in_dockers_words(text: &str) -> Cow<'_, str> {
    if let Some((number, what)) = text.strip_prefix("STEP ").and_then(|step| step.split_once(": ")) {
        format!("Step {number} : {what}").into()
    } else if text.starts_with("--> ") {
        format!(" -{text}").into()
    } else {
        text.into()
    }
}

fn path(order: &BuildOrder) -> String {
    let json = |value: serde_json::Result<String>| escape(&value.unwrap_or_default());
    let arguments: HashMap<&str, &str> = order.arguments.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut path = format!(
        "/build?t={}&dockerfile={}&rm=1&forcerm=1&labels={}&buildargs={}",
        escape(order.tag),
        escape(order.dockerfile),
        json(serde_json::to_string(&order.labels)),
        json(serde_json::to_string(&arguments)),
    );
    if let Some(target) = order.target {
        path.push_str("&target=");
        path.push_str(&escape(target));
    }
    if !order.cache_from.is_empty() {
        path.push_str("&cachefrom=");
        path.push_str(&json(serde_json::to_string(order.cache_from)));
    }
    if order.anew {
        path.push_str("&nocache=1");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn podmans_builder_is_understood_as_dockers() {
        for (said, expected) in [
            ("STEP 2/5: RUN echo a: b\n", "Step 2/5 : RUN echo a: b\n"),
            ("--> Using cache 3d49\n", " ---> Using cache 3d49\n"),
            ("Step 2/5 : RUN make\n", "Step 2/5 : RUN make\n"),
            ("made\n", "made\n"),
        ] {
            assert_eq!(in_dockers_words(said), expected);
        }
    }
}
