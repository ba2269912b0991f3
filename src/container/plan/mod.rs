//! What is seen → the steps to take. Pure: every policy about containers is decided here.

mod drift;
mod idle;
mod prune;
mod replace;
mod status;
#[cfg(test)]
mod tests;

use crate::config::{DEFAULT_GPU_IMAGE, DEFAULT_IMAGE};
use crate::engine::{Container, Image, label};
use crate::error::{Error, Result};
use crate::image::build::Recipe;
use crate::model::State;
use crate::project::Project;

pub use drift::{Drift, Made, REPLACED, changes, image_drift};
pub use idle::time_left;
pub use prune::{Belongings, Pruned, Rules, prune};
pub use replace::{Consent, consent, replace, undo};

/// What the engine says of one project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub container: Option<Container>,
    /// Looked up only where there is no container, or a new one is to take its place.
    pub image: Option<Image>,
    /// Whether another project's image has the name that one to build would have.
    pub is_tag_taken: bool,
    /// The hash of what there is to build an image of, where that was looked at.
    pub inputs: Option<String>,
    /// Looked up only where there is no container.
    pub has_home_volume: bool,
    /// Whether the container that was there has been renamed, for a new one to take its place. Likewise.
    pub is_aside: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Get the image from its registry; then there is more to see.
    Pull {
        image: String,
    },
    /// Make it from the project's Dockerfile; likewise.
    Build {
        tag: String,
    },
    CreateHomeVolume,
    Create {
        image: Image,
    },
    /// Write the user's entries and the session's configuration into a container that has not run yet.
    Prepare {
        /// Of the container's image, where its labels say.
        image_id: Option<String>,
    },
    Start,
    Unpause,
    /// The container with this id, whoever has its name by then.
    Stop {
        id: String,
    },
    /// Remove the container with this id, whoever has its name by then.
    RemoveContainer {
        id: String,
    },
    RemoveVolumes,
    /// Create the container that is to take the place of the one that is there, under another name.
    CreateNext {
        image: Image,
    },
    RemoveNext,
    /// Rename the container, so that the next one can have its name.
    SetAside,
    /// Give the name back to the container that was set aside.
    PutBack,
    /// Give the name to the next container.
    MoveIn,
    /// Remove the one that has got it.
    RemoveMovedIn,
    RemoveAside,
    /// The engine is at work on the container: look again.
    LookAgain,
}

/// The image to create a container from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedImage<'a> {
    pub name: &'a str,
    /// How it is built, where no registry has it.
    pub build: Option<&'a Recipe>,
}

/// The steps after which the project's container runs.
pub fn up(project: &Project, seen: &Seen, wanted: WantedImage) -> Result<Vec<Step>> {
    let Some(container) = &seen.container else {
        if seen.is_aside {
            // By a launch that is at it, or was killed over it.
            return Ok(vec![Step::PutBack]);
        }
        let image = match image(seen, wanted)? {
            Source::There(image) => image,
            Source::Missing(step) => return Ok(vec![step]),
        };
        let volume = (!seen.has_home_volume).then_some(Step::CreateHomeVolume);
        let prepare = Step::Prepare { image_id: Some(image.id.clone()) };
        return Ok(volume.into_iter().chain([Step::Create { image }, prepare, Step::Start]).collect());
    };
    refuse_foreign(project, container)?;
    match container.state {
        State::Running => Ok(vec![]),
        // Another launch made it a moment ago, and may not have come to this yet.
        State::Created => {
            let image_id = container.labels.get(label::IMAGE_ID).cloned();
            Ok(vec![Step::Prepare { image_id }, Step::Start])
        }
        State::Exited => Ok(vec![Step::Start]),
        State::Paused => Ok(vec![Step::Unpause]),
        State::Restarting | State::Removing => Ok(vec![Step::LookAgain]),
        State::Dead => Err(Error::NotRunning { container: container.name.clone(), state: State::Dead }),
    }
}

