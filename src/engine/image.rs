//! Images, as far as a container needs one.

use super::{Engine, absent_is_none};
use crate::error::{Error, Result};

/// An image on this engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    pub name: String,
    /// The digest that the name stands for now.
    pub id: String,
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
            Ok(found) => Ok(found.and_then(|image| image.id).map(|id| Image { name: name.to_owned(), id })),
            Err(error) if error.is_status(400) => Err(Error::BadImageName { image: name.to_owned() }),
            Err(error) => Err(error),
        }
    }
}
