//! What was used lately is noted, and nobody is kept from their work by it.

use std::fs;
use std::path::Path;

use crate::support::{BUSYBOX, World, wait_until};

/// The projects and sessions that were used, in the order of their uses.
fn uses(world: &World) -> Vec<(String, String)> {
    let text = fs::read_to_string(world.root().join("state/wharf/history")).unwrap_or_default();
    let entries = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    entries.map(|entry| (text(&entry["project"]), text(&entry["session"]))).collect()
}

fn used(project: &Path, session: &str) -> (String, String) {
    (project.to_str().unwrap().to_owned(), session.to_owned())
}

#[test]
fn every_way_to_a_session_is_a_use_of_its_project() {
    let world = World::new();
    let [first, second] = ["api\n\"v2\" #{pid}", "web"].map(|name| world.project(name));
    world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&first).success();
    assert_eq!(uses(&world), [used(&first, "main")]);
    let host = world.host();
    let open = |session: &str| {
        let open = world.wharf(["open", "--image", BUSYBOX, "--session", session]).arg(&second);
        open.env("TMUX", host.variable()).success();
    };
    // In the new window, by the client in it; the second time, by the switch.
    open("logs");
    wait_until("the use", || uses(&world) == [used(&first, "main"), used(&second, "logs")]);
    open("logs");
    assert_eq!(uses(&world), [used(&first, "main"), used(&second, "logs"), used(&second, "logs")]);
}

#[test]
fn a_history_that_cannot_be_written_is_not_an_error() {
    let world = World::new();
    let project = world.project("api");
    fs::create_dir_all(world.root().join("state/wharf/history")).unwrap();
    let container = world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).success();
    assert_eq!(container, format!("{} runs session main", world.container_of(&project)));
}
