//! R18: `rebuild`, when the engine goes in the middle of it.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{ends_in_time, projects_volumes, start};
use crate::support::{BUSYBOX, PrivateEngine, World, printed_by, wait_until};

#[test]
fn an_engine_that_dies_in_the_middle_of_a_rebuild_loses_no_container() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    let name = start(&engine, &project);
    let all = || engine.docker(&["ps", "--all", "--format", "{{.Names}} {{.State}}"]);
    for place in ["-next", "-aside"] {
        let mut rebuild = engine.wharf(["rebuild"]).arg(&project).into_command();
        let rebuild = rebuild.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_until("the rebuild to be at it", || all().contains(place));
        engine.kill();
        let error = ends_in_time(rebuild);
        assert!(error.starts_with("error: no container engine at "), "{error}");

        engine.start_again();
        assert_eq!(start_of_interrupted(&engine, &project, &name), name);
        assert!(all().lines().any(|line| line == format!("{name} running")), "{}", all());
        assert_eq!(projects_volumes(&engine), format!("{name}-home"));
        // And nothing of it is there for long.
        engine.wharf(["prune"]).success();
        assert_eq!(all(), format!("{name} running"), "{place}");
    }
    assert_eq!(engine.wharf(["exec", "--", "echo", "hi"]).current_dir(&project).success(), "hi");
}

/// An engine that was killed while it ended a container may not be able to start it; the hint says what helps.
#[track_caller]
fn start_of_interrupted(engine: &PrivateEngine, project: &Path, name: &str) -> String {
    let first = engine.wharf(["start", "--image", BUSYBOX]).arg(project).run();
    if first.stderr.contains(": already exists") {
        // One that has never run has nothing to lose, and is made anew without a word.
        assert_ne!(engine.inspect(name, "{{.State.StartedAt}}"), "0001-01-01T00:00:00Z");
        let (_, hint) = first.stderr.split_once("hint: `sudo ").unwrap();
        let (command, _) = hint.split_once('`').unwrap();
        printed_by(Command::new("sh").args(["-c", command]));
        // containerd clears up when it has seen it.
        wait_until("the runtime to let go", || engine.wharf(["start", "--image", BUSYBOX]).arg(project).run().code == Some(0));
    }
    start(engine, project)
}
