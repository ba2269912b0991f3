//! R20: what becomes of a container when its last session ends, without any wharf on the host.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::relay::processes;
use crate::support::{DEBIAN, Docker, Talk, World, wait_until};

const WAYS: [&str; 2] = ["relay", "exec"];

/// A project with this configuration, which is trusted.
fn project(world: &World, name: &str, text: &str) -> PathBuf {
    let project = world.project(name);
    fs::write(project.join("wharf.kdl"), format!("image \"{DEBIAN}\"\n{text}\n")).unwrap();
    world.wharf(["trust"]).arg(&project).success();
    project
}

#[track_caller]
fn wait_for_stop(container: &str) {
    wait_until("the container's end", || Docker::state(container) == "exited");
}

#[track_caller]
fn wait_for_removal(project: &Path) {
    wait_until("the container to be gone", || Docker::below("container", project).is_empty());
}

#[test]
fn a_container_stops_with_its_last_session_and_not_before() {
    let world = World::new();
    for way in WAYS {
        let project = project(&world, way, "on-exit \"stop\"");
        let open = |session: &str| {
            world.wharf(["open", "--detach", "--session", session]).arg(&project).env("WHARF_ATTACH", way).success()
        };
        world.wharf(["start"]).arg(&project).env("WHARF_ATTACH", way).success();
        let container = world.container_of(&project);
        assert_eq!(Docker::inspect(&container, "{{index .Config.Labels \"wharf.on_exit\"}}"), "stop");
        // Neither a program nor whoever looks for a session is one.
        let exec = |script: &str| world.wharf(["exec", "--", "sh", "-c", script]).current_dir(&project).env("WHARF_ATTACH", way);
        assert_eq!(exec("echo hi").success(), "hi");
        world.wharf(["capture"]).arg(&project).env("WHARF_ATTACH", way).failure();
        Docker::shell(&container, "tmux -S /run/wharf/tmux.sock -f /run/wharf/tools/tmux.conf attach; true");
        open("one");
        open("two");
        Docker::inner_tmux(&container, &["kill-session", "-t", "one"]);
        // What runs in it counts, too.
        let program = Talk::start(exec("echo on; read line; echo \"$line\""));
        program.wait_for_output("on\n");
        Docker::inner_tmux(&container, &["kill-session", "-t", "two"]);
        wait_until("no session", || world.wharf(["sessions", "--json"]).arg(&project).success() == "[]");
        let mut program = program;
        program.say("still here\n");
        program.wait_for_output("still here\n");
        assert_eq!(program.end().code, Some(0));
        wait_for_stop(&container);

        // It starts again, and stays until there has been a session.
        let id = Docker::inspect(&container, "{{.Id}}");
        world.wharf(["start"]).arg(&project).env("WHARF_ATTACH", way).success();
        open("main");
        assert_eq!(Docker::inspect(&container, "{{.State.Status}} {{.Id}}"), format!("running {id}"));
        Docker::output(["exec", &container, "tmux", "-S", "/run/wharf/tmux.sock", "kill-server"]);
        wait_for_stop(&container);
    }
}

#[test]
fn one_that_goes_with_its_end_is_not_restarted_but_rebuilt() {
    let world = World::new();
    let [configured, flagged] = ["on-exit \"remove\"", ""].map(|text| project(&world, &format!("n{}", text.len()), text));
    world.open_detached(&configured);
    world.wharf(["open", "--detach", "--rm"]).arg(&flagged).success();
    for project in [configured, flagged] {
        let container = world.container_of(&project);
        let before = Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}");
        let refusal = format!(
            "error: container `{container}` is removed when it ends, so it can't be started again\n\
             hint: `wharf rebuild {container}` makes a new one like it\n"
        );
        assert_eq!(world.wharf(["restart"]).arg(&project).failure(), refusal);
        assert_eq!(Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}"), before);
        world.wharf(["rebuild", "--force", &container]).success();
        let made = Docker::inspect(&container, "{{index .Config.Labels \"wharf.on_exit\"}} {{.HostConfig.AutoRemove}}");
        assert_eq!(made, "remove true");
    }
}

