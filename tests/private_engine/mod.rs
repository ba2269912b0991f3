//! R15, R75, and what else needs an engine of one's own: one with nothing on it, one that hangs, one that dies and comes
//! back.

mod attached;
mod disk;
mod image;
mod list;
mod picker;
mod prune;
mod rebuild;
mod relay;
mod tools;
mod watched;

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Instant;

use crate::support::{BUSYBOX, PATIENCE, PrivateEngine, World, output_of, wait_until};

/// What a frozen engine is said to do, and the hint.
fn silence(engine: &PrivateEngine) -> [String; 2] {
    let socket = engine.socket();
    [
        format!("the container engine at `{}` did not answer within 1500 ms", socket.display()),
        "it hangs or is overloaded; `docker version` shows whether it answers".to_owned(),
    ]
}

/// What belongs to projects: wharf's tools stay on an engine, for the next container.
fn projects_volumes(engine: &PrivateEngine) -> String {
    engine.docker(&["volume", "ls", "--quiet", "--filter", "label=wharf.project"])
}

#[track_caller]
fn start(engine: &PrivateEngine, project: &Path) -> String {
    engine.wharf(["start", "--image", BUSYBOX]).arg(project).success()
}

#[test]
fn stop_all_stops_every_container_and_keeps_it() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let mut names = ["one", "two", "three"].map(|name| start(&engine, &world.project(name)));
    names.sort();
    let ids = || names.each_ref().map(|name| engine.inspect(name, "{{.Id}}"));
    let before = ids();
    engine.docker(&["run", "--detach", "--init", "--name", "foreign", BUSYBOX, "sleep", "infinity"]);

    let stopped = engine.wharf(["stop", "--all"]).success();
    let mut stopped: Vec<&str> = stopped.lines().collect();
    stopped.sort_unstable();
    assert_eq!(stopped, names.each_ref().map(|name| format!("stopped {name}")));
    for name in &names {
        // 143 is SIGTERM's; 137 would be that of the patience at its end.
        assert_eq!(engine.inspect(name, "{{.State.Status}} {{.State.ExitCode}}"), "exited 143");
    }
    assert_eq!(ids(), before);
    assert_eq!(engine.inspect("foreign", "{{.State.Status}}"), "running");
    assert_eq!(engine.wharf(["stop", "--all"]).success(), "no container runs");
}

#[test]
fn an_empty_list_says_so() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    assert_eq!(engine.wharf(["list"]).success(), "no project has a container yet; `wharf open` makes one");
    assert_eq!(engine.wharf(["list", "--json"]).success(), "[]");
}

#[test]
fn a_frozen_engine_is_reported() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let [running, new] = ["running", "new"].map(|name| world.project(name));
    let name = start(&engine, &running);
    let [error, hint] = silence(&engine);
    let expected = format!("error: {error}\nhint: {hint}\n");

    engine.freeze();
    let verbs: [(&[&str], &Path); 6] = [
        (&["list"], &running),
        (&["start", "--image", BUSYBOX], &new),
        (&["open", "--detach", "--image", BUSYBOX], &new),
        (&["stop"], &running),
        (&["stop", &name], &running),
        (&["attach", "--print"], &running),
    ];
    thread::scope(|scope| {
        for (verb, project) in verbs {
            let wharf = engine.wharf(verb).current_dir(project);
            let expected = &expected;
            scope.spawn(move || {
                let called = Instant::now();
                let error = wharf.failure();
                assert!(called.elapsed() < PATIENCE, "{verb:?}: {:?}", called.elapsed());
                assert_eq!(error, *expected, "{verb:?}");
            });
        }
    });

    // Nobody waits for it any more, so it is not done later either.
    engine.thaw();
    assert_eq!(engine.docker(&["ps", "--all", "--format", "{{.Names}} {{.State}}"]), format!("{name} running"));
    assert_eq!(projects_volumes(&engine), format!("{name}-home"));
}

