//! `wharf status`: the same as the status line, for bars that are no tmux.

use crate::support::{Docker, World};

#[test]
fn one_line_says_how_a_container_stands() {
    let world = World::new();
    let project = world.project("api");
    let status = || world.wharf(["status"]).current_dir(&project).success();
    assert_eq!(status(), "api no container");
    let container = world.open_detached(&project);
    assert_eq!(status(), "api running");
    Docker::run(["pause", &container]);
    assert_eq!(status(), "api paused");
    Docker::run(["kill", &container]);
    assert_eq!(status(), "api exited 137");
    let formatted = world.wharf(["status", "--format", "{name}:{state}:{exit_code}:{bells}:{drift}", "api"]);
    assert_eq!(formatted.success(), "api:exited:137::");
}

#[test]
fn an_object_says_all_of_it() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let status: serde_json::Value =
        serde_json::from_str(&world.wharf(["status", "--json"]).current_dir(&project).success()).unwrap();
    let expected = serde_json::json!({
        "name": "api",
        "project": project,
        "container": container,
        "state": "running",
        "exit_code": null,
        "drift": false,
        "bells": [],
        "waiting": [],
    });
    assert_eq!(status, expected);
}

#[test]
fn without_an_engine_that_is_what_it_says() {
    let world = World::new();
    let project = world.project("api");
    let status = world.wharf(["status"]).current_dir(&project).env("DOCKER_HOST", "unix:///nonexistent.sock");
    assert_eq!(status.success(), "api no engine");
}

#[test]
fn a_place_that_there_is_not_is_wrong_usage() {
    let world = World::new();
    let outcome = world.wharf(["status", "--format", "{nmae}"]).run();
    assert_eq!(outcome.code, Some(2));
    let error = "there is no `{nmae}`; there are {name}, {state}, {exit_code}, {bells}, {waiting}, {drift}, {summary}";
    assert!(outcome.stderr.contains(error), "{}", outcome.stderr);
}
