//! R72: one process for each tmux server, which watches for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{client, open, shown, wait_for_shown};
use crate::support::{Docker, Host, World, wait_for, wait_for_equal, wait_until};

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
    // Nobody is there who would still come to say it.
    assert_eq!((watchers(&host), shown(&screen).as_str()), (vec![], "●"));
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
    other.press(&["C-b", "d"]);
    wait_for_equal("the client to have gone", "main", || host.tmux(["list-clients", "-F", "#{session_name}"]));
    // Only now: tmux 3.3a may draw a client that leaves, whose session it has destroyed, and die of it.
    host.tmux(["set-option", "-t", "second", "destroy-unattached", "on"]);
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
