//! R72: the status line says how a window's container stands, at no process for each time that it is drawn.

mod watcher;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{BUSYBOX, DEBIAN, Docker, Host, Screen, TRAP, Tag, World, wait_for_equal, wait_until};
pub use watcher::the_watcher;

/// The whole status line is wharf's widget.
const STATUS: &str = "<#{E:@wharf-status}>";

#[track_caller]
pub fn client<'a>(host: &'a Host<'a>) -> Screen<'a> {
    let screen = host.attach("main");
    host.tmux(["set-option", "-g", "status-right-length", "80"]);
    host.tmux(["set-option", "-g", "status-right", STATUS]);
    screen
}

/// What the status line of a client shows between its brackets.
pub fn shown(screen: &Screen) -> String {
    let text = screen.text();
    let line = text.lines().last().unwrap_or_default();
    line.rsplit_once('<').and_then(|(_, shown)| shown.split_once('>')).map(|(shown, _)| shown.to_owned()).unwrap_or_default()
}

#[track_caller]
pub fn wait_for_shown(screen: &Screen, expected: &str) {
    let is_shown = || shown(screen) == expected;
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wait_until("the status line", is_shown)));
    assert!(found.is_ok(), "waited in vain for {expected:?} in the status line of\n{}", screen.text());
}

#[track_caller]
fn open(world: &World, host: &Host, project: &Path) -> String {
    world.wharf(["open"]).arg(project).env("TMUX", host.variable()).success();
    wait_until("the container", || Docker::below("container", project).len() == 1);
    world.container_of(project)
}

#[test]
fn the_status_line_follows_what_becomes_of_the_container() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = client(&host);
    assert_eq!(shown(&screen), "");
    let container = open(&world, &host, &project);
    wait_for_shown(&screen, "●");
    // An engine never gets a container going again that it paused while a program was starting in it.
    screen.wait_for_prompt();
    Docker::run(["pause", &container]);
    wait_for_shown(&screen, "● paused");
    Docker::run(["unpause", &container]);
    wait_for_shown(&screen, "●");
    Docker::run(["stop", &container]);
    wait_for_shown(&screen, "○ stopped");
    Docker::run(["start", &container]);
    wait_for_shown(&screen, "●");
    Docker::run(["kill", &container]);
    wait_for_shown(&screen, "× exited 137");
    Docker::run(["rm", &container]);
    wait_for_shown(&screen, "- no container");
}

#[test]
fn a_container_that_ran_out_of_memory_is_said_to_have() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = client(&host);
    let container = open(&world, &host, &project);
    screen.wait_for_prompt();
    Docker::run(["update", "--memory", "40m", "--memory-swap", "40m", &container]);
    // The kernel takes what holds the container first, and whoever grows after it.
    screen.type_line("for p in /proc/[0-9]*; do grep -q ^sleep $p/comm && echo 1000 >$p/oom_score_adj; done; tail /dev/zero");
    wait_for_shown(&screen, "× out of memory");
}

#[test]
fn every_window_shows_its_own_project_in_whichever_session_it_is() {
    let world = World::new();
    let (api, web) = (world.project("api"), world.project("web"));
    let host = world.host();
    let screen = client(&host);
    open(&world, &host, &api);
    host.start_server("second", &web);
    let other = host.attach("second");
    let container = {
        other.press(&["C-b", "O"]);
        wait_until("the container", || Docker::below("container", &web).len() == 1);
        world.container_of(&web)
    };
    wait_for_shown(&screen, "●");
    wait_for_shown(&other, "●");
    Docker::run(["stop", &container]);
    wait_for_shown(&other, "○ stopped");
    assert_eq!(shown(&screen), "●");
    assert_eq!(host.windows("#{window_name} #{@wharf_state}"), ["api running", "web stopped"]);
}

#[test]
fn a_window_made_by_hand_shows_its_project_while_it_is_attached() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let screen = client(&host);
    screen.type_line(&format!("'{}' attach '{}'", crate::support::binary().display(), project.display()));
    wait_for_shown(&screen, "●");
    Docker::inner_tmux(&container, &["detach-client", "-s", "main"]);
    wait_for_shown(&screen, "");
    wait_for_equal("the options to be gone", "", || {
        host.tmux(["show-options", "-w", "-t", "main:0"]).replace("automatic-rename off", "")
    });
}

