//! R32: what a container has printed, and what is known of it.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{BUSYBOX, Docker, World, binary, run_label, wait_until};

#[test]
fn inspect_says_what_docker_says() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).success();
    let container = world.container_of(&project);
    let inspect = || -> Value { serde_json::from_str(&world.wharf(["inspect", "--json"]).arg(&project).success()).unwrap() };
    let shown = inspect();
    let docker = |format: &str| Docker::inspect(&container, format);
    let tools = docker("{{range .Mounts}}{{if eq .Destination \"/run/wharf/tools\"}}{{.Name}}{{end}}{{end}}");
    for (key, value) in [
        ("name", json!("api")),
        ("project", json!(project)),
        ("orphaned", json!(false)),
        ("container", json!(container)),
        ("id", json!(docker("{{.Id}}"))),
        ("state", json!("running")),
        ("exit_code", json!(null)),
        ("image", json!(BUSYBOX)),
        ("image_id", json!(docker("{{.Image}}"))),
        ("drift", json!([])),
        ("user", json!(docker("{{.Config.User}}"))),
        ("workspace", json!(project)),
        ("read_only", json!(false)),
        ("sessions", json!(["main"])),
        ("relay", json!(true)),
        ("tools", json!(tools)),
        ("labels", serde_json::from_str(&docker("{{json .Config.Labels}}")).unwrap()),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
    let mounts: Vec<Value> = serde_json::from_str(&docker("{{json .Mounts}}")).unwrap();
    assert_eq!(shown["mounts"].as_array().unwrap().len(), mounts.len());
    let mount = json!({ "kind": "bind", "source": project, "target": project, "read_only": false });
    assert!(shown["mounts"].as_array().unwrap().contains(&mount), "{shown}");

    let text = world.wharf(["inspect", container.as_str()]).success();
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    assert_eq!(line("project"), format!("project    {}", project.display()));
    assert_eq!(line("state"), "state      running");
    assert_eq!(line("sessions"), "sessions   main");
    assert_eq!(line("relay"), "relay      answers");

    world.wharf(["stop"]).arg(&project).success();
    let shown = inspect();
    let stopped = ["state", "exit_code", "sessions", "relay"].map(|key| shown[key].clone());
    assert_eq!(stopped, [json!("exited"), json!(143), json!([]), json!(false)]);

    let nothing = world.project("nothing");
    let error = format!("error: `{}` has no container\nhint: `wharf open` makes one\n", nothing.display());
    for verb in ["inspect", "logs"] {
        assert_eq!(world.wharf([verb]).arg(&nothing).failure(), error);
    }
}

#[test]
fn a_container_that_is_not_wharfs_is_not_shown() {
    let world = World::new();
    let project = world.project("api");
    let name = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    world.wharf(["rm"]).arg(&project).success();
    Docker::run(["create", "--name", &name, &run_label(), BUSYBOX, "true"]);
    let errors = ["inspect", "logs"].map(|verb| world.wharf([verb]).arg(&project).failure());
    Docker::run(["rm", "-f", &name]);
    for error in errors {
        assert!(error.starts_with(&format!("error: a container `{name}` exists that wharf did not make")), "{error}");
    }
}

#[test]
fn logs_are_what_the_container_printed() {
    let world = World::new();
    let project = world.project("api");
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let logs = |arguments: &[&str]| world.wharf(["logs"]).args(arguments).arg(&project).run();
    assert_eq!(logs(&[]).stdout, "");
    // One after the other: the engine reads the two streams as it likes.
    Docker::shell(&container, "printf 'one\\ntwo\\n\\033[31mthree\\n' >/proc/1/fd/1");
    wait_until("the log", || logs(&[]).stdout == "one\ntwo\n\u{1b}[31mthree\n");
    Docker::shell(&container, "echo oops >/proc/1/fd/2");
    wait_until("the log of errors", || logs(&[]).stderr == "oops\n");
    assert_eq!(logs(&[]).code, Some(0));
    assert_eq!(logs(&["--tail", "2"]).stdout, "\u{1b}[31mthree\n");

    let mut follow = world.wharf(["logs", "--follow", "--tail", "2"]).arg(&project).into_command();
    let mut follow = follow.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        line
    };
    assert_eq!(line(), "\u{1b}[31mthree\n");
    Docker::shell(&container, "echo later >/proc/1/fd/1");
    assert_eq!(line(), "later\n");
    // It ends with the container.
    Docker::run(["stop", "--time", "1", &container]);
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert!(follow.wait().unwrap().success());
}

#[test]
fn a_terminal_does_not_obey_a_log() {
    let world = World::new();
    let project = world.project("api");
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    Docker::shell(&container, "printf 'be\\033]0;owned\\007fore\\n' >/proc/1/fd/1");
    let host = world.host();
    let screen = host.attach("main");
    screen.type_line(&format!("clear; '{}' logs '{}'", binary().display(), project.display()));
    screen.wait_for_line("be]0;ownedfore");
}
