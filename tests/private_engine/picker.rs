//! R71: the picker waits for no engine.

use crate::support::{BUSYBOX, PrivateEngine, World, wait_until};

#[test]
fn the_picker_works_while_the_engine_hangs() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let [first, second] = ["first", "second"].map(|name| world.project(name));
    let host = world.host();
    host.tmux(["set-environment", "-g", "DOCKER_HOST", &engine.host()]);
    for project in [&first, &second] {
        engine.wharf(["open", "--image", BUSYBOX]).arg(project).env("TMUX", host.variable()).success();
    }
    wait_until("the windows", || host.windows("#{window_name}") == ["first", "second"]);
    let relays = || std::fs::read_to_string(world.root().join("state/wharf/history")).is_ok_and(|uses| uses.lines().count() == 2);
    wait_until("the sessions", relays);
    let screen = host.attach("main");

    engine.freeze();
    screen.press(&["C-b", "W"]);
    // From the windows and the history, before anybody has noticed.
    let text = screen.wait_for_text("● second main");
    assert!(text.contains("● first main"), "{text}");
    screen.wait_for_text(&format!("the container engine at `{}` did not", engine.socket().display())[..60]);
    screen.type_text("'first");
    screen.wait_for_text("1/2");
    screen.press(&["Enter"]);
    wait_until("the first window", || host.windows("#{window_active}") == ["1", "0"]);
    wait_until("the end of the popup", || !screen.text().contains("1/2"));
}
