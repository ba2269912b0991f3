//! What a container's end leaves to the programs that run in it: a hangup, and the time of a closing terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{Docker, World, wait_until};

/// Saves its state when it hears of the end, a moment later.
const SAVES: &str = "trap 'sleep 0.3; echo $1 >>saved; exit 0' HUP; echo up >ready; while :; do sleep 0.05; done";
/// Hears of nothing.
const DEAF: &str = "trap '' HUP TERM; echo up >ready; exec sleep 4713";

/// A session of this name that runs a script, once that is up.
#[track_caller]
fn open(world: &World, project: &Path, session: &str, script: &str) {
    let _ = fs::remove_file(project.join("ready"));
    let open = world.wharf(["open", "--detach", "--session", session]).arg(project);
    open.args(["--", "sh", "-c", script, "sh", session]).success();
    wait_until("the program to be up", || project.join("ready").exists());
}

fn saved(project: &Path) -> String {
    fs::read_to_string(project.join("saved")).unwrap_or_default()
}

/// A project with this configuration, which is trusted.
fn configured(world: &World, text: &str) -> PathBuf {
    let project = world.project("api");
    fs::write(project.join("wharf.kdl"), text).unwrap();
    world.wharf(["trust"]).arg(&project).success();
    project
}

#[test]
fn whoever_ends_a_container_lets_its_programs_end() {
    let world = World::new();
    let project = world.project("api");
    let name = world.open_detached(&project);
    let wharf = |words: &[&str]| {
        let _ = world.wharf(words).arg(&project).success();
    };
    let docker = |words: &[&str]| drop(Docker::run(words));
    let ends: [(&str, &dyn Fn()); 6] = [
        ("stop", &|| wharf(&["stop"])),
        ("restart", &|| wharf(&["restart", "--force"])),
        ("rebuild", &|| wharf(&["rebuild", "--force"])),
        ("fresh", &|| wharf(&["open", "--detach", "--fresh", "--force"])),
        ("docker-stop", &|| docker(&["stop", &name])),
        ("rm", &|| wharf(&["rm", "--force"])),
    ];
    let mut expected = Vec::new();
    for (way, end) in ends {
        open(&world, &project, way, SAVES);
        end();
        expected.push(way);
        assert_eq!(saved(&project).lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_prune_lets_programs_end() {
    let world = World::new();
    let (project, kept) = (world.project("api"), world.project("kept"));
    let mount = format!("mount \"{}\" \"/kept\"\n", kept.display());
    fs::write(project.join("wharf.kdl"), mount).unwrap();
    world.wharf(["trust"]).arg(&project).success();
    let script = "trap 'echo saved >/kept/saved; exit 0' HUP; echo up >/kept/ready; while :; do sleep 0.05; done";
    world.wharf(["open", "--detach"]).arg(&project).args(["--", "sh", "-c", script]).success();
    wait_until("the program to be up", || kept.join("ready").exists());
    fs::rename(&project, world.root().join("elsewhere")).unwrap();
    assert!(world.wharf(["prune", "--force"]).success().contains("removed container wharf-api-"));
    assert_eq!(saved(&kept), "saved\n");
}

#[test]
fn what_has_no_terminal_is_terminated() {
    let world = World::new();
    let project = world.project("api");
    let name = world.open_detached(&project);
    Docker::run(["exec", "--detach", &name, "sh", "-c", "trap 'echo daemon >>saved; exit' TERM; echo >ready; sleep 4711 & wait"]);
    wait_until("the daemon to be up", || project.join("ready").exists());
    // `nohup` is no way to outlive the container.
    open(
        &world,
        &project,
        "main2",
        "trap '' HUP; trap 'sleep 0.3; echo nohup >>saved; exit' TERM; echo >ready; sleep 4712 & wait",
    );
    world.wharf(["stop"]).arg(&project).success();
    assert_eq!(saved(&project), "daemon\nnohup\n");
}

#[test]
fn what_does_not_end_in_time_is_named_and_killed() {
    let world = World::new();
    let project = configured(&world, "stop-timeout \"1s\"");
    open(&world, &project, "deaf", DEAF);
    let name = world.container_of(&project);
    let begun = Instant::now();
    let stop = world.wharf(["stop"]).arg(&project).run();
    assert!((1.0..4.0).contains(&begun.elapsed().as_secs_f32()), "{:?}", begun.elapsed());
    let note = format!("note: not ended in time, and killed with container `{name}`: `sleep 4713`\n");
    assert_eq!((stop.code, stop.stdout, stop.stderr), (Some(0), format!("stopped {name}\n"), note.clone()));
    // Also of a container whose log goes with it.
    open(&world, &project, "deaf", DEAF);
    let rm = world.wharf(["rm", "--force"]).arg(&project).run();
    assert_eq!((rm.code, rm.stderr), (Some(0), note));
}

#[test]
fn an_idle_container_stops_at_once() {
    let world = World::new();
    let project = world.project("api");
    // A shell, and a command that has ended and is there to be read.
    let name = world.open_detached(&project);
    open(&world, &project, "over", "echo >ready");
    let begun = Instant::now();
    Docker::run(["stop", &name]);
    // The engine's own share is most of it.
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    assert_eq!(Docker::inspect(&name, "{{.State.ExitCode}}"), "143");
}

#[test]
fn a_session_says_by_which_signal_it_ends() {
    let script = "trap 'echo hangup >>saved; exit' HUP; trap 'echo term >>saved; exit' TERM; \
                  trap 'sleep 0.3; echo interrupt >>saved; exit' INT; echo >ready; while :; do sleep 0.05; done";
    let world = World::new();
    let kdl = format!("session \"db\" {{ command \"sh\" \"-c\" {script:?}; stop-signal \"INT\"; }}");
    let project = configured(&world, &kdl);
    let ready = || wait_until("the server to be up", || fs::remove_file(project.join("ready")).is_ok());
    world.wharf(["open", "--detach", "--session", "db"]).arg(&project).success();
    ready();
    world.wharf(["stop"]).arg(&project).success();
    assert_eq!(saved(&project), "interrupt\n");
    // Made by an attach, and beside another.
    let host = world.host();
    let screen = host.attach("main");
    let open = format!("'{}' open --session db '{}'", crate::support::binary().display(), project.display());
    host.tmux(["new-window", "-t", "main:", &open]);
    ready();
    self::open(&world, &project, "other", SAVES);
    world.wharf(["stop"]).arg(&project).success();
    let mut lines: Vec<String> = saved(&project).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["interrupt", "interrupt", "other"]);
    // Nobody was told that a session has ended.
    screen.wait_for_text("ended with exit code 143");
}

#[test]
fn a_shells_history_outlives_its_container() {
    let world = World::new();
    let project = world.project("api");
    world.open_detached(&project);
    let host = world.host();
    let screen = host.attach("main");
    host.open_shell_in(&project);
    screen.press(&["C-b", "O"]);
    screen.wait_for_prompt();
    screen.type_line("echo remember $((40+2))");
    screen.wait_for_line("remember 42");
    world.wharf(["stop"]).arg(&project).success();
    screen.wait_for_text("ended with exit code 143");
    let exec = world.wharf(["start"]).arg(&project).success();
    assert_eq!(Docker::shell(&exec, "tail -n 1 ~/.bash_history"), "echo remember $((40+2))");
}
