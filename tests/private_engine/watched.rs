//! R72, R75: the status line of a host whose engine goes and comes back.

use std::path::Path;

use crate::support::{Host, PrivateEngine, Screen, World, binary};
use crate::watch::{client, wait_for_shown};

/// A client whose status line shows that the project's container runs on the engine.
fn watched<'a>(engine: &PrivateEngine, project: &Path, host: &'a Host<'a>) -> Screen<'a> {
    host.tmux(["set-environment", "-g", "DOCKER_HOST", &engine.host()]);
    engine.wharf(["setup"]).env("TMUX", host.variable()).success();
    let screen = client(host);
    engine.wharf(["open"]).arg(project).env("TMUX", host.variable()).args(["--", "sleep", "1000"]).success();
    wait_for_shown(&screen, "●");
    screen
}

#[test]
fn the_status_line_says_that_the_engine_is_gone_and_what_has_become_of_the_container_since() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    engine.load_default_image();
    let project = world.project("api");
    let host = Host::bare(&world);
    let screen = watched(&engine, &project, &host);
    engine.kill();
    wait_for_shown(&screen, "? no engine");
    engine.start_again();
    wait_for_shown(&screen, "●");
    engine.stop();
    wait_for_shown(&screen, "? no engine");
    engine.start_again();
    let container = engine.docker(&["ps", "--format", "{{.Names}}"]);
    engine.docker(&["stop", &container]);
    wait_for_shown(&screen, "○ stopped");
}

#[test]
fn the_status_line_and_a_watched_list_say_so_of_an_engine_that_hangs_and_follow_it_again() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    engine.load_default_image();
    let project = world.project("api");
    let host = Host::bare(&world);
    let screen = watched(&engine, &project, &host);
    host.start_server("list", &project);
    let list = host.attach("list");
    list.type_line(&format!("DOCKER_HOST={} '{}' list --watch", engine.host(), binary().display()));
    list.wait_for_text("running");
    // The connection that events come by stays as it is.
    engine.freeze();
    wait_for_shown(&screen, "? no engine");
    list.wait_for_line("no engine");
    engine.thaw();
    wait_for_shown(&screen, "●");
    let container = engine.docker(&["ps", "--format", "{{.Names}}"]);
    engine.docker(&["stop", &container]);
    wait_for_shown(&screen, "○ stopped");
    list.wait_for_text("exited");
}
