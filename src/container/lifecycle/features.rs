//! The image that a container is made of, with what is to be installed in it.

use std::cell::RefCell;
use std::collections::HashMap;

use super::Lifecycle;
use crate::config::User;
use crate::container::provision::login_of;
use crate::container::wanted::Wanted;
use crate::engine::{BuildOrder, Image, label};
use crate::error::{Error, Result};
use crate::image::features::{Layer, Request};
use crate::output::progress;

impl Lifecycle<'_> {
    /// The image with its features, built where no container has needed it so far; `None` where there are none to install.
    pub(super) async fn with_features(&self, image: &Image, wanted: &Wanted<'_>) -> Result<Option<Image>> {
        if wanted.features.features.is_empty() {
            return Ok(None);
        }
        progress::say_line("getting features");
        let request = self.with_credentials(wanted.features).await;
        let resolved = tokio::task::spawn_blocking(move || request.resolve()).await;
        let features = resolved.map_err(|error| Error::io("get features", std::io::Error::other(error)))??;
        let layer = Layer {
            features,
            base: image.name.clone(),
            base_id: image.id.clone(),
            image_user: image.user.clone().unwrap_or_else(|| "root".to_owned()),
            remote_user: match wanted.login {
                Some(User::Named(name) | User::Mapped(name)) => name.clone(),
                Some(_) => login_of(Some(image)),
                None => wanted.user.name.clone(),
            },
            base_metadata: image.metadata.clone(),
        };
        let tag = layer.tag();
        if self.engine.image(&tag).await?.is_none() {
            self.build_layer(&tag, &layer).await?;
        }
        self.engine.image(&tag).await?.map(Some).ok_or(Error::NoImage { image: tag })
    }

    async fn with_credentials(&self, request: &Request) -> Request {
        let mut request = request.clone();
        for host in request.hosts() {
            if let Some(login) = self.engine.login_of(&host).await {
                request.credentials.insert(host, login);
            }
        }
        request
    }

    async fn build_layer(&self, tag: &str, layer: &Layer) -> Result<()> {
        let labels = HashMap::from([
            (label::WHARF, "true".to_owned()),
            (label::PROJECT, self.project.to_string()),
            (label::METADATA, layer.metadata()),
        ]);
        let order =
            BuildOrder { tag, dockerfile: "Dockerfile", target: None, arguments: &[], cache_from: &[], labels, anew: false };
        let context = layer.clone();
        let build = async |progress: &RefCell<progress::Build<'_>>| {
            self.engine.build(order, move |into| context.pack(into), |text| progress.borrow_mut().tell(text)).await
        };
        let failed = |message, step: Option<String>, output| {
            // The step begins with what it installs.
            let words: Vec<&str> = step.as_deref().unwrap_or_default().split_whitespace().collect();
            let id = words.windows(2).find(|pair| pair[0] == "feature").map_or("unknown", |pair| pair[1]).to_owned();
            Error::FeatureFailed { id, message, output }
        };
        progress::build(tag, build, failed).await
    }
}
