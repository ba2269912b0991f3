//! A new container in the place of the one that is there.

use super::{ATTEMPTS, Lifecycle, PAUSE, Up};
use crate::container::plan::{self, Seen, Step, WantedImage};
use crate::container::wanted::Wanted;
use crate::error::{Error, Result};
use crate::paths::Lock;

impl Lifecycle<'_> {
    /// Puts a new container in the old one's place; ends what runs in it, and keeps its volumes. Where that fails, the old
    /// one is back, and runs if it did. The lock is that of [`crate::paths::lock`], and held until then, so the image has to
    /// be there: [`Self::fetch`] gets it before.
    pub async fn replace(&self, wanted: &Wanted<'_>, _lock: Lock) -> Result<Up> {
        for _ in 0..ATTEMPTS {
            let seen = self.look_to_replace(wanted.image).await?;
            let steps = plan::replace(self.project, &seen, wanted.image)?;
            match &steps[..] {
                [Step::LookAgain] => self.take(&steps).await?,
                // What was fetched the engine does not know by that name, or not any more. Nobody has to wait for another time.
                [Step::Pull { .. } | Step::Build { .. }] => return Err(Error::NoImage { image: wanted.image.name.to_owned() }),
                _ => {
                    // Somebody may have changed a link or taken a port since it was asked for.
                    wanted.check(self.project, seen.container.as_ref())?;
                    // Left by one that was killed.
                    self.take(&[Step::RemoveNext, Step::RemoveAside]).await?;
                    Box::pin(self.run_on_host(wanted)).await?;
                    return Box::pin(self.take_or_undo(&steps, wanted)).await;
                }
            }
        }
        Err(Error::EngineSlow { action: format!("replace container `{}`", self.name()), within: PAUSE * ATTEMPTS })
    }

    /// Gets the image that the new container is to be made of, where these steps are to get one.
    pub async fn fetch(&self, steps: &[Step], wanted: &Wanted<'_>) -> Result<()> {
        if let [step @ (Step::Pull { .. } | Step::Build { .. })] = steps {
            Box::pin(self.act(step, Some(wanted))).await?;
        }
        Ok(())
    }

    async fn take_or_undo(&self, steps: &[Step], wanted: &Wanted<'_>) -> Result<Up> {
        let mut taken = Vec::new();
        let replaced = async {
            for step in steps {
                Box::pin(self.act(step, Some(wanted))).await?;
                taken.push(step.clone());
            }
            self.started(steps).await?.ok_or_else(|| Error::Gone { container: self.name() })
        };
        let replaced = replaced.await;
        let rest = match &replaced {
            Ok(_) => vec![Step::RemoveAside],
            // The next launch finds it all, and goes on from there.
            Err(error) if error.is_engine_lost() => Vec::new(),
            Err(_) => plan::undo(&taken),
        };
        for step in &rest {
            // What failed first is what people should see. What is left is removed by the next rebuild, and by `prune`.
            let _ = Box::pin(self.act(step, None)).await;
        }
        replaced
    }

    /// What the engine has for a project whose container is to be replaced by one of this image.
    pub async fn look_to_replace(&self, wanted: WantedImage<'_>) -> Result<Seen> {
        let (seen, image) = tokio::join!(Box::pin(self.look(None)), Box::pin(self.image(wanted)));
        let (image, is_tag_taken) = image?;
        let mut seen = Seen { image, is_tag_taken, ..seen? };
        Self::look_at_inputs(&mut seen, wanted)?;
        Ok(seen)
    }
}
