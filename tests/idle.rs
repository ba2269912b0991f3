//! R72: containers that nobody uses are stopped where that is configured.

use std::fs;

use rustix::process::{Signal, kill_process, test_kill_process};

use crate::support::{Docker, Host, Talk, World, relay, wait_until};
use crate::watch::the_watcher;

/// Long enough for whoever is at work on a busy machine to show that, and short enough to be waited for.
const IDLE_STOP: &str = "idle-stop \"5s\"\n";

/// A watcher that reads the configuration as it is now, once all is in place that it is to find.
#[track_caller]
fn watch_anew(world: &World, host: &Host) {
    let watcher = the_watcher(host);
    kill_process(watcher, Signal::KILL).unwrap();
    wait_until("the watcher's end", || test_kill_process(watcher).is_err());
    watch(world, host);
}

/// By exec, nobody could say when a container was last used.
#[track_caller]
fn watch(world: &World, host: &Host) {
    world.wharf(["setup"]).env("TMUX", host.variable()).env("WHARF_ATTACH", "relay").success();
}

#[track_caller]
fn wait_for_stop(container: &str) {
    wait_until("the container to be stopped", || Docker::state(container) == "exited");
}

#[test]
fn a_container_that_nobody_uses_is_stopped_and_one_that_is_used_is_not() {
    let world = World::new();
    let [quiet, loud, own, shown, busy] = ["quiet", "loud", "own", "shown", "busy"].map(|name| world.project(name));
    let host = world.host();
    let screen = host.attach("main");
    world.wharf(["open"]).arg(&shown).env("TMUX", host.variable()).success();
    screen.wait_for_prompt();
    let line = "while [ ! -e quiet ]; do date; sleep 0.1; done; exec sleep 1000";
    world.wharf(["open", "--detach"]).arg(&loud).args(["--", "sh", "-c", line]).success();
    let [quiet, own_container, busy_container] = [&quiet, &own, &busy].map(|project| world.open_detached(project));
    // A session that people have made themselves, under a name that is none for wharf.
    let directory = own.to_str().unwrap();
    Docker::inner_tmux(&own_container, &["new-session", "-d", "-s", "long build", "-c", directory, line]);
    Docker::inner_tmux(&own_container, &["kill-session", "-t", "main"]);
    let mut program = Talk::start(world.wharf(["exec", "--", "sh", "-c", "echo on; read line"]).current_dir(&busy));
    program.wait_for_output("on\n");
    let used = [world.container_of(&loud), world.container_of(&shown), own_container, busy_container];
    fs::create_dir_all(world.root().join("home/.config/wharf")).unwrap();
    fs::write(world.root().join("home/.config/wharf/config.kdl"), IDLE_STOP).unwrap();
    watch_anew(&world, &host);

    wait_for_stop(&quiet);
    assert_eq!(used.each_ref().map(|container| Docker::state(container)), ["running"; 4]);
    // It was that which kept them.
    for loud in [&loud, &own] {
        fs::write(loud.join("quiet"), "").unwrap();
    }
    host.tmux(["kill-window", "-t", "main:1"]);
    program.say("\n");
    assert_eq!(program.end().code, Some(0));
    for container in &used {
        wait_for_stop(container);
    }
}

#[test]
fn a_container_of_which_nobody_knows_whether_it_is_used_stays() {
    let world = World::new();
    let open = |name: &str, text: &str| {
        let project = world.project(name);
        fs::write(project.join("wharf.kdl"), text).unwrap();
        world.open_detached(&project)
    };
    let [quiet, frozen, paused] = ["quiet", "frozen", "paused"].map(|name| open(name, IDLE_STOP));
    let other = open("other", "");
    let relay = relay::relay(&frozen);
    Docker::shell(&frozen, &format!("kill -STOP {relay}"));
    Docker::run(["pause", &paused]);
    let host = Host::bare(&world);
    watch(&world, &host);
    wait_for_stop(&quiet);
    let state = |container: &String| Docker::state(container);
    assert_eq!([&frozen, &paused, &other].map(state), ["running", "paused", "running"]);
    // It counts from when it runs again, or says again who uses it.
    Docker::shell(&frozen, &format!("kill -CONT {relay}"));
    Docker::run(["unpause", &paused]);
    wait_for_stop(&frozen);
    wait_for_stop(&paused);
    assert_eq!(Docker::state(&other), "running");
}
