//! Images, as far as a container needs one.

use super::{Engine, absent_is_none, label};
use crate::error::{Error, Result};
use crate::model::native_architecture;

/// An image on this engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    pub name: String,
    /// The digest that the name stands for now.
    pub id: String,
    /// What its programs are for, as in `amd64`.
    pub architecture: String,
    /// The path of the project that it was built for.
    pub project: Option<String>,
    /// The hash of what it was built of.
    pub inputs: Option<String>,
    /// Who its programs are run as, where it says so: a name or a uid, and a group.
    pub user: Option<String>,
    /// `NAME=value`
    pub environment: Vec<String>,
    /// What it says of itself as a development container, as JSON.
    pub metadata: Option<String>,
}

impl Image {
    /// Whether its programs are for this machine, and so for an engine on it.
    pub fn is_native(&self) -> bool {
        self.architecture.is_empty() || self.architecture == native_architecture()
    }
}

impl Engine {
    pub async fn image(&self, name: &str) -> Result<Option<Image>> {
        // The name becomes a part of the request's path.
        let is_reference = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        if name.is_empty() || !name.chars().all(is_reference) || name.contains("..") {
            return Err(Error::BadImageName { image: name.to_owned() });
        }
        let inspected = self.look(format!("look at image `{name}`"), self.docker.inspect_image(name)).await;
        match absent_is_none(inspected) {
            Ok(found) => Ok(found.and_then(|image| {
                let architecture = image.architecture.unwrap_or_default();
                let config = image.config.unwrap_or_default();
                let mut labels = config.labels.unwrap_or_default();
                Some(Image {
                    name: name.to_owned(),
                    id: image.id?,
                    architecture,
                    project: labels.remove(label::PROJECT),
                    inputs: labels.remove(label::BUILD),
                    user: config.user.filter(|user| !user.is_empty()),
                    environment: config.env.unwrap_or_default(),
                    metadata: labels.remove(label::METADATA),
                })
            })),
            Err(error) if error.is_status(400) => Err(Error::BadImageName { image: name.to_owned() }),
            Err(error) => Err(error),
        }
    }
}