/// The steps after which the project's container does not run. It is kept, unless it was made to go with its end.
pub fn stop(project: &Project, seen: &Seen) -> Result<Vec<Step>> {
    let container = owned(project, seen)?;
    let id = || container.id.clone();
    let mut steps = match container.state {
        State::Running | State::Restarting => vec![Step::Stop { id: id() }],
        // A frozen process can't obey a signal.
        State::Paused => vec![Step::Unpause, Step::Stop { id: id() }],
        State::Created | State::Exited | State::Dead | State::Removing => vec![],
    };
    // The engine does it; nobody is told before it is done.
    steps.extend((container.removes_itself() && !steps.is_empty()).then(|| Step::RemoveContainer { id: id() }));
    Ok(steps)
}

/// The steps after which the project's container does not run and can be started again. One that goes with its end is refused,
/// since another one would take its place.
pub fn stop_to_restart(project: &Project, seen: &Seen) -> Result<Vec<Step>> {
    let steps = stop(project, seen)?;
    if steps.iter().any(|step| matches!(step, Step::RemoveContainer { .. })) {
        return Err(Error::GoesWithItsEnd { container: owned(project, seen)?.name.clone() });
    }
    Ok(steps)
}

/// The steps after which the project has no container, and with `volumes` none of its volumes either.
pub fn remove(project: &Project, seen: &Seen, volumes: bool) -> Result<Vec<Step>> {
    let container = match owned(project, seen) {
        // Volumes can be left from a container that was removed before.
        Err(Error::NoContainer { .. }) if volumes || seen.is_aside => None,
        other => Some(other?),
    };
    let mut steps = Vec::new();
    if let Some(container) = container {
        // What runs in it gets the time to end.
        steps.extend(stop(project, seen)?.into_iter().filter(|step| !matches!(step, Step::RemoveContainer { .. })));
        steps.push(Step::RemoveContainer { id: container.id.clone() });
    }
    steps.extend([Step::RemoveNext, Step::RemoveAside]);
    steps.extend(volumes.then_some(Step::RemoveVolumes));
    Ok(steps)
}

/// The container that can be attached to as it is.
pub fn attach<'a>(project: &Project, seen: &'a Seen) -> Result<&'a Container> {
    let container = owned(project, seen)?;
    if container.state.can_attach() {
        Ok(container)
    } else {
        Err(Error::NotRunning { container: container.name.clone(), state: container.state })
    }
}

/// An image, or the step that gets it.
enum Source {
    There(Image),
    Missing(Step),
}

/// Whether wharf makes images of this name itself, so that no registry's is what people mean.
fn is_made_here(image: &str) -> bool {
    let name = image.split(':').next().unwrap_or(image);
    [DEFAULT_IMAGE, DEFAULT_GPU_IMAGE].iter().any(|own| own.split(':').next() == Some(name))
}

fn image(seen: &Seen, wanted: WantedImage) -> Result<Source> {
    if let Some(recipe) = wanted.build {
        return Ok(match &seen.image {
            Some(image) if seen.inputs.is_some() && image.inputs == seen.inputs => Source::There(image.clone()),
            _ => Source::Missing(Step::Build { tag: if seen.is_tag_taken { &recipe.own_tag } else { &recipe.tag }.clone() }),
        });
    }
    match &seen.image {
        Some(image) => Ok(Source::There(image.clone())),
        None if is_made_here(wanted.name) => Err(Error::NoImage { image: wanted.name.to_owned() }),
        None => Ok(Source::Missing(Step::Pull { image: wanted.name.to_owned() })),
    }
}

/// The container, whatever state it is in.
pub fn owned<'a>(project: &Project, seen: &'a Seen) -> Result<&'a Container> {
    let container = seen.container.as_ref().ok_or_else(|| Error::NoContainer { project: project.to_string() })?;
    refuse_foreign(project, container)?;
    Ok(container)
}

pub fn refuse_foreign(project: &Project, container: &Container) -> Result<()> {
    if container.belongs_to(project) {
        Ok(())
    } else {
        Err(Error::ForeignContainer { container: container.name.clone(), project: project.to_string() })
    }
}
