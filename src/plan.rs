//! What is seen → the steps to take. Pure: every policy about containers is decided here.

use crate::engine::{Container, Image, State};
use crate::error::{Error, Result};
use crate::project::Project;

/// What the engine says of one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub container: Option<Container>,
    /// Looked up only where there is no container.
    pub image: Option<Image>,
    /// Likewise.
    pub has_home_volume: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    CreateHomeVolume,
    Create {
        image: Image,
    },
    /// Write the user's entries and the session's configuration into a container that has not run yet.
    Prepare,
    Start,
    Unpause,
    Stop,
    RemoveContainer,
    RemoveVolumes,
    /// The engine is at work on the container: look again.
    LookAgain,
}

/// The image to create a container from, and whether a person chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedImage<'a> {
    pub name: &'a str,
    pub is_default: bool,
}

/// The steps after which the project's container runs.
pub fn up(project: &Project, seen: &Seen, wanted: WantedImage) -> Result<Vec<Step>> {
    let Some(container) = &seen.container else {
        let image =
            seen.image.clone().ok_or_else(|| Error::NoImage { image: wanted.name.to_owned(), default: wanted.is_default })?;
        let volume = (!seen.has_home_volume).then_some(Step::CreateHomeVolume);
        return Ok(volume.into_iter().chain([Step::Create { image }, Step::Prepare, Step::Start]).collect());
    };
    refuse_foreign(project, container)?;
    match container.state {
        State::Running => Ok(vec![]),
        // Another launch made it a moment ago, and may not have come to this yet.
        State::Created => Ok(vec![Step::Prepare, Step::Start]),
        State::Exited => Ok(vec![Step::Start]),
        State::Paused => Ok(vec![Step::Unpause]),
        State::Restarting | State::Removing => Ok(vec![Step::LookAgain]),
        State::Dead => Err(Error::NotRunning { container: container.name.clone(), state: State::Dead }),
    }
}

/// The steps after which the project's container does not run. It is kept.
pub fn stop(project: &Project, seen: &Seen) -> Result<Vec<Step>> {
    let container = owned(project, seen)?;
    Ok(match container.state {
        State::Running | State::Restarting => vec![Step::Stop],
        // A frozen process can't obey a signal.
        State::Paused => vec![Step::Unpause, Step::Stop],
        State::Created | State::Exited | State::Dead | State::Removing => vec![],
    })
}

/// The steps after which the project has no container, and with `volumes` none of its volumes either.
pub fn remove(project: &Project, seen: &Seen, volumes: bool) -> Result<Vec<Step>> {
    let container = match owned(project, seen) {
        // Volumes can be left from a container that was removed before.
        Err(Error::NoContainer { .. }) if volumes => None,
        other => Some(other?),
    };
    let volumes = volumes.then_some(Step::RemoveVolumes);
    Ok(container.map(|_| Step::RemoveContainer).into_iter().chain(volumes).collect())
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

fn owned<'a>(project: &Project, seen: &'a Seen) -> Result<&'a Container> {
    let container = seen.container.as_ref().ok_or_else(|| Error::NoContainer { project: project.to_string() })?;
    refuse_foreign(project, container)?;
    Ok(container)
}

fn refuse_foreign(project: &Project, container: &Container) -> Result<()> {
    if container.belongs_to(project) {
        Ok(())
    } else {
        Err(Error::ForeignContainer { container: container.name.clone(), project: project.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const WANTED: WantedImage = WantedImage { name: "debian", is_default: false };

    fn project() -> Project {
        Project::from_label("/srv/api")
    }

    fn seen(state: State) -> Seen {
        let labels = [("wharf", "true"), ("wharf.project", "/srv/api")];
        let container = Container {
            name: project().container_name(),
            id: "1".to_owned(),
            state,
            exit_code: 0,
            out_of_memory: false,
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            working_dir: "/srv/api".to_owned(),
            host_dir: None,
        };
        Seen { container: Some(container), image: None, has_home_volume: true }
    }

    fn image() -> Image {
        Image { name: "debian".to_owned(), id: "sha256:1".to_owned() }
    }

    #[test]
    fn up_from_each_state() {
        use State::{Created, Exited, Paused, Removing, Restarting, Running};
        for (state, steps) in [
            (Running, vec![]),
            (Created, vec![Step::Prepare, Step::Start]),
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
        let create = [Step::Create { image: image() }, Step::Prepare, Step::Start];
        let none = Seen { container: None, image: Some(image()), has_home_volume: true };
        assert_eq!(up(&project(), &none, WANTED).unwrap(), create);
        let fresh = Seen { has_home_volume: false, ..none };
        assert_eq!(up(&project(), &fresh, WANTED).unwrap()[0], Step::CreateHomeVolume);
    }

    #[test]
    fn up_without_the_image_is_refused() {
        let none = Seen { container: None, image: None, has_home_volume: false };
        assert_eq!(up(&project(), &none, WANTED).unwrap_err().to_string(), "there is no image `debian` on this engine");
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
            assert_eq!(remove(&project(), &seen(state), false).unwrap(), [Step::RemoveContainer], "{state}");
            assert_eq!(remove(&project(), &seen(state), true).unwrap(), [Step::RemoveContainer, Step::RemoveVolumes], "{state}");
        }
    }

    #[test]
    fn volumes_alone_can_be_removed() {
        let none = Seen { container: None, image: None, has_home_volume: true };
        assert_eq!(remove(&project(), &none, true).unwrap(), [Step::RemoveVolumes]);
        assert!(matches!(remove(&project(), &none, false), Err(Error::NoContainer { .. })));
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
