//! The image that a container is made of: seen, and got where it is not there.

use std::cell::RefCell;
use std::collections::HashMap;

use super::Lifecycle;
use crate::container::plan::{Seen, WantedImage};
use crate::engine::{BuildOrder, Image, label};
use crate::error::{Error, Result};
use crate::image::build::Recipe;
use crate::output::progress;

impl Lifecycle<'_> {
    /// The image on this engine, and whether its name is taken by another project's.
    pub(super) async fn image(&self, wanted: WantedImage<'_>) -> Result<(Option<Image>, bool)> {
        let image = self.engine.image(wanted.name).await?;
        match (&image, wanted.build) {
            (Some(other), Some(recipe)) if other.project.as_deref() != Some(self.project.as_str()) => {
                Ok((self.engine.image(&recipe.own_tag).await?, true))
            }
            _ => Ok((image, false)),
        }
    }

    /// Adds what a build would be made of, which takes reading all of it.
    pub(super) fn look_at_inputs(seen: &mut Seen, wanted: WantedImage<'_>) -> Result<()> {
        if let Some(recipe) = wanted.build {
            seen.inputs = Some(recipe.inputs()?.to_owned());
        }
        Ok(())
    }

    pub(super) async fn pull(&self, image: &str) -> Result<()> {
        let mut pull = progress::Pull::begin(image);
        self.engine.pull(image, |layer| pull.tell(&layer)).await?;
        pull.done();
        Ok(())
    }

    pub(super) async fn build(&self, tag: &str, recipe: &Recipe) -> Result<()> {
        let labels = HashMap::from([
            (label::WHARF, "true".to_owned()),
            (label::PROJECT, self.project.to_string()),
            (label::BUILD, recipe.inputs()?.to_owned()),
            (label::DOCKERFILE, recipe.description()?),
        ]);
        let name = recipe.name();
        let order = BuildOrder {
            tag,
            dockerfile: &name,
            target: recipe.target.as_deref(),
            arguments: &recipe.arguments,
            cache_from: &recipe.cache_from,
            labels,
            anew: false,
        };
        let context = recipe.clone();
        let build = async |progress: &RefCell<progress::Build<'_>>| {
            self.engine.build(order, move |into| context.pack(into), |text| progress.borrow_mut().tell(text)).await
        };
        let failed = |message, step, output| {
            let (image, dockerfile) = (tag.to_owned(), recipe.path());
            Error::Build { image, dockerfile, step, message, output }
        };
        progress::build(tag, build, failed).await
    }
}
