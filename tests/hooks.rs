//! R50: hooks run in the container and nowhere else; `on-create` once, `on-start` at each start.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::json;

use crate::support::{BUSYBOX, DEBIAN, Docker, Talk, World, wait_for_equal, wait_until};

/// A project with these hooks, which is trusted.
fn project(world: &World, image: &str, hooks: &str) -> PathBuf {
    let project = world.project("api");
    fs::write(project.join("wharf.kdl"), format!("image \"{image}\"\n{hooks}\n")).unwrap();
    world.wharf(["trust"]).arg(&project).success();
    project
}

/// What the hooks of these tests note in the project.
fn noted(project: &Path) -> String {
    fs::read_to_string(project.join("notes")).unwrap_or_default()
}

fn hooks(world: &World, project: &Path) -> serde_json::Value {
    let inspected: serde_json::Value = serde_json::from_str(&world.wharf(["inspect", "--json"]).arg(project).success()).unwrap();
    inspected["hooks"].clone()
}

#[test]
fn on_create_runs_once_and_on_start_at_each_start() {
    let world = World::new();
    let text = "on-create \"echo created by $(id -u) in $PWD >>notes; echo first\"\non-create \"sh\" \"-c\" \"echo second >&2\"\n\
                on-start \"echo started >>notes; echo to the log\"";
    let project = project(&world, BUSYBOX, text);
    let outcome = world.wharf(["open", "--detach"]).arg(&project).run();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let told =
        "on-create: echo created by $(id -u) in $PWD >>notes; echo first\nfirst\non-create: sh -c echo second >&2\nsecond\n";
    assert_eq!(outcome.stderr, told);
    let created = format!("created by {} in {}\n", rustix::process::getuid().as_raw(), project.display());
    wait_for_equal("on-start", &format!("{created}started\n"), || noted(&project));

    // One that runs is not started again.
    world.wharf(["open", "--detach"]).arg(&project).success();
    world.wharf(["start"]).arg(&project).success();
    wait_until("the outcome", || hooks(&world, &project)["on_start"]["state"] == "succeeded");
    assert_eq!(noted(&project), format!("{created}started\n"));
    assert_eq!(
        hooks(&world, &project)["on_create"],
        json!({ "state": "succeeded", "command": ["sh", "-c", "echo second >&2"], "exit_code": 0 })
    );
    let log = world.wharf(["logs"]).arg(&project).run();
    assert_eq!(log.stdout, "to the log\n");

    // Whoever starts it, for whatever.
    for (times, again) in [(2, "start"), (3, "exec")] {
        world.wharf(["stop"]).arg(&project).success();
        let arguments: &[&str] = if again == "exec" { &["--", "true"] } else { &[] };
        world.wharf([again]).arg(&project).args(arguments).success();
        wait_for_equal("on-start", &format!("{created}{}", "started\n".repeat(times)), || noted(&project));
    }

    // A new container is a new one.
    world.wharf(["rebuild", "--force"]).arg(&project).run();
    wait_for_equal("both", &format!("{created}{}{created}started\n", "started\n".repeat(3)), || noted(&project));
}

#[test]
fn an_on_create_that_fails_is_told_and_tried_again() {
    let world = World::new();
    let text = "on-create \"echo tried >>notes; seq 20; test -e fixed || exit 3\"\non-start \"echo started >>notes\"";
    let project = project(&world, BUSYBOX, text);
    let outcome = world.wharf(["open", "--detach"]).arg(&project).run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    let container = world.container_of(&project);
    let command = "echo tried >>notes; seq 20; test -e fixed || exit 3";
    let last: String = (11..=20).map(|n| format!("  | {n}\n")).collect();
    let error = format!(
        "error: `on-create` failed in container `{container}` with exit code 3: {command}\n{last}\
         hint: `wharf exec {container} -- CMD` gets in all the same; the next `wharf open` tries again\n"
    );
    assert!(outcome.stderr.ends_with(&error), "{}", outcome.stderr);
    let id = Docker::inspect(&container, "{{.Id}}");
    assert_eq!(Docker::state(&container), "running");
    assert_eq!(world.wharf(["exec", container.as_str(), "--", "echo", "in"]).success(), "in");
    assert_eq!(
        hooks(&world, &project),
        json!({
            "on_create": { "state": "failed", "command": [command], "exit_code": 3 },
            "on_start": null,
        })
    );
    let text = world.wharf(["inspect", container.as_str()]).success();
    let line = text.lines().find(|line| line.starts_with("hooks")).unwrap();
    assert_eq!(line, format!("hooks      on-create failed with exit code 3: {command}"));

    world.wharf(["stop"]).arg(&project).success();
    fs::write(project.join("fixed"), "").unwrap();
    assert_eq!(world.wharf(["start"]).arg(&project).run().code, Some(0));
    wait_for_equal("on-start", "tried\ntried\nstarted\n", || noted(&project));
    assert_eq!(Docker::inspect(&container, "{{.Id}}"), id);
    world.wharf(["stop"]).arg(&project).success();
    world.wharf(["start"]).arg(&project).success();
    wait_for_equal("on-start", "tried\ntried\nstarted\nstarted\n", || noted(&project));
}

