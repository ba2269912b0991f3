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
        published: Vec::new(),
        host_dir: None,
        launch: None,
    };
    Seen { container: Some(container), image: None, has_home_volume: true, ..Seen::default() }
}

pub(super) fn stopped() -> Step {
    Step::Stop { id: "1".to_owned() }
}

pub(super) fn removed() -> Step {
    Step::RemoveContainer { id: "1".to_owned() }
}

pub(super) fn image() -> Image {
    Image {
        name: "debian".to_owned(),
        id: "sha256:1".to_owned(),
        architecture: "amd64".to_owned(),
        project: None,
        inputs: None,
        user: None,
        environment: Vec::new(),
        metadata: None,
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
        (Running, vec![stopped()]),
        (Restarting, vec![stopped()]),
        (Paused, vec![Step::Unpause, stopped()]),
        (Created, vec![]),
        (Exited, vec![]),
        (Dead, vec![]),
        (Removing, vec![]),
    ] {
        assert_eq!(stop(&project(), &seen(state)).unwrap(), steps, "{state}");
        let gone = [&steps[..], &[removed(), Step::RemoveNext, Step::RemoveAside]].concat();
        assert_eq!(remove(&project(), &seen(state), false).unwrap(), gone, "{state}");
        let with_volumes = [&gone[..], &[Step::RemoveVolumes]].concat();
        assert_eq!(remove(&project(), &seen(state), true).unwrap(), with_volumes, "{state}");
    }
}

#[test]
fn a_container_that_removes_itself_is_gone_after_a_stop() {
    for (state, steps) in [
        (State::Running, vec![stopped(), removed()]),
        (State::Paused, vec![Step::Unpause, stopped(), removed()]),
        (State::Created, vec![]),
    ] {
        let mut seen = seen(state);
        let labels = &mut seen.container.as_mut().unwrap().labels;
        labels.insert("wharf.on_exit".to_owned(), "remove".to_owned());
        assert_eq!(stop(&project(), &seen).unwrap(), steps, "{state}");
        let restart = stop_to_restart(&project(), &seen);
        match state {
            State::Created => assert_eq!(restart.unwrap(), []),
            _ => assert!(matches!(restart, Err(Error::GoesWithItsEnd { .. })), "{state}"),
        }
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
    for labels in
        [HashMap::new(), [wharf()].into(), [wharf(), other].into(), [("wharf.project".to_owned(), "/srv/api".to_owned())].into()]
    {
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
