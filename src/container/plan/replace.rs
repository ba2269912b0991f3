//! A new container in an old one's place: whether that may be, how it goes, and the way back where it fails.

use super::{Seen, Source, Step, WantedImage, image, owned, stop};
use crate::error::Result;
use crate::model::State;
use crate::project::Project;

/// Whether what runs in a container may be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    Given,
    Ask,
    /// There is nobody to ask.
    Refuse,
}

/// Whether something that people would miss may go: live sessions, containers, data.
pub fn consent(would_be_missed: bool, force: bool, can_ask: bool) -> Consent {
    match (would_be_missed && !force, can_ask) {
        (false, _) => Consent::Given,
        (true, true) => Consent::Ask,
        (true, false) => Consent::Refuse,
    }
}

/// The steps after which a new container has the old one's place, which is then [set aside](Step::SetAside). The old one is
/// not touched before the new one exists.
pub fn replace(project: &Project, seen: &Seen, wanted: WantedImage) -> Result<Vec<Step>> {
    let container = owned(project, seen)?;
    if container.state == State::Removing {
        return Ok(vec![Step::LookAgain]);
    }
    let image = match image(seen, wanted)? {
        Source::There(image) => image,
        Source::Missing(step) => return Ok(vec![step]),
    };
    let prepare = Step::Prepare { image_id: Some(image.id.clone()) };
    let mut steps = vec![Step::CreateNext { image }];
    steps.extend(stop(project, seen)?);
    if container.removes_itself() {
        // Nothing is left of it to be put back.
        steps.retain(|step| !matches!(step, Step::RemoveContainer { .. }));
        steps.push(Step::RemoveContainer { id: container.id.clone() });
    } else {
        steps.push(Step::SetAside);
    }
    steps.extend([Step::MoveIn, prepare, Step::Start]);
    Ok(steps)
}

/// The way back to the old container from where [`replace`] has failed: `taken` are the steps that were taken.
pub fn undo(taken: &[Step]) -> Vec<Step> {
    let has_taken = |step: &Step| taken.contains(step);
    let has_stopped = taken.iter().any(|step| matches!(step, Step::Stop { .. }));
    let mut back = vec![if has_taken(&Step::MoveIn) { Step::RemoveMovedIn } else { Step::RemoveNext }];
    back.extend(has_taken(&Step::SetAside).then_some(Step::PutBack));
    back.extend(has_stopped.then_some(Step::Start));
    back
}

#[cfg(test)]
mod tests {
    use super::super::tests::{WANTED, image as debian, project, removed, seen, stopped};
    use super::*;
    use crate::error::Error;

    fn seen_with_image(state: State) -> Seen {
        Seen { image: Some(debian()), ..seen(state) }
    }

    #[test]
    fn only_what_would_be_missed_is_asked_for() {
        for (would_be_missed, force, can_ask, expected) in [
            (false, false, false, Consent::Given),
            (false, false, true, Consent::Given),
            (true, true, false, Consent::Given),
            (true, true, true, Consent::Given),
            (true, false, true, Consent::Ask),
            (true, false, false, Consent::Refuse),
        ] {
            assert_eq!(consent(would_be_missed, force, can_ask), expected);
        }
    }

    #[test]
    fn replace_from_each_state() {
        use State::{Created, Dead, Exited, Paused, Restarting, Running};
        let create = [Step::CreateNext { image: debian() }];
        let rest = [Step::SetAside, Step::MoveIn, Step::Prepare { image_id: Some("sha256:1".to_owned()) }, Step::Start];
        for (state, end) in [
            (Running, vec![stopped()]),
            (Restarting, vec![stopped()]),
            (Paused, vec![Step::Unpause, stopped()]),
            (Created, vec![]),
            (Exited, vec![]),
            (Dead, vec![]),
        ] {
            let steps = replace(&project(), &seen_with_image(state), WANTED).unwrap();
            assert_eq!(steps, [&create[..], &end[..], &rest[..]].concat(), "{state}");
        }
        assert_eq!(replace(&project(), &seen_with_image(State::Removing), WANTED).unwrap(), [Step::LookAgain]);
    }

    #[test]
    fn nothing_is_touched_without_an_image_or_a_container() {
        let pulled = replace(&project(), &seen(State::Running), WANTED).unwrap();
        assert_eq!(pulled, [Step::Pull { image: "debian".to_owned() }]);
        let refused = replace(&project(), &seen(State::Running), WantedImage { name: "wharf-default:latest", build: None });
        assert_eq!(refused.unwrap_err().to_string(), "there is no image `wharf-default:latest` on this engine");
        let none = Seen { container: None, ..seen_with_image(State::Running) };
        assert!(matches!(replace(&project(), &none, WANTED), Err(Error::NoContainer { .. })));
    }

    #[test]
    fn a_container_that_removes_itself_is_not_set_aside() {
        for (state, end) in [(State::Running, vec![stopped()]), (State::Created, vec![])] {
            let mut seen = seen_with_image(state);
            let labels = &mut seen.container.as_mut().unwrap().labels;
            labels.insert("wharf.on_exit".to_owned(), "remove".to_owned());
            let create = [Step::CreateNext { image: debian() }];
            let rest = [removed(), Step::MoveIn, Step::Prepare { image_id: Some("sha256:1".to_owned()) }, Step::Start];
            assert_eq!(replace(&project(), &seen, WANTED).unwrap(), [&create[..], &end[..], &rest[..]].concat(), "{state}");
        }
    }

    #[test]
    fn the_way_back_from_each_step() {
        let steps = replace(&project(), &seen_with_image(State::Running), WANTED).unwrap();
        let ways = [
            vec![Step::RemoveNext],
            vec![Step::RemoveNext],
            vec![Step::RemoveNext, Step::Start],
            vec![Step::RemoveNext, Step::PutBack, Step::Start],
            vec![Step::RemoveMovedIn, Step::PutBack, Step::Start],
            vec![Step::RemoveMovedIn, Step::PutBack, Step::Start],
            vec![Step::RemoveMovedIn, Step::PutBack, Step::Start],
        ];
        for (taken, way) in ways.iter().enumerate() {
            assert_eq!(undo(&steps[..taken]), *way, "after {taken} steps");
        }
        // One that did not run is not started.
        let steps = replace(&project(), &seen_with_image(State::Exited), WANTED).unwrap();
        assert_eq!(undo(&steps), [Step::RemoveMovedIn, Step::PutBack]);
    }
}