#[test]
fn launches_that_race_run_on_create_once() {
    let world = World::new();
    let text = "on-create \"echo begun >>notes; until test -e go; do sleep 0.05; done\"\non-start \"echo started >>notes\"";
    let project = project(&world, BUSYBOX, text);
    let start = || Talk::start(world.wharf(["start"]).arg(&project));
    let starts = [start(), start(), start()];
    wait_for_equal("on-create", "begun\n", || noted(&project));
    let container = world.container_of(&project);
    wait_until("all to wait for it", || crate::support::relay::processes(&container, "hooks create").len() == 3);
    fs::write(project.join("go"), "").unwrap();
    for start in starts {
        let ended = start.end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    wait_for_equal("on-start", "begun\nstarted\n", || noted(&project));
}

#[test]
fn an_on_create_that_hangs_can_be_cancelled() {
    let world = World::new();
    let project = project(&world, BUSYBOX, "on-create \"echo begun >>notes; test -e go || sleep 1000\"");
    let open = Talk::start(world.wharf(["open", "--detach"]).arg(&project));
    wait_for_equal("on-create", "begun\n", || noted(&project));
    open.signal(Signal::INT);
    let ended = open.end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.ends_with("error: cancelled\n"), "{}", ended.stderr);
    let container = world.container_of(&project);
    wait_until("its end", || crate::support::relay::processes(&container, "sleep 1000").is_empty());
    assert_eq!(hooks(&world, &project)["on_create"]["state"], "interrupted");
    fs::write(project.join("go"), "").unwrap();
    assert_eq!(world.wharf(["open", "--detach"]).arg(&project).run().code, Some(0));
    assert_eq!(noted(&project), "begun\nbegun\n");
}

#[test]
fn in_a_window_on_create_is_seen_and_comes_before_the_session() {
    let world = World::new();
    let text = "on-create \"echo installing; until test -e go; do sleep 0.05; done; test -e fixed || exit 4\"";
    let project = project(&world, DEBIAN, text);
    let host = world.host();
    let screen = host.attach("main");
    world.wharf(["open"]).arg(&project).env("TMUX", host.variable()).success();
    screen.wait_for_line("installing");
    fs::write(project.join("go"), "").unwrap();
    screen.wait_for_text("with exit code 4");
    screen.wait_for_text("press any key to close");
    screen.press(&["x"]);
    wait_until("the window to be gone", || host.windows("").is_empty());
    fs::write(project.join("fixed"), "").unwrap();
    world.wharf(["open"]).arg(&project).env("TMUX", host.variable()).success();
    screen.wait_for_prompt();
}

#[test]
fn an_on_start_that_fails_is_told_at_the_next_open() {
    let world = World::new();
    let project = project(&world, BUSYBOX, "on-start \"echo no port >&2; exit 5\"");
    world.wharf(["start"]).arg(&project).success();
    wait_until("its failure", || hooks(&world, &project)["on_start"]["state"] == "failed");
    let note = "note: `on-start` failed with exit code 5: echo no port >&2; exit 5; `wharf logs` has its output\n";
    let outcome = world.wharf(["open", "--detach"]).arg(&project).run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), note));
    assert!(world.wharf(["logs"]).arg(&project).run().stderr.ends_with("no port\n"));
}

#[test]
fn a_read_only_container_remembers_on_create_and_leaves_nothing() {
    let world = World::new();
    let project = project(&world, BUSYBOX, "on-create \"echo created >>notes\"");
    assert_eq!(world.wharf(["start", "--read-only"]).arg(&project).run().code, Some(0));
    let container = world.container_of(&project);
    let volume = Docker::inspect(&container, "{{range .Mounts}}{{if eq .Destination \"/var/lib/wharf\"}}{{.Name}}{{end}}{{end}}");
    world.wharf(["stop"]).arg(&project).success();
    world.wharf(["start"]).arg(&project).success();
    assert_eq!(noted(&project), "created\n");
    world.wharf(["rm"]).arg(&project).success();
    assert!(!Docker::output(["volume", "inspect", &volume]).status.success());
}

#[test]
fn hooks_of_a_file_that_is_not_trusted_do_not_run() {
    let world = World::new();
    let project = project(&world, BUSYBOX, "on-create \"touch created\"\non-start \"touch started\"");
    world.wharf(["trust", "--revoke"]).arg(&project).success();
    let outcome = world.wharf(["open", "--detach"]).arg(&project).run();
    assert_eq!(outcome.code, Some(0));
    assert!(outcome.stderr.contains("  2: on-create \"touch created\"\n  3: on-start \"touch started\"\n"), "{}", outcome.stderr);
    world.wharf(["trust"]).arg(&project).success();
    // `run` has none of its own.
    let files = world.wharf(["run", "--", "ls"]).current_dir(&project).success();
    assert_eq!(files, "wharf.kdl");
}
