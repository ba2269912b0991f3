//! R70: the list on a terminal, and as it changes.

use crate::support::{Docker, Screen, World, binary, run, wait_for_equal};

/// What the list says of a project, without what else there is on this engine.
fn row(screen: &Screen, name: &str) -> String {
    let text = screen.text();
    let row = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    row.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_list_that_is_watched_shows_each_change_until_a_key_ends_it() {
    let world = World::new();
    let project = world.project("watched-api");
    let container = world.open_detached(&project);
    let host = world.host();
    let screen = host.attach("main");
    screen.type_line(&format!("clear; echo before; '{}' list --watch; echo over", binary().display()));
    let shows = |expected: &str| wait_for_equal("the row", expected, || row(&screen, "watched-api"));
    shows("watched-api running main");
    world.wharf(["open", "--detach", "--session", "logs"]).arg(&project).success();
    shows("watched-api running logs,main");
    Docker::run(["stop", &container]);
    shows("watched-api exited -");
    Docker::run(["rm", &container]);
    shows("");
    screen.press(&["x"]);
    screen.press(&["q"]);
    // What was on the screen before is there again.
    screen.wait_for_line("over");
    screen.wait_for_line("before");
}

#[test]
fn a_list_that_is_watched_ends_with_an_interrupt_and_needs_a_terminal() {
    let world = World::new();
    let host = world.host();
    let screen = host.attach("main");
    screen.type_line(&format!("'{}' list --watch; stty -a | grep -o ' icanon'; echo over", binary().display()));
    screen.wait_for_text("NAME");
    screen.press(&["C-c"]);
    screen.wait_for_line("over");
    screen.wait_for_line(" icanon");
    assert_eq!(world.wharf(["list", "--watch"]).failure(), "error: `wharf list --watch` needs a terminal to draw on\n");
}

#[test]
fn on_a_terminal_the_list_is_coloured_unless_nobody_wants_that() {
    let world = World::new();
    let project = world.project("coloured-api");
    world.open_detached(&project);
    let terminal = |line: &str| {
        let typed = run(world.command("script").args(["-qec", line, "/dev/null"]));
        String::from_utf8(typed.stdout).unwrap()
    };
    let list = format!("stty columns 200; '{}' list", binary().display());
    assert!(terminal(&list).contains("coloured-api"));
    assert!(terminal(&list).contains("\x1b[32mrunning\x1b[0m"));
    let plain = terminal(&format!("stty columns 200; NO_COLOR=1 '{}' list", binary().display()));
    assert!(plain.contains("running") && !plain.contains("\x1b["), "{plain}");
}