#[test]
fn a_window_closes_with_the_container() {
    let world = World::new();
    let host = world.host();
    let screen = host.attach("main");
    for (way, on_exit) in [("relay", "stop"), ("exec", "stop"), ("relay", "remove"), ("exec", "remove")] {
        let project = project(&world, &format!("{way}-{on_exit}"), &format!("on-exit \"{on_exit}\"\nattach \"{way}\""));
        world.wharf(["open"]).arg(&project).env("TMUX", host.variable()).success();
        screen.wait_for_prompt();
        let container = world.container_of(&project);
        // A second viewer of the same session.
        let attach = format!("'{}' attach '{}'", crate::support::binary().display(), project.display());
        host.tmux(["new-window", "-d", "-t", "main:", &attach]);
        wait_until("two viewers", || Docker::inner_clients(&container).len() == 2);
        screen.type_line("touch ~/marker; exit");
        wait_until("the windows to be gone", || host.tmux(["list-windows", "-a"]).lines().count() == 1);
        if on_exit == "stop" {
            wait_for_stop(&container);
        } else {
            wait_for_removal(&project);
            // What is kept is as it was.
            assert_eq!(Docker::below("volume", &project), [format!("{container}-home")]);
            let container = world.open_detached(&project);
            assert_eq!(Docker::shell(&container, "ls ~"), "marker");
        }
    }
}

#[test]
fn a_container_that_goes_says_so_and_goes_with_a_stop() {
    let world = World::new();
    let project = project(&world, "api", "on-exit \"remove\"");
    let container = world.open_detached(&project);
    let inspect: serde_json::Value = serde_json::from_str(&world.wharf(["inspect", "--json"]).arg(&project).success()).unwrap();
    assert_eq!((inspect["on_exit"].as_str(), inspect["labels"]["wharf.on_exit"].as_str()), (Some("remove"), Some("remove")));
    assert_eq!(world.wharf(["stop"]).arg(&project).success(), format!("stopped and removed {container}"));
    assert_eq!(Docker::below("container", &project), Vec::<String>::new());

    // A new one can take its place while it runs.
    world.open_detached(&project);
    let id = Docker::inspect(&container, "{{.Id}}");
    world.wharf(["rebuild", "--force"]).arg(&project).success();
    assert_ne!(Docker::inspect(&container, "{{.Id}}"), id);
    world.wharf(["rm", "--force"]).arg(&project).success();
    assert_eq!(Docker::below("container", &project), Vec::<String>::new());
}

#[test]
fn open_rm_makes_a_container_that_goes_and_takes_no_other() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let refusal = world.wharf(["open", "--rm", "--detach"]).arg(&project).failure();
    let error = format!("error: container `{container}` exists already, and is not removed when its last session ends\n");
    assert_eq!(refusal, error + "hint: leave out `--rm`; or `wharf open --fresh --rm` recreates it\n");
    assert_eq!(Docker::state(&container), "running");
    world.wharf(["rm", "--force"]).arg(&project).success();

    let host = world.host();
    let screen = host.attach("main");
    world.wharf(["open", "--rm"]).arg(&project).env("TMUX", host.variable()).success();
    screen.wait_for_prompt();
    // Once more: it was made so.
    world.wharf(["open", "--rm", "--detach", "--session", "two"]).arg(&project).success();
    screen.type_line("exit");
    wait_until("the window to be gone", || host.windows("").is_empty());
    assert_eq!(Docker::state(&container), "running");
    Docker::inner_tmux(&container, &["kill-session", "-t", "two"]);
    wait_for_removal(&project);
    assert_eq!(Docker::below("volume", &project), [format!("{container}-home")]);
}

#[test]
fn a_relay_that_was_killed_still_sees_the_end() {
    let world = World::new();
    let project = project(&world, "api", "on-exit \"stop\"");
    let container = world.open_detached(&project);
    let relay = crate::support::relay::relay(&container);
    Docker::shell(&container, &format!("kill -KILL {relay}"));
    wait_until("the relay's end", || processes(&container, "wharf relay --serve ").is_empty());
    world.wharf(["exec", "--", "true"]).current_dir(&project).env("WHARF_ATTACH", "relay").success();
    Docker::inner_tmux(&container, &["kill-session", "-t", "main"]);
    wait_for_stop(&container);
}

#[test]
fn without_it_a_container_outlives_its_sessions() {
    let world = World::new();
    let [unsaid, kept, other] = [("unsaid", ""), ("keep", "on-exit \"keep\""), ("stop", "on-exit \"stop\"")]
        .map(|(name, text)| world.open_detached(&project(&world, name, text)));
    for container in [&unsaid, &kept, &other] {
        Docker::inner_tmux(container, &["kill-session", "-t", "main"]);
    }
    wait_for_stop(&other);
    assert_eq!([&unsaid, &kept].map(|container| Docker::state(container)), ["running", "running"]);
}

