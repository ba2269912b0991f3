//! R73: the menu of a pane's project.

use std::path::Path;

use crate::support::{Docker, Host, Screen, TRAP, World, wait_for_equal, wait_until};

/// A window of the project in which a shell waits.
#[track_caller]
fn open(world: &World, host: &Host, screen: &Screen, project: &Path) -> String {
    world.wharf(["open"]).arg(project).env("TMUX", host.variable()).success();
    screen.wait_for_prompt();
    world.container_of(project)
}

/// What the menu on the screen says, line by line; nothing where there is none.
fn menu(screen: &Screen) -> Vec<String> {
    let text = screen.text();
    let start = text.lines().skip_while(|line| !line.contains('┌')).collect::<Vec<_>>();
    let inside = |line: &&str| {
        let (from, to) = (line.find(['┌', '│', '├', '└'])?, line.rfind(['┐', '│', '┤', '┘'])?);
        Some(line[from..to].trim_matches(|c: char| "┌│├└─ ".contains(c)).to_owned())
    };
    start.iter().map_while(inside).filter(|line| !line.is_empty()).collect()
}

#[track_caller]
fn wait_for_menu(screen: &Screen, expected: &[&str]) {
    screen.press(&["C-b", "M-w"]);
    wait_for_equal("the menu", &expected.join("\n"), || {
        let lines = menu(screen).into_iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.collect::<Vec<_>>().join("\n")
    });
}

const RUNNING: [&str; 14] = [
    "Open (o)",
    "Split right (%)",
    "Split below (\")",
    "Run again (a)",
    "End session (k)",
    "Stop (x)",
    "Restart (r)",
    "Rebuild (b)",
    "Fresh (f)",
    "Log (l)",
    "Ports (p)",
    "Inspect (i)",
    "Configuration (c)",
    "Doctor (d)",
];
const STOPPED: [&str; 9] = [
    "Open (o)",
    "Start (s)",
    "Rebuild (b)",
    "Fresh (f)",
    "Log (l)",
    "Ports (p)",
    "Inspect (i)",
    "Configuration (c)",
    "Doctor (d)",
];

#[test]
fn the_menu_stops_a_container_after_a_yes_and_starts_it_again() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let container = open(&world, &host, &screen, &project);
    wait_for_menu(&screen, &[&["api · running", "main (1)"][..], &RUNNING].concat());
    screen.press(&["x"]);
    screen.wait_for_text("Stop the container and end its sessions? (y/n)");
    screen.press(&["n"]);
    assert_eq!(Docker::state(&container), "running");
    screen.press(&["C-b", "M-w"]);
    screen.wait_for_text("api · running");
    screen.press(&["x"]);
    screen.wait_for_text("Stop the container and end its sessions? (y/n)");
    screen.press(&["y"]);
    screen.wait_for_text("Enter starts it again");
    assert_eq!(Docker::state(&container), "exited");
    wait_for_menu(&screen, &[&["api · stopped"][..], &STOPPED].concat());
    screen.press(&["s"]);
    wait_until("the container to run", || Docker::state(&container) == "running");
}

#[test]
fn the_menu_opens_sessions_by_their_number() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    open(&world, &host, &screen, &project);
    world.wharf(["open", "--detach", "--session", "logs"]).arg(&project).args(["--", "sh", "-c", "exit 3"]).success();
    wait_until("its end", || {
        let listed = world.wharf(["sessions", "--json"]).current_dir(&project).success();
        listed.contains("\"exit_code\": 3")
    });
    wait_for_menu(&screen, &[&["api · running", "logs (exited 3) (1)", "main (2)"][..], &RUNNING].concat());
    screen.press(&["1"]);
    wait_until("its window", || host.windows("#{window_active} #{@wharf_session}") == ["0 main", "1 logs"]);
    screen.press(&["C-b", "M-w"]);
    screen.wait_for_text("api · running");
    screen.press(&["2"]);
    wait_until("its window", || host.windows("#{window_active} #{@wharf_session}") == ["1 main", "0 logs"]);
}