#[test]
fn a_frozen_engine_is_reported_on_the_client_that_pressed_the_key() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    assert!(world.command("git").args(["init", "--quiet"]).arg(&project).status().unwrap().success());
    let host = world.host();
    host.tmux(["set-environment", "-g", "DOCKER_HOST", &engine.host()]);
    host.tmux(["new-window", "-t", "main:", "-c", project.to_str().unwrap()]);
    let screen = host.attach("main");
    let panes = || host.tmux(["list-panes", "-a", "-F", "#{window_id} #{pane_id} #{pane_in_mode}"]);
    let before = panes();

    engine.freeze();
    let pressed = Instant::now();
    screen.press(&["C-b", "O"]);
    let [error, hint] = silence(&engine);
    let message = format!("wharf: {error} · {hint}");
    // A message has one line, and the terminal 100 columns.
    screen.wait_for_text(&message.chars().take(100).collect::<String>());
    assert!(pressed.elapsed() < PATIENCE, "{:?}", pressed.elapsed());
    assert_eq!(panes(), before);
}

#[test]
fn switching_to_an_open_window_needs_no_engine() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    engine.load_default_image();
    let project = world.project("api");
    let host = world.host();
    host.tmux(["set-environment", "-g", "DOCKER_HOST", &engine.host()]);
    let current = || host.tmux(["display-message", "-p", "-t", "main:", "#{window_id}"]);
    let open = || engine.wharf(["open"]).arg(&project).env("TMUX", host.variable());
    let elsewhere = current();
    open().args(["--", "sh", "-c", "echo inside; exec sleep infinity"]).success();
    let window = current();
    assert_ne!(window, elsewhere);
    let screen = host.attach("main");
    screen.wait_for_line("inside");
    host.tmux(["select-window", "-t", &elsewhere]);
    wait_until("the other window", || !screen.text().contains("inside"));

    engine.freeze();
    assert_eq!(open().success(), "");
    assert_eq!(current(), window);
    screen.wait_for_line("inside");
}

#[test]
fn a_killed_engine_is_reported_and_a_restarted_one_is_used_again() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    let name = start(&engine, &project);
    let listed = engine.wharf(["list"]).success();

    engine.kill();
    let called = Instant::now();
    let error = engine.wharf(["list"]).failure();
    assert!(called.elapsed() < PATIENCE, "{:?}", called.elapsed());
    let socket = engine.socket();
    assert_eq!(
        error,
        format!(
            "error: no container engine at `{}`: Connection refused (os error 111)\n\
             hint: start it (`sudo systemctl start docker`), or name another in DOCKER_HOST\n",
            socket.display()
        )
    );

    engine.start_again();
    assert_eq!(engine.wharf(["list"]).success(), listed);
    assert_eq!(engine.wharf(["stop"]).arg(&project).success(), format!("stopped {name}"));
    assert_eq!(engine.inspect(&name, "{{.State.Status}} {{.State.ExitCode}}"), "exited 143");
}

#[test]
fn a_running_container_survives_the_engines_restart_and_is_listed() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    let name = start(&engine, &project);
    let process = || engine.inspect(&name, "{{.State.Status}} {{.State.Pid}} {{.State.StartedAt}}");
    let before = process();
    for end in [PrivateEngine::kill, PrivateEngine::stop] {
        end(&engine);
        engine.start_again();
        assert_eq!(process(), before);
        let rows: serde_json::Value = serde_json::from_str(&engine.wharf(["list", "--json"]).success()).unwrap();
        let rows: Vec<_> = rows.as_array().unwrap().iter().map(|row| [&row["container"], &row["state"]]).collect();
        assert_eq!(rows, [[name.as_str(), "running"]]);
        // There is nothing to bring up.
        assert_eq!(start(&engine, &project), name);
        assert_eq!(process(), before);
    }
}

#[test]
fn a_start_that_fails_leaves_nothing_behind() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    // The runtime refuses to mount anything there, which only shows when the container is started.
    let workspace = ["--workspace", "/proc/api"];
    let error = engine.wharf(["start", "--image", BUSYBOX]).args(workspace).arg(&project).failure();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("error: could not start container `wharf-api-"), "{error}");
    assert!(error.contains("/proc/api\" cannot be mounted because it is inside /proc"), "{error}");
    assert_eq!(engine.docker(&["ps", "--all", "--quiet"]), "");
    assert_eq!(projects_volumes(&engine), "");
    assert_eq!(fs::read_dir(world.root().join("state/wharf/containers")).unwrap().count(), 0);
}

