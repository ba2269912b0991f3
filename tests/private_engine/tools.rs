//! R23, on an engine that has nothing of wharf's yet: what all containers share is put there by one launch of many.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{BUSYBOX, PrivateEngine, World, output_of, wait_until};

#[test]
fn fifty_first_starts_at_once_end_with_one_container() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    let start = || {
        let mut command = engine.wharf(["start", "--image", BUSYBOX]).arg(&project).into_command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let starts: Vec<_> = std::iter::repeat_with(start).take(50).collect();
    let outcomes: Vec<_> = starts.into_iter().map(output_of).collect();
    let containers = engine.docker(&["container", "ls", "--all", "--format", "{{.Names}} {{.State}}"]);
    for outcome in outcomes {
        assert_eq!(outcome.status.code(), Some(0), "{}", String::from_utf8_lossy(&outcome.stderr));
        assert_eq!(containers, format!("{} running", String::from_utf8_lossy(&outcome.stdout).trim()));
    }
    assert_eq!(engine.docker(&["volume", "ls", "--quiet", "--filter", "label=wharf.tools"]).lines().count(), 1);
}

#[test]
fn tools_that_a_killed_launch_has_left_half_done_are_completed() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    engine.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let volume = engine.docker(&["volume", "ls", "--quiet", "--filter", "label=wharf.tools"]);
    engine.wharf(["rm", "--force"]).arg(&project).success();
    engine.docker(&["volume", "rm", &volume]);
    // As by a launch that was killed before it had put anything there.
    engine.docker(&["volume", "create", "--label", "wharf=true", "--label", "wharf.tools=static", &volume]);
    let mount = format!("type=volume,source={volume},target=/run/wharf/tools");
    let filler = format!("{volume}-filler");
    engine.docker(&["create", "--name", &filler, "--label", "wharf=true", "--mount", &mount, BUSYBOX, "never-started"]);
    let begun = Instant::now();
    wait_until("the launch to count as killed", || begun.elapsed() > Duration::from_secs(12));
    engine.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    assert_eq!(engine.wharf(["exec", "--", "echo", "in"]).current_dir(&project).success(), "in");
    assert_eq!(engine.docker(&["ps", "--all", "--quiet", "--filter", &format!("name={filler}")]), "");
}