#[test]
fn the_menu_asks_before_a_rebuild_and_shows_what_there_is_to_read() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let container = open(&world, &host, &screen, &project);
    let id = Docker::inspect(&container, "{{.Id}}");
    let choose = |key: &str| {
        screen.press(&["C-b", "M-w"]);
        screen.wait_for_text("api · running");
        screen.press(&[key]);
    };
    choose("c");
    screen.wait_for_text("image \"wharf-default:latest\"");
    screen.press(&["q"]);
    wait_until("the popup to be closed", || !screen.text().contains('┌'));
    choose("p");
    screen.wait_for_text("no port is published by a container that runs");
    screen.press(&["q"]);
    wait_until("the popup to be closed", || !screen.text().contains('┌'));
    choose("i");
    screen.wait_for_text(&container);
    screen.press(&["q"]);
    wait_until("the popup to be closed", || !screen.text().contains('┌'));
    choose("d");
    // It is longer than the popup.
    screen.wait_for_text("ok      engine: ");
    screen.press(&["G"]);
    screen.wait_for_text(&format!("`{container}`: running"));
    screen.press(&["q"]);
    wait_until("the popup to be closed", || !screen.text().contains('┌'));
    choose("b");
    screen.wait_for_text("[y/N]");
    screen.type_line("n");
    // What went wrong stays to be read.
    screen.wait_for_text("error: cancelled");
    screen.press(&["Escape"]);
    assert_eq!(Docker::inspect(&container, "{{.Id}}"), id);
    choose("b");
    screen.wait_for_text("[y/N]");
    screen.type_line("y");
    wait_until("another container", || {
        let now = Docker::output(["inspect", "--format", "{{.Id}}", &container]);
        now.status.success() && String::from_utf8_lossy(&now.stdout).trim() != id
    });
}

#[test]
fn without_an_engine_the_menu_has_what_needs_none_and_says_so() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    open(&world, &host, &screen, &project);
    host.tmux(["set-environment", "-g", "DOCKER_HOST", "unix:///nonexistent.sock"]);
    let expected = [
        "api · no engine",
        "main (1)",
        "Open (o)",
        "Split right (%)",
        "Split below (\")",
        "Run again (a)",
        "End session (k)",
        "Configuration (c)",
        "Doctor (d)",
    ];
    wait_for_menu(&screen, &[&expected[..], &["the rest needs the engine"]].concat());
}

#[test]
fn a_hostile_name_is_shown_and_not_obeyed() {
    let world = World::new();
    let name = format!("#({TRAP})#[fg=red]#{{pid}}'$({TRAP})");
    let project = world.project(&name);
    let host = world.host();
    let screen = host.attach("main");
    open(&world, &host, &screen, &project);
    let title = format!("{name} · running");
    wait_for_menu(&screen, &[&[title.as_str(), "main (1)"][..], &RUNNING].concat());
    screen.press(&["c"]);
    screen.wait_for_text("image \"wharf-default:latest\"");
    screen.press(&["q"]);
    world.assert_no_trap_has_run();
}

#[test]
fn a_terminal_that_is_too_small_says_so() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    open(&world, &host, &screen, &project);
    screen.resize(60, 12);
    screen.press(&["C-b", "M-w"]);
    screen.wait_for_text("wharf: `wharf menu` needs a larger terminal");
    screen.resize(30, 18);
    screen.press(&["C-b", "M-w"]);
    screen.wait_for_text("api · running");
}

#[test]
fn restart_is_a_stop_and_a_start() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let started = || Docker::inspect(&container, "{{.State.StartedAt}}");
    let before = started();
    let refused = world.wharf(["restart"]).current_dir(&project).failure();
    assert!(
        refused.contains("live sessions") && refused.contains(&format!("`wharf restart --force {container}` ends them")),
        "{refused}"
    );
    assert_eq!(started(), before);
    assert_eq!(world.wharf(["restart", "--force"]).current_dir(&project).success(), format!("restarted {container}"));
    assert_ne!(started(), before);
    Docker::run(["stop", &container]);
    assert_eq!(world.wharf(["restart", "api"]).success(), format!("restarted {container}"));
    assert_eq!(Docker::state(&container), "running");
    let other = world.project("none");
    let error = world.wharf(["restart"]).current_dir(&other).failure();
    assert_eq!(error, format!("error: `{}` has no container\nhint: `wharf open` makes one\n", other.display()));
}
