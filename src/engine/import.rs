//! Images that are made from a root file system, found and forgotten.

use std::io::{self, BufWriter};

use bollard::query_parameters::{ListImagesOptions, RemoveImageOptions};
use hyper::{Request, header};
use serde::Serialize;

use super::listing::escape;
use super::upload::{Pieces, blame, upload};
use super::{Engine, absent_is_none};
use crate::error::{Error, Result};

/// An image as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedImage {
    pub name: String,
    pub id: String,
    /// In bytes.
    pub size: u64,
    /// RFC 3339
    pub created_at: String,
    /// The path of the project that it was built for.
    pub project: Option<String>,
}

impl Engine {
    /// Makes an image of the root file system that `pack` writes as a tar archive; `changes` are lines of a Dockerfile.
    pub async fn import(
        &self,
        image: &str,
        changes: &[&str],
        pack: impl FnOnce(BufWriter<Pieces>) -> io::Result<()> + Send + 'static,
    ) -> Result<()> {
        let action = format!("import image `{image}`");
        let (name, tag) = image.rsplit_once(':').unwrap_or((image, "latest"));
        let mut path = format!("/images/create?fromSrc=-&repo={}&tag={}", escape(name), escape(tag));
        for change in changes {
            path.push_str("&changes=");
            path.push_str(&escape(change));
        }
        let (body, packed) = upload(pack);
        let request = Request::post(path).header(header::HOST, "docker").header(header::CONTENT_TYPE, "application/x-tar");
        let request = request.body(body).map_err(|error| Error::io(action.clone(), io::Error::other(error)))?;
        let imported = self.aloud(&action, None, request, |_| ()).await;
        blame(imported, packed).await
    }

    /// The images of these names, which may hold a `*`, by name.
    pub async fn images(&self, names: &[&str]) -> Result<Vec<ListedImage>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let options = ListImagesOptions { filters: Some([("reference".to_owned(), names)].into()), ..Default::default() };
        let found = self.look("list images", self.docker.list_images(Some(options))).await?;
        let mut images: Vec<ListedImage> = found
            .into_iter()
            .flat_map(|image| {
                let created = jiff::Timestamp::from_second(image.created).unwrap_or_default();
                let project = image.labels.get(super::label::PROJECT).cloned();
                image.repo_tags.into_iter().map(move |name| ListedImage {
                    name,
                    id: image.id.clone(),
                    size: u64::try_from(image.size).unwrap_or(0),
                    created_at: created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    project: project.clone(),
                })
            })
            .collect();
        images.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(images)
    }

    /// Removes an image that has no name any more, unless something is made of it.
    pub async fn forget_image(&self, id: &str) -> Result<()> {
        let removed = self.docker.remove_image(id, None::<RemoveImageOptions>, None);
        match absent_is_none(self.work(format!("remove image `{id}`"), removed).await) {
            Err(error) if error.is_status(409) => Ok(()),
            removed => removed.map(drop),
        }
    }
}