#[test]
fn a_container_that_ran_before_is_kept_when_it_cannot_start() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let (main, project) = world.worktree();
    let name = start(&engine, &project);
    let id = engine.inspect(&name, "{{.Id}}");
    engine.wharf(["stop"]).arg(&project).success();

    // The worktree's common directory is mounted, and moves.
    fs::rename(&main, world.root().join("src/moved")).unwrap();
    let error = engine.wharf(["start", "--image", BUSYBOX]).arg(&project).failure();
    let source = main.join(".git");
    assert_eq!(
        error,
        format!(
            "error: could not start container `{name}`: \
             invalid mount config for type \"bind\": bind source path does not exist: {}\n",
            source.display()
        )
    );
    assert_eq!(engine.inspect(&name, "{{.Id}} {{.State.Status}}"), format!("{id} exited"));
    assert_eq!(projects_volumes(&engine), format!("{name}-home"));
}

#[test]
fn nothing_is_left_of_a_private_engine() {
    let world = World::new();
    let directory = world.root().join("engine");
    let cgroup = format!("wharf-test-{}", world.root().file_name().unwrap().to_str().unwrap());
    let of_directory = |entry: &fs::DirEntry| {
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(directory.to_str().unwrap())
    };
    let processes = || fs::read_dir("/proc").unwrap().flatten().filter(of_directory).count();
    let cgroups = || {
        fs::read_dir("/sys/fs/cgroup")
            .unwrap()
            .flatten()
            .filter(|entry| entry.file_name() == *cgroup || entry.path().join(&cgroup).exists())
            .count()
    };
    let bridge = || Path::new("/sys/class/net/docker0").exists();
    let had_bridge = bridge();

    let engine = PrivateEngine::start(&world);
    start(&engine, &world.project("api"));
    assert!(processes() > 0 && cgroups() > 0, "{} processes, {} cgroups", processes(), cgroups());
    assert_eq!(bridge(), had_bridge);

    engine.freeze();
    drop(engine);
    assert_eq!((processes(), cgroups(), directory.exists()), (0, 0, false));
}

/// A `start` that has created its container, and is not done yet.
fn half_a_start(engine: &PrivateEngine, project: &Path) -> Child {
    let mut start = engine.wharf(["start", "--image", BUSYBOX]).arg(project).into_command();
    let start = start.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // And not the one that the tools are put on the engine by.
    let made = ["ps", "--all", "--quiet", "--filter", "label=wharf.project"];
    wait_until("the container", || !engine.docker(&made).is_empty());
    start
}

#[track_caller]
fn ends_in_time(start: Child) -> String {
    let called = Instant::now();
    let output = output_of(start);
    assert!(called.elapsed() < PATIENCE, "{:?}", called.elapsed());
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), stdout.as_str()), (Some(1), ""));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn an_engine_that_freezes_in_the_middle_of_a_start_is_reported() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    let half = half_a_start(&engine, &project);
    engine.freeze();
    let [error, hint] = silence(&engine);
    assert_eq!(ends_in_time(half), format!("error: {error}\nhint: {hint}\n"));

    // The next start finishes what this one has begun.
    engine.thaw();
    let name = start(&engine, &project);
    assert_eq!(engine.docker(&["ps", "--all", "--format", "{{.Names}} {{.State}}"]), format!("{name} running"));
}

#[test]
fn an_engine_that_dies_in_the_middle_of_a_start_is_reported() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    let half = half_a_start(&engine, &project);
    engine.kill();
    let error = ends_in_time(half);
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    assert!(lines[0].starts_with(&format!("error: no container engine at `{}`: ", engine.socket().display())), "{error}");
    assert_eq!(lines[1], "hint: start it (`sudo systemctl start docker`), or name another in DOCKER_HOST");

    engine.start_again();
    let name = start(&engine, &project);
    assert_eq!(engine.docker(&["ps", "--all", "--format", "{{.Names}} {{.State}}"]), format!("{name} running"));
}