/// Who was greeted then would lose the connection with the container.
#[test]
fn nobody_is_greeted_once_the_end_has_come() {
    let world = World::new();
    let project = project(&world, "api", "on-exit \"stop\"");
    let container = world.open_detached(&project);
    // It ends when it goes on.
    let tell_holder = |signal: &str| {
        let line = format!("kill -{signal} $(cat /run/wharf/until-last-session)");
        Docker::output(["exec", &container, "sh", "-c", &line])
    };
    assert!(tell_holder("STOP").status.success());
    Docker::inner_tmux(&container, &["kill-session", "-t", "main"]);
    wait_until("the relay's end", || processes(&container, "wharf relay --serve ").is_empty());
    assert_eq!(Docker::state(&container), "running");
    assert!(!crate::support::relay::shared(&world, &container).join("relay.sock").exists());
    // The shell that says so may end with the container.
    tell_holder("CONT");
    wait_for_stop(&container);
}

#[test]
fn who_comes_at_the_last_moment_gets_in() {
    let world = World::new();
    let project = project(&world, "api", "on-exit \"remove\"");
    world.open_detached(&project);
    for n in 0..8 {
        let container = world.container_of(&project);
        Docker::inner_tmux(&container, &["kill-session"]);
        // Nothing is waited for: each comes at another moment of the end.
        std::thread::sleep(std::time::Duration::from_millis(40 * n));
        world.open_detached(&project);
        assert_eq!(Docker::inner_tmux(&container, &["list-sessions", "-F", "#{session_name}"]), "main");
    }
}

#[test]
fn a_session_of_any_name_keeps_its_container() {
    let world = World::new();
    let [kept, other] = ["kept", "other"].map(|name| project(&world, name, "on-exit \"remove\""));
    let [container, clock] = [&kept, &other].map(|project| world.open_detached(project));
    // As by people in a session, whose `$TMUX` leads to the same server.
    Docker::inner_tmux(&container, &["new-session", "-d", "-s", "long build", "sleep", "1000"]);
    for container in [&container, &clock] {
        Docker::inner_tmux(container, &["kill-session", "-t", "main"]);
    }
    wait_for_removal(&other);
    assert_eq!(Docker::state(&container), "running");
    let listed: serde_json::Value = serde_json::from_str(&world.wharf(["sessions", "--json"]).arg(&kept).success()).unwrap();
    assert_eq!((listed[0]["name"].as_str(), listed.as_array().map(Vec::len)), (Some("long build"), Some(1)));
    assert_eq!(
        world.wharf(["rm"]).arg(&kept).failure(),
        format!("error: container `{container}` has live sessions: long build\nhint: `wharf rm --force {container}` ends them\n")
    );
    Docker::inner_tmux(&container, &["kill-session", "-t", "=long build"]);
    wait_for_removal(&kept);
}

#[test]
fn a_container_whose_tmux_cannot_be_asked_keeps_its_sessions() {
    // Takes all processes that there may be, and each that gets free.
    const HUNGRY: &str = r#"
        select undef, undef, undef, 0.01 until -e "go";
        while (1) {
            my $child = fork;
            if (!defined $child) { select undef, undef, undef, 0.001 } elsif (!$child) { sleep 1000; exit }
        }"#;
    let world = World::new();
    let [full, other] = ["full", "other"].map(|name| project(&world, name, "on-exit \"remove\"\nlimits pids=50"));
    let in_full = |words: &[&str]| world.wharf(words).current_dir(&full).env("WHARF_ATTACH", "relay");
    in_full(&["open", "--detach", "--", "perl", "-e", HUNGRY]).success();
    let container = world.container_of(&full);
    let clock = world.open_detached(&other);
    fs::write(full.join("go"), "").unwrap();
    wait_until("the limit", || in_full(&["exec", "--", "true"]).run().code == Some(126));

    let reason = "wharf: could not run `/usr/bin/tmux`: Resource temporarily unavailable (os error 11)";
    let unknown = format!("error: could not list the sessions in container `{container}`: {reason}\n");
    for verb in [&["sessions"][..], &["rm"], &["wait", "--for", "end"]] {
        assert_eq!(in_full(verb).failure(), unknown);
    }
    Docker::inner_tmux(&clock, &["kill-session", "-t", "main"]);
    wait_for_removal(&other);
    assert_eq!(Docker::state(&container), "running");
}