#[test]
fn a_bell_in_a_session_that_nobody_looks_at_shows_until_somebody_does() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = client(&host);
    open(&world, &host, &project);
    wait_for_shown(&screen, "●");
    let line = "while [ ! -e ring ]; do sleep 0.1; done; printf '\\a'; exec sleep 1000";
    let detached = world.wharf(["open", "--detach", "--session", "claude"]).arg(&project);
    detached.args(["--", "sh", "-c", line]).success();
    assert_eq!(shown(&screen), "●");
    fs::write(project.join("ring"), "").unwrap();
    wait_for_shown(&screen, "● !claude");
    // tmux says when a client came by whole seconds.
    let rung = Instant::now();
    wait_until("another second", || rung.elapsed() > Duration::from_millis(1100));
    world.wharf(["open", "--session", "claude"]).arg(&project).env("TMUX", host.variable()).success();
    wait_for_shown(&screen, "●");
    // Once it was seen, leaving does not bring it back.
    host.tmux(["kill-window"]);
    wait_until("the other window", || host.windows("#{@wharf_session} #{@wharf_bell}") == ["main "]);
}

#[test]
fn activity_shows_where_tmux_is_told_to_monitor_it() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    host.tmux(["set-option", "-gw", "monitor-activity", "on"]);
    let screen = client(&host);
    open(&world, &host, &project);
    wait_for_shown(&screen, "●");
    let line = "while [ ! -e go ]; do sleep 0.1; done; while :; do echo busy; sleep 1; done";
    let detached = world.wharf(["open", "--detach", "--session", "build"]).arg(&project);
    detached.args(["--", "sh", "-c", line]).success();
    fs::write(project.join("go"), "").unwrap();
    wait_for_shown(&screen, "● +");
    host.tmux(["set-option", "-gw", "monitor-activity", "off"]);
    wait_for_shown(&screen, "●");
    // As when a configuration file is read again.
    host.tmux(["set-option", "-gw", "monitor-activity", "on"]);
    world.wharf(["setup"]).env("TMUX", host.variable()).success();
    wait_for_shown(&screen, "● +");
}

#[test]
fn a_container_whose_image_has_changed_is_marked() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = client(&host);
    let image = Tag::of(&world, DEBIAN);
    let open = world.wharf(["open", "--image", &image.0]).arg(&project).env("TMUX", host.variable());
    open.success();
    wait_for_shown(&screen, "●");
    screen.wait_for_prompt();
    let container = world.container_of(&project);
    image.set(BUSYBOX);
    Docker::run(["pause", &container]);
    wait_for_shown(&screen, "● paused ~");
}

#[test]
fn drawing_the_status_line_starts_no_process() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = client(&host);
    open(&world, &host, &project);
    wait_for_shown(&screen, "●");
    let server = host.tmux(["display-message", "-p", "#{pid}"]);
    host.tmux(["set-option", "-g", "status-interval", "1"]);
    host.tmux(["set-option", "-g", "status-left", "#{client_written} "]);
    let after_three = || {
        let before = faults_of_children(&server);
        for _ in 0..3 {
            let before = screen.text();
            wait_until("the line to be drawn again", || screen.text() != before);
        }
        (before, faults_of_children(&server))
    };
    let (before, after) = after_three();
    assert_eq!(before, after);
    // Such a process would have been seen.
    host.tmux(["set-option", "-g", "status-right", "#(true)"]);
    let (before, after) = after_three();
    assert_ne!(before, after);
}

/// The page faults of a process's children that have ended: every process has some.
fn faults_of_children(process: &str) -> String {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // The 11th and the 13th of proc(5); the first two come before the parenthesis.
    format!("{} {}", fields[8], fields[10])
}

#[test]
fn what_a_person_has_set_is_kept_and_shown() {
    let world = World::new();
    let project = world.project("api");
    let host = Host::bare(&world);
    host.tmux(["set-option", "-g", "@wharf-status-running", "up #{window_name}"]);
    world.wharf(["setup"]).env("TMUX", host.variable()).success();
    let screen = client(&host);
    open(&world, &host, &project);
    wait_for_shown(&screen, "up api");
    world.wharf(["setup"]).env("TMUX", host.variable()).success();
    assert_eq!(host.tmux(["show-options", "-gv", "@wharf-status-running"]), "up #{window_name}");
}

#[test]
fn a_directorys_name_is_never_expanded() {
    let world = World::new();
    let project = world.project(&format!("#({TRAP}) #{{pid}} #[fg=red]"));
    let host = world.host();
    let screen = client(&host);
    open(&world, &host, &project);
    wait_for_shown(&screen, "●");
    world.assert_no_trap_has_run();
}
