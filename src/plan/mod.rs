//! What is seen → the steps to take. Pure: every policy about containers is decided here.

mod drift;
mod idle;
mod prune;
mod replace;
mod status;

use crate::build::Recipe;
use crate::config::{DEFAULT_GPU_IMAGE, DEFAULT_IMAGE};
use crate::engine::{Container, Image, State, label};
use crate::error::{Error, Result};
use crate::project::Project;

pub use drift::{Drift, Made, changes, image_drift};
pub use idle::time_left;
pub use prune::{Belongings, Pruned, Rules, prune};
pub use replace::{Consent, consent, replace, undo};
pub use status::{Condition, Status};

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
    Stop,
    RemoveContainer,
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
    let mut steps = match container.state {
        State::Running | State::Restarting => vec![Step::Stop],
        // A frozen process can't obey a signal.
        State::Paused => vec![Step::Unpause, Step::Stop],
        State::Created | State::Exited | State::Dead | State::Removing => vec![],
    };
    // The engine does it; nobody is told before it is done.
    steps.extend((container.removes_itself() && !steps.is_empty()).then_some(Step::RemoveContainer));
    Ok(steps)
}

/// The steps after which the project has no container, and with `volumes` none of its volumes either.
pub fn remove(project: &Project, seen: &Seen, volumes: bool) -> Result<Vec<Step>> {
    let container = match owned(project, seen) {
        // Volumes can be left from a container that was removed before.
        Err(Error::NoContainer { .. }) if volumes || seen.is_aside => None,
        other => Some(other?),
    };
    let volumes = volumes.then_some(Step::RemoveVolumes);
    let containers = container.map(|_| Step::RemoveContainer).into_iter().chain([Step::RemoveNext, Step::RemoveAside]);
    Ok(containers.chain(volumes).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Health;
    use std::collections::HashMap;

    pub(super) const WANTED: WantedImage = WantedImage { name: "debian", build: None };

    pub(super) fn project() -> Project {
        Project::from_label("/srv/api")
    }

    pub(super) fn seen(state: State) -> Seen {
        let labels = [("wharf", "true"), ("wharf.project", "/srv/api")];
        let container = Container {
            name: project().container_name(),
            id: "1".to_owned(),
            state,
            exit_code: 0,
            out_of_memory: false,
            health: Health::Fine,
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            working_dir: "/srv/api".to_owned(),
            user: "1000:1000".to_owned(),
            read_only: false,
            host_dir: None,
            launch: None,
        };
        Seen { container: Some(container), image: None, has_home_volume: true, ..Seen::default() }
    }

    pub(super) fn image() -> Image {
        Image {
            name: "debian".to_owned(),
            id: "sha256:1".to_owned(),
            architecture: "amd64".to_owned(),
            project: None,
            inputs: None,
        }
    }

    #[test]
    fn up_from_each_state() {
        use State::{Created, Exited, Paused, Removing, Restarting, Running};
        for (state, steps) in [
            (Running, vec![]),
            (Created, vec![Step::Prepare { image_id: None }, Step::Start]),
            (Exited, vec![Step::Start]),
            (Paused, vec![Step::Unpause]),
            (Restarting, vec![Step::LookAgain]),
            (Removing, vec![Step::LookAgain]),
        ] {
            assert_eq!(up(&project(), &seen(state), WANTED).unwrap(), steps, "{state}");
        }
        assert!(matches!(up(&project(), &seen(State::Dead), WANTED), Err(Error::NotRunning { .. })));
    }

    #[test]
    fn up_from_nothing_keeps_a_home_volume_that_exists() {
        let prepare = Step::Prepare { image_id: Some("sha256:1".to_owned()) };
        let create = [Step::Create { image: image() }, prepare, Step::Start];
        let none = Seen { image: Some(image()), has_home_volume: true, ..Seen::default() };
        assert_eq!(up(&project(), &none, WANTED).unwrap(), create);
        let fresh = Seen { has_home_volume: false, ..none };
        assert_eq!(up(&project(), &fresh, WANTED).unwrap()[0], Step::CreateHomeVolume);
    }

    #[test]
    fn an_image_that_is_missing_is_pulled_unless_no_registry_has_it() {
        let none = Seen { ..Seen::default() };
        assert_eq!(up(&project(), &none, WANTED).unwrap(), [Step::Pull { image: "debian".to_owned() }]);
        for name in ["wharf-default:latest", "wharf-default", "wharf-default-gpu:1"] {
            let refused = up(&project(), &none, WantedImage { name, ..WANTED }).unwrap_err();
            assert_eq!(refused.to_string(), format!("there is no image `{name}` on this engine"));
        }
    }

    #[test]
    fn stop_and_remove_from_each_state() {
        use State::{Created, Dead, Exited, Paused, Removing, Restarting, Running};
        for (state, steps) in [
            (Running, vec![Step::Stop]),
            (Restarting, vec![Step::Stop]),
            (Paused, vec![Step::Unpause, Step::Stop]),
            (Created, vec![]),
            (Exited, vec![]),
            (Dead, vec![]),
            (Removing, vec![]),
        ] {
            assert_eq!(stop(&project(), &seen(state)).unwrap(), steps, "{state}");
            let gone = [Step::RemoveContainer, Step::RemoveNext, Step::RemoveAside];
            assert_eq!(remove(&project(), &seen(state), false).unwrap(), gone, "{state}");
            let with_volumes = [&gone[..], &[Step::RemoveVolumes]].concat();
            assert_eq!(remove(&project(), &seen(state), true).unwrap(), with_volumes, "{state}");
        }
    }

    #[test]
    fn a_container_that_removes_itself_is_gone_after_a_stop() {
        for (state, steps) in [
            (State::Running, vec![Step::Stop, Step::RemoveContainer]),
            (State::Paused, vec![Step::Unpause, Step::Stop, Step::RemoveContainer]),
            (State::Created, vec![]),
        ] {
            let mut seen = seen(state);
            let labels = &mut seen.container.as_mut().unwrap().labels;
            labels.insert("wharf.on_exit".to_owned(), "remove".to_owned());
            assert_eq!(stop(&project(), &seen).unwrap(), steps, "{state}");
        }
    }

    #[test]
    fn volumes_alone_can_be_removed() {
        let none = Seen { image: None, has_home_volume: true, ..Seen::default() };
        let all = [Step::RemoveNext, Step::RemoveAside, Step::RemoveVolumes];
        assert_eq!(remove(&project(), &none, true).unwrap(), all);
        assert!(matches!(remove(&project(), &none, false), Err(Error::NoContainer { .. })));
    }

    #[test]
    fn a_container_that_was_set_aside_is_put_back_or_removed() {
        let aside = Seen { image: Some(image()), has_home_volume: true, is_aside: true, ..Seen::default() };
        assert_eq!(up(&project(), &aside, WANTED).unwrap(), [Step::PutBack]);
        assert_eq!(remove(&project(), &aside, false).unwrap(), [Step::RemoveNext, Step::RemoveAside]);
    }

    #[test]
    fn a_container_that_is_not_ours_is_never_touched() {
        let wharf = || ("wharf".to_owned(), "true".to_owned());
        let other = ("wharf.project".to_owned(), "/srv/other".to_owned());
        for labels in [
            HashMap::new(),
            [wharf()].into(),
            [wharf(), other].into(),
            [("wharf.project".to_owned(), "/srv/api".to_owned())].into(),
        ] {
            for state in [State::Running, State::Exited, State::Created, State::Paused] {
                let mut seen = seen(state);
                seen.container.as_mut().unwrap().labels = labels.clone();
                let refusals = [
                    up(&project(), &seen, WANTED),
                    replace(&project(), &seen, WANTED),
                    stop(&project(), &seen),
                    remove(&project(), &seen, true),
                    attach(&project(), &seen).map(|_| vec![]),
                ];
                for refusal in refusals {
                    assert!(matches!(refusal, Err(Error::ForeignContainer { .. })), "{labels:?}");
                }
            }
        }
    }

    #[test]
    fn attach_needs_a_running_container() {
        assert!(attach(&project(), &seen(State::Running)).is_ok());
        assert_eq!(
            attach(&project(), &seen(State::Exited)).unwrap_err().to_string(),
            format!("container `{}` is exited", project().container_name())
        );
    }
}
