//! Creating a container, with all that it takes on the host and on the engine.

use super::Lifecycle;
use crate::container::provision::Preparation;
use crate::container::spec::{self, Given, OnDisk};
use crate::container::wanted::Wanted;
use crate::engine::{Container, Image};
use crate::error::{Error, Result};
use crate::guest::delivery::{Tools, volume};
use crate::output::progress;
use crate::paths;
use crate::project::Project;

impl Lifecycle<'_> {
    pub(super) async fn create(&self, image: &Image, wanted: &Wanted<'_>, under: Option<String>) -> Result<()> {
        let featured = Box::pin(self.with_features(image, wanted)).await?;
        let user = Box::pin(self.preparation(wanted).user_of(featured.as_ref().unwrap_or(image))).await?;
        let wanted = &wanted.run_as(user.as_ref());
        let tools = Tools::gather(&wanted.tools)?;
        if let Err(error) = tools.tmux() {
            progress::say_line(&format!("the image needs a tmux of its own: {error}"));
        }
        Box::pin(volume::ensure(self.engine, &tools, &image.name)).await?;
        if let Some(exposure) = wanted.resources.exposure(self.project) {
            // Of containers that come and go with a command, a script need not hear each time.
            if wanted.throw_away { progress::say_line(&exposure) } else { progress::note(&exposure) }
        }
        wanted.notes.iter().for_each(|note| progress::note(note));
        let on_disk = OnDisk::look(self.project, wanted)?;
        if !on_disk.masked.is_empty() {
            paths::put_empty(&self.name(), wanted.state_dir)?;
        }
        let kept = self.kept_volumes(wanted, under.is_some()).await?;
        // By its labels the container is of the image that is configured.
        let environment = featured.as_ref().unwrap_or(image).environment.clone();
        let image = &Image { environment, ..image.clone() };
        let abilities = self.engine.features().await?;
        let (_, lost) = wanted.resources.limits.kept_by(abilities.cgroups);
        if !lost.is_empty() {
            progress::note(&format!("{abilities} has no cgroups to keep these limits by: {}", lost.join(", ")));
        }
        let given = Given { image, tools: &tools, on_disk: &on_disk, kept: &kept, features: abilities };
        let mut spec = spec::container(self.project, self.name(), wanted, &given);
        if let Some(featured) = &featured {
            featured.name.clone_into(&mut spec.image);
        }
        let shared = paths::shared(&self.name(), wanted.state_dir);
        paths::create_for(&shared, &wanted.user.id_pair())?;
        if wanted.read_only {
            let files = spec::entries_directory(&self.name(), image, wanted);
            paths::create(&files)?;
            Box::pin(self.preparation(wanted).put_beside(image, &files, &kept)).await?;
        }
        let Some(network) = &wanted.resources.network else {
            return Box::pin(self.engine.create_container(spec, under)).await;
        };
        // Until a container is in it, others take it for one that nobody needs.
        let _lock = paths::lock_networks(wanted.state_dir).await?;
        self.engine.ensure_network(network).await?;
        Box::pin(self.engine.create_container(spec, under)).await
    }

    /// The volumes that containers of the project have had before. Its home may have been made a moment ago, unless the new
    /// container takes the place of another.
    async fn kept_volumes(&self, wanted: &Wanted<'_>, replaces: bool) -> Result<Vec<String>> {
        let mut kept: Vec<String> = replaces.then(|| self.name().home_volume()).into_iter().collect();
        for volume in wanted.resources.volumes(self.project, wanted.user) {
            kept.extend(self.engine.volume_exists(&volume.name).await?.then_some(volume.name));
        }
        Ok(kept)
    }

    /// Whether the engine has the GPUs that the container is to get.
    pub async fn check_gpus(&self, wanted: &Wanted<'_>) -> Result<()> {
        if wanted.resources.limits.gpus.is_some() && !self.engine.features().await?.has_gpus {
            return Err(Error::NoGpus);
        }
        Ok(())
    }

    pub(super) fn preparation<'a>(&'a self, wanted: &'a Wanted<'a>) -> Preparation<'a> {
        Preparation { engine: self.engine, project: self.project, name: self.name(), wanted }
    }
}

impl Wanted<'_> {
    /// Whether this machine has what the project's container is to get, and may give it. One to throw away gets no ports: the
    /// project's own may have them.
    pub fn check(&self, project: &Project, replaced: Option<&Container>) -> Result<()> {
        self.resources.sources(project)?;
        self.resources.check_devices()?;
        if self.throw_away { Ok(()) } else { self.resources.check_ports(replaced) }
    }
}
