//! R21: `run` has a container of its own, which is gone afterwards, however the client ends.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::support::{Docker, World, wait_until};

const WAYS: [&str; 2] = ["relay", "exec"];

fn nothing_is_left(project: &Path) -> bool {
    ["container", "volume"].iter().all(|kind| Docker::below(kind, project).is_empty())
}

fn spawn(world: &World, project: &Path, way: &str, command: &[&str]) -> Child {
    let mut run = world.wharf(["run"]).arg(project).env("WHARF_ATTACH", way).arg("--").args(command).into_command();
    run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
}

#[test]
fn a_program_has_a_container_of_its_own_that_is_gone_afterwards() {
    let world = World::new();
    let project = world.project("api");
    for way in WAYS {
        let script = "echo out; echo err >&2; touch ~/here; pwd; cat >made; hostname; exit 7";
        let run = world.wharf(["run", "--rm", "--", "sh", "-c", script]).current_dir(&project).env("WHARF_ATTACH", way);
        let outcome = run.input("größe").run();
        assert_eq!(outcome.stdout, format!("out\n{}\napi\n", project.display()), "{way}");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(7), "err\n"), "{way}");
        assert_eq!(fs::read_to_string(project.join("made")).unwrap(), "größe");
        assert!(nothing_is_left(&project), "{way}");
        assert!(!world.root().join("state/wharf/containers").read_dir().unwrap().any(|_| true), "{way}");
    }
}

#[test]
fn the_projects_own_container_is_another() {
    let world = World::new();
    let project = world.project("api");
    let own = world.open_detached(&project);
    assert_eq!(world.wharf(["run", "--", "sh", "-c", "echo hi"]).current_dir(&project).success(), "hi");
    assert_eq!(Docker::state(&own), "running");
    let mut running = spawn(&world, &project, "relay", &["sh", "-c", "touch started; exec sleep 1000"]);
    wait_until("the program", || project.join("started").exists());
    assert_eq!(Docker::below("container", &project).len(), 2);
    // It is no project's own, so nothing lists it.
    let listed = world.wharf(["list", "--json"]).success();
    assert_eq!(listed.matches(&format!("\"project\": \"{}\"", project.display())).count(), 1, "{listed}");
    running.kill().unwrap();
    running.wait().unwrap();
    wait_until("the second container to be gone", || Docker::below("container", &project) == [own.clone()]);
}

#[test]
fn a_client_that_is_killed_takes_its_container_along() {
    let world = World::new();
    let project = world.project("api");
    for way in WAYS {
        let mut client = spawn(&world, &project, way, &["sh", "-c", "touch started; exec sleep 1000"]);
        wait_until("the program", || project.join("started").exists());
        client.kill().unwrap();
        client.wait().unwrap();
        wait_until("the container to be gone", || nothing_is_left(&project));
        fs::remove_file(project.join("started")).unwrap();
    }
}

#[test]
fn a_read_only_one_has_a_home_to_write_to() {
    let world = World::new();
    let project = world.project("api");
    let script = "touch ~/here made && touch /x 2>/dev/null || echo refused";
    let run = world.wharf(["run", "--read-only", "--", "sh", "-c", script]).current_dir(&project);
    assert_eq!(run.success(), "refused");
    assert!(project.join("made").exists());
    assert!(nothing_is_left(&project));
}

#[test]
fn a_program_that_is_missing_leaves_nothing() {
    let world = World::new();
    let project = world.project("api");
    let outcome = world.wharf(["run", "--", "no-such-program"]).current_dir(&project).run();
    assert_eq!(outcome.code, Some(127));
    assert_eq!(outcome.stderr, "wharf: there is no program `no-such-program` in the container\n");
    assert!(nothing_is_left(&project));
}
