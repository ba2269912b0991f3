//! R72: the status line says how a window's container stands, at no process for each time that it is drawn.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::support::{DEBIAN, Docker, Host, Screen, World, wait_for, wait_for_equal, wait_until};

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

/// The processes that watch a host's server.
fn watchers(host: &Host) -> Vec<Pid> {
    let socket = host.tmux(["display-message", "-p", "#{socket_path}"]);
    let is_watcher = |process: &PathBuf| {
        let read = |name| fs::read(process.join(name)).unwrap_or_default();
        let has = |bytes: Vec<u8>, word: &str| bytes.split(|&b| b == 0).any(|found| found.starts_with(word.as_bytes()));
        has(read("cmdline"), "--serve") && has(read("cmdline"), "watch") && has(read("environ"), &format!("TMUX={socket},"))
    };
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    processes.filter(is_watcher).filter_map(|path| Pid::from_raw(path.file_name()?.to_str()?.parse().ok()?)).collect()
}

#[track_caller]
pub fn the_watcher(host: &Host) -> Pid {
    // A process that it starts is called the same for a moment.
    wait_for("one watcher", || Some(watchers(host)).filter(|watchers| watchers.len() == 1).map(|watchers| watchers[0]))
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
    let image = format!("wharf-test-watch-{}", std::process::id());
    Docker::run(["tag", DEBIAN, &image]);
    let open = world.wharf(["open", "--image", &image]).arg(&project).env("TMUX", host.variable());
    open.success();
    wait_for_shown(&screen, "●");
    let container = world.container_of(&project);
    Docker::run(["tag", crate::support::BUSYBOX, &image]);
    Docker::run(["pause", &container]);
    wait_for_shown(&screen, "● paused ~");
    Docker::run(["rmi", "--no-prune", &image]);
}

#[test]
fn twenty_setups_at_once_leave_one_watcher() {
    let world = World::new();
    let host = Host::bare(&world);
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| world.wharf(["setup"]).env("TMUX", host.variable()).success());
        }
    });
    let watcher = the_watcher(&host);
    // Those that were started and came too late have gone by the time that the one is at work.
    wait_until("the others' end", || watchers(&host) == [watcher]);
    world.wharf(["setup"]).env("TMUX", host.variable()).success();
    assert_eq!(watchers(&host), [watcher]);
}

#[test]
fn a_watcher_that_was_killed_is_started_again_by_the_next_command() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = client(&host);
    let container = open(&world, &host, &project);
    wait_for_shown(&screen, "●");
    screen.wait_for_prompt();
    let watcher = the_watcher(&host);
    kill_process(watcher, Signal::KILL).unwrap();
    wait_until("the watcher's end", || watchers(&host).is_empty());
    Docker::run(["stop", &container]);
    // The window is there: nothing but a switch.
    world.wharf(["open"]).arg(&project).env("TMUX", host.variable()).env("DOCKER_HOST", "unix:///nonexistent.sock").success();
    assert_ne!(the_watcher(&host), watcher);
}

#[test]
fn what_a_killed_watcher_has_missed_shows_once_there_is_another() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = client(&host);
    let container = open(&world, &host, &project);
    wait_for_shown(&screen, "●");
    // Nobody else is on the way who would start another.
    screen.wait_for_prompt();
    kill_process(the_watcher(&host), Signal::KILL).unwrap();
    wait_until("the watcher's end", || watchers(&host).is_empty());
    Docker::run(["stop", &container]);
    assert_eq!(shown(&screen), "●");
    world.wharf(["setup"]).env("TMUX", host.variable()).success();
    wait_for_shown(&screen, "○ stopped");
}

#[test]
fn a_watcher_ends_with_its_server_and_leaves_nothing() {
    let world = World::new();
    let host = world.host();
    let watcher = the_watcher(&host);
    let claims = || fs::read_dir(world.root().join("state/wharf/watch")).map_or(0, Iterator::count);
    wait_until("its claim", || claims() == 1);
    host.kill_server();
    wait_until("the watcher's end", || test_kill_process(watcher).is_err());
    assert_eq!(claims(), 0);
}

#[test]
fn a_watcher_belongs_to_no_session() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let watcher = the_watcher(&host);
    assert_eq!(host.tmux(["list-clients", "-F", "#{client_name}"]), "");
    let screen = client(&host);
    host.start_server("second", &project);
    let other = host.attach("second");
    host.tmux(["set-option", "-t", "second", "destroy-unattached", "on"]);
    other.press(&["C-b", "d"]);
    wait_for_equal("the session's end", "main", || host.tmux(["list-sessions", "-F", "#{session_name}"]));
    host.start_server("third", &project);
    host.tmux(["switch-client", "-c", &host.tmux(["list-clients", "-F", "#{client_name}"]), "-t", "third"]);
    host.tmux(["kill-session", "-t", "main"]);
    open(&world, &host, &project);
    wait_for_shown(&screen, "●");
    // It is at work by now, and no client of the kind that a server can die of.
    assert_eq!(host.tmux(["list-clients", "-F", "#{client_control_mode}"]), "0");
    assert_eq!(the_watcher(&host), watcher);
}

#[test]
fn the_server_outlives_whatever_happens_while_a_watcher_starts() {
    let world = World::new();
    let host = Host::bare(&world);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..20 {
                world.wharf(["setup"]).env("TMUX", host.variable()).success();
                kill_process(the_watcher(&host), Signal::KILL).unwrap();
            }
        });
        for _ in 0..200 {
            host.tmux(["new-window", "-d", ";", "select-window", "-t", ":+", ";", "kill-window"]);
        }
    });
}

#[test]
fn another_wharfs_watcher_is_replaced_by_setup() {
    let world = World::new();
    let host = world.host();
    let before = the_watcher(&host);
    let other = world.installed().join("bin/wharf");
    let setup = |program: &Path| world.command(program).arg("setup").env("TMUX", host.variable()).status().unwrap();
    assert!(setup(&other).success());
    wait_until("another watcher", || watchers(&host).iter().all(|&watcher| watcher != before) && !watchers(&host).is_empty());
    let now = the_watcher(&host);
    assert_eq!(fs::read_link(format!("/proc/{}/exe", now.as_raw_nonzero())).unwrap(), other);
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
    let name = "#(touch x) #{pid} #[fg=red]";
    let project = world.project(name);
    let host = world.host();
    let screen = client(&host);
    open(&world, &host, &project);
    wait_for_shown(&screen, "●");
    let found = |directory: &Path| directory.join("x").exists();
    assert!(!found(&project) && !found(&world.root().join("src")) && !found(&world.project("elsewhere")));
}
