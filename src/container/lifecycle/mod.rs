//! Look, plan, act: a project's container, from what the engine says to what was asked for.

mod create;
mod fetch;
mod ready;
mod replace;
mod sources;
pub mod stop;
mod told;

use std::path::Path;
use std::time::Duration;

use crate::connection::{Connection, Relays};
use crate::container::plan::{self, Seen, Step, WantedImage};
use crate::container::spec;
use crate::container::wanted::Wanted;
use crate::engine::{Beside, Container, Engine, Inspected, label};
use crate::error::{Error, Result};
use crate::model::{ContainerName, State};
use crate::output::progress;
use crate::paths;
use crate::project::Project;

/// How often to look again when other launches change what was seen, and how long to wait in between.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(25);

/// A container that runs.
pub struct Up {
    pub container: Container,
    /// To its relay, where this call has started the container and the relay has answered.
    pub connection: Option<Connection>,
}

/// What a launch has made, in case that it has to be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    HomeVolume,
    Container,
}

pub struct Lifecycle<'a> {
    pub engine: &'a Engine,
    pub project: &'a Project,
    /// The container's: the project's own, or that of one to throw away.
    pub name: ContainerName,
    pub relays: Relays<'a>,
}

impl Lifecycle<'_> {
    /// What the engine has for the project, ready for a plan that may have to create it.
    pub async fn look(&self, image: Option<WantedImage<'_>>) -> Result<Seen> {
        let name = self.name();
        let container = self.engine.container(&name).await?;
        if container.is_some() {
            return Ok(Seen { container, ..Seen::default() });
        }
        // Boxed, as what is rare: every command that looks would be large.
        let aside = Box::pin(self.engine.beside(self.project, &name, Beside::Aside));
        let Some(image) = image else {
            return Ok(Seen { is_aside: aside.await?.is_some(), ..Seen::default() });
        };
        let home = name.home_volume();
        let (image, home, aside) = tokio::join!(Box::pin(self.image(image)), self.engine.volume_exists(&home), aside);
        let (image, is_tag_taken) = image?;
        Ok(Seen { image, is_tag_taken, has_home_volume: home?, is_aside: aside?.is_some(), ..Seen::default() })
    }

    /// Brings the container up. Any number of launches can do this at once: what another one did first is seen and used.
    /// Where it fails, nothing that this call has made is left; where the engine is lost, the next launch finishes it.
    pub async fn up(&self, wanted: &Wanted<'_>) -> Result<Up> {
        let mut made = Vec::new();
        // Boxed: the way through every step is large, and the commands that await it need not be.
        let up = Box::pin(self.bring_up(wanted, &mut made)).await;
        if up.as_ref().is_err_and(|error| !error.is_engine_lost()) {
            self.undo(&made, wanted.state_dir).await;
        }
        up
    }

    async fn bring_up(&self, wanted: &Wanted<'_>, made: &mut Vec<Made>) -> Result<Up> {
        let mut has_fetched = false;
        for _ in 0..ATTEMPTS {
            let mut seen = self.look(Some(wanted.image)).await?;
            if seen.container.is_none() {
                self.check_gpus(wanted).await?;
                Self::look_at_inputs(&mut seen, wanted.image)?;
            }
            // The engine makes an anonymous one.
            seen.has_home_volume |= wanted.throw_away;
            let steps = plan::up(self.project, &seen, wanted.image)?;
            let has_never_run = seen.container.as_ref().is_none_or(|container| container.state == State::Created);
            if let (true, Some(container)) = (steps.is_empty(), seen.container) {
                return Ok(Up { container, connection: None });
            }
            if steps.iter().any(|step| matches!(step, Step::Create { .. } | Step::Pull { .. } | Step::Build { .. }))
                && let Err(error) = wanted.check(self.project, None)
            {
                // Another launch was faster, and its container has the port.
                if self.engine.container(&self.name()).await?.is_some() {
                    continue;
                }
                return Err(error);
            }
            if matches!(steps[..], [Step::Pull { .. } | Step::Build { .. }]) && std::mem::replace(&mut has_fetched, true) {
                // What the engine has pulled or built it does not know by that name.
                return Err(Error::NoImage { image: wanted.image.name.to_owned() });
            }
            match self.take_noting(&steps, wanted, made).await {
                Err(error) if error.is_lost_race() => tokio::time::sleep(PAUSE).await,
                // There is nothing in it to lose, and it will never start: another is made in its place.
                Err(error) if error.held_container().is_some() && has_never_run => {
                    self.engine.remove_stopped_container(&self.name()).await?;
                }
                Err(error) => return Err(error),
                Ok(()) if steps.contains(&Step::Start) => {
                    if let Some(up) = self.started(&steps).await? {
                        return Ok(up);
                    }
                }
                Ok(()) => {}
            }
        }
        Err(Error::EngineSlow { action: format!("bring up container `{}`", self.name()), within: PAUSE * ATTEMPTS })
    }

    async fn take_noting(&self, steps: &[Step], wanted: &Wanted<'_>, made: &mut Vec<Made>) -> Result<()> {
        for step in steps {
            Box::pin(self.act(step, Some(wanted))).await?;
            match step {
                Step::CreateHomeVolume => made.push(Made::HomeVolume),
                Step::Create { .. } => made.push(Made::Container),
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes the steps of a plan that has no race to lose.
    pub async fn take(&self, steps: &[Step]) -> Result<()> {
        for step in steps {
            Box::pin(self.act(step, None)).await?;
        }
        Ok(())
    }

    async fn act(&self, step: &Step, wanted: Option<&Wanted<'_>>) -> Result<()> {
        let name = self.name();
        if let Some(text) = told::text(step, &name) {
            progress::say_line(&text);
        }
        match (step, wanted) {
            (Step::Pull { image }, _) => self.pull(image).await,
            (Step::Build { tag }, Some(Wanted { image: WantedImage { build: Some(recipe), .. }, .. })) => {
                self.build(tag, recipe).await
            }
            (Step::CreateHomeVolume, Some(wanted)) => {
                let labels = spec::labels(self.project, &name, wanted, None);
                self.engine.create_volume(&name.home_volume(), labels).await
            }
            (Step::Create { image }, Some(wanted)) => Box::pin(self.create(image, wanted, None)).await,
            (Step::CreateNext { image }, Some(wanted)) => {
                Box::pin(self.create(image, wanted, Some(Beside::Next.name(&name)))).await
            }
            (Step::RemoveNext, _) => self.engine.remove_beside(self.project, &name, Beside::Next).await,
            (Step::RemoveAside, _) => self.engine.remove_beside(self.project, &name, Beside::Aside).await,
            (Step::SetAside, _) => self.engine.set_aside(&name).await,
            (Step::MoveIn, _) => self.engine.move_in(&name, Beside::Next).await,
            (Step::PutBack, wanted) => {
                // Whoever has set it aside may still be at it. (Where nothing is wanted, it is this process.)
                let lock = if let Some(wanted) = wanted { Some(paths::lock(wanted.state_dir).await?) } else { None };
                let put_back = self.engine.move_in(&name, Beside::Aside).await;
                drop(lock);
                put_back
            }
            (Step::Prepare { image_id }, Some(wanted)) => self.preparation(wanted).put(image_id.as_deref()).await,
            (Step::Start, _) => {
                self.ensure_surroundings().await?;
                self.engine.start_container(&name).await
            }
            (Step::Unpause, _) => self.engine.unpause_container(&name).await,
            (Step::Stop { id }, _) => stop::stop(self.engine, &name, id).await,
            (Step::RemoveContainer { id }, _) => self.engine.throw_away_container(&name, id).await,
            (Step::RemoveMovedIn, _) => self.engine.throw_away_container(&name, name.as_str()).await,
            (Step::RemoveVolumes, _) => {
                for volume in self.engine.volumes_of(self.project).await? {
                    self.engine.remove_volume(&name, &volume).await?;
                }
                Ok(())
            }
            (Step::LookAgain, _) => {
                tokio::time::sleep(PAUSE).await;
                Ok(())
            }
            (
                Step::Build { .. }
                | Step::CreateHomeVolume
                | Step::Create { .. }
                | Step::CreateNext { .. }
                | Step::Prepare { .. },
                _,
            ) => {
                unreachable!("only who knows what is wanted plans a creation")
            }
        }
    }

    /// The mounted directory and the network may have been cleaned away while the container was stopped; the engine would not
    /// start it, or connect it to whatever else is called so. What else is mounted must still be what it was.
    async fn ensure_surroundings(&self) -> Result<()> {
        let Some(Inspected { container, mounts, .. }) = self.engine.inspect(&self.name()).await? else {
            return Ok(());
        };
        sources::check(self.project, &container, mounts).await?;
        if let Some(network) = container.labels.get(label::NETWORK) {
            self.engine.ensure_network(network).await?;
            self.engine.rejoin_network(&container.name, network).await?;
        }
        container.host_dir.map_or(Ok(()), |shared| paths::create_for(&shared, &container.user))
    }

    /// Leaves nothing half-made behind. The error that led here is what people should see, so this one's are dropped. A
    /// container that runs after all, since another launch got it to, refuses to be removed.
    async fn undo(&self, made: &[Made], state_dir: &Path) {
        for made in made.iter().rev() {
            let undone = match made {
                Made::Container => self.engine.remove_stopped_container(&self.name()).await,
                Made::HomeVolume => self.engine.remove_volume(&self.name(), &self.name().home_volume()).await,
            };
            if (*made, undone.is_ok()) == (Made::Container, true) {
                let _ = paths::remove(&self.name(), state_dir);
            }
        }
    }

    fn name(&self) -> ContainerName {
        self.name.clone()
    }
}
