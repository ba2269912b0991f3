//! R23, on an engine that has nothing of wharf's yet: what all containers share is put there by one launch of many.

use std::process::Stdio;

use crate::support::{BUSYBOX, PrivateEngine, World, output_of};

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
