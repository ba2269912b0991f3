//! R10, R11, R13, R15, R16, R22, R23: what becomes of a container.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::configured::trusted;
use crate::support::{BAD_SLEEP, BUSYBOX, Docker, NO_SLEEP, World, output_of, wait_for, wait_until};

#[test]
fn start_works_from_every_state() {
    let world = World::new();
    let project = world.project("api");
    let start = || world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let name = start();
    let id = Docker::inspect(&name, "{{.Id}}");
    for bring_about in [vec!["stop", "-t", "1"], vec!["pause"], vec!["kill"]] {
        Docker::run(bring_about.iter().copied().chain([name.as_str()]));
        assert_ne!(Docker::state(&name), "running");
        assert_eq!(start(), name);
        assert_eq!(Docker::inspect(&name, "{{.State.Status}} {{.Id}}"), format!("running {id}"), "{bring_about:?}");
    }
}

#[test]
fn open_gets_into_a_container_that_is_paused_or_stopped() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let open = || world.wharf(["open"]).arg(&project).env("TMUX", host.variable()).success();
    open();
    screen.wait_for_prompt();
    screen.type_line("echo $((6*7))");
    screen.wait_for_line("42");
    let name = world.container_of(&project);
    let id = Docker::inspect(&name, "{{.Id}}");
    for bring_about in [vec!["pause"], vec!["stop", "-t", "1"]] {
        host.tmux(["kill-window", "-t", &host.windows("#{window_id}")[0]]);
        wait_until("nobody to be attached", || Docker::inner_clients(&name).is_empty());
        Docker::run(bring_about.iter().copied().chain([name.as_str()]));
        open();
        screen.wait_for_prompt();
        // A paused session goes on, and one that was stopped begins anew.
        assert_eq!(screen.text().lines().any(|line| line == "42"), bring_about == ["pause"]);
        assert_eq!(Docker::inspect(&name, "{{.State.Status}} {{.Id}}"), format!("running {id}"), "{bring_about:?}");
        assert_eq!(Docker::inner_clients(&name).len(), 1);
    }
}

#[test]
fn a_container_that_was_made_and_never_started_is_prepared_and_started() {
    let world = World::new();
    let project = world.project("api");
    let name = world.open_detached(&project);
    // As a launch leaves it that is interrupted between the two.
    let labels = Docker::inspect(&name, "{{range $k, $v := .Config.Labels}}--label={{$k}}={{$v}}\n{{end}}");
    let tools = Docker::inspect(&name, "{{range .Mounts}}{{if eq .Destination \"/run/wharf/tools\"}}{{.Name}}{{end}}{{end}}");
    let tools = format!("--volume={tools}:/run/wharf/tools:ro");
    let command = Docker::inspect(&name, "{{range .Config.Entrypoint}}{{.}}\n{{end}}");
    let mut command: Vec<&str> = command.lines().collect();
    let entrypoint = format!("--entrypoint={}", command.remove(0));
    Docker::run(["rm", "-f", &name]);
    // An engine without an init is podman, which takes no ids, and gives this to the container's user.
    let owner = Docker::init().map_or("U".to_owned(), |_| format!("uid={}", rustix::process::getuid().as_raw()));
    let tmpfs = format!("--tmpfs=/run/wharf:mode=0700,{owner}");
    let user = format!("--user={}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let init = format!("--init={}", Docker::init().is_some());
    let mut create = vec!["create", &init, "--name", &name, &tmpfs, &user, &tools, &entrypoint];
    create.extend(labels.lines());
    create.push(crate::support::DEBIAN);
    create.extend(command);
    Docker::run(create);
    assert_eq!(world.open_detached(&project), name);
    assert_eq!(Docker::inner_tmux(&name, &["list-sessions", "-F", "#{session_name}"]), "main");
}

#[test]
fn the_first_process_is_an_init_with_sleep_beneath_it() {
    let world = World::new();
    let project = world.project("api");
    let name = world.open_detached(&project);
    // Where the engine has none, it is wharf's own.
    let first = Docker::shell(&name, "tr '\\0' ' ' </proc/1/cmdline");
    assert!(first.contains(&Docker::init().unwrap_or("wharf init ".to_owned())), "{first}");
    // It is held by wharf, which hears of the container's end.
    let held = "tr '\\0' ' ' </proc/$(pgrep -o -P $(pgrep -o -P 1))/cmdline";
    assert_eq!(Docker::shell(&name, held), "sleep infinity ");

    // An orphan that ends is reaped: a zombie would have its entry.
    let orphan = Docker::shell(&name, "sleep 0.05 >/dev/null 2>&1 & echo $!");
    wait_until("the orphan to be reaped", || Docker::shell(&name, &format!("ls -d /proc/{orphan} 2>/dev/null; true")).is_empty());
}

#[test]
fn stop_asks_once_and_does_not_wait_ten_seconds() {
    let world = World::new();
    let project = world.project("api");
    let name = world.open_detached(&project);
    assert_eq!(world.wharf(["stop"]).arg(&project).success(), format!("stopped {name}"));
    // 143 is SIGTERM's; 137 would be the engine's patience at its end.
    assert_eq!(Docker::inspect(&name, "{{.State.Status}} {{.State.ExitCode}}"), "exited 143");
    assert_eq!(world.wharf(["stop"]).arg(&project).success(), format!("was not running: {name}"));
}

#[test]
fn stop_takes_several_targets_and_tells_of_each_that_fails() {
    let world = World::new();
    let [one, two] = ["one", "two"].map(|name| world.project(name));
    let names = [&one, &two].map(|project| world.wharf(["start", "--image", BUSYBOX]).arg(project).success());
    Docker::run(["pause", &names[1]]);
    let outcome = world.wharf(["stop", "no-such-a"]).arg(&one).arg("no-such-b").arg(&two).run();
    assert_eq!(outcome.code, Some(1));
    for name in names {
        assert_eq!(Docker::state(&name), "exited");
    }
    let errors: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("error:")).collect();
    assert_eq!(
        errors,
        [
            "error: no project or container is called `no-such-a`",
            "error: no project or container is called `no-such-b`",
            "error: 2 of 4 failed"
        ]
    );
}

#[test]
fn rm_keeps_the_volumes_unless_told() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let volume = format!("{container}-home");
    Docker::shell(&container, "echo precious >~/marker");
    Docker::inner_tmux(&container, &["kill-server"]);

    assert_eq!(world.wharf(["rm"]).arg(&project).success(), format!("removed {container}"));
    assert!(Docker::below("container", &project).is_empty());
    assert_eq!(Docker::below("volume", &project), [volume.as_str()]);

    world.open_detached(&project);
    assert_eq!(Docker::shell(&container, "cat ~/marker"), "precious");
    assert_eq!(
        world.wharf(["rm", "--force", "--volumes"]).arg(&project).success(),
        format!("removed {container} and its volumes")
    );
    assert!(Docker::below("container", &project).is_empty());
    assert!(Docker::below("volume", &project).is_empty());
}

#[test]
fn rm_of_a_container_with_live_sessions_has_to_be_forced() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    world.wharf(["open", "--detach", "--session", "logs"]).arg(&project).success();
    let refusal =
        format!("error: container `{container}` has live sessions: logs, main\nhint: `wharf rm --force {container}` ends them\n");
    assert_eq!(world.wharf(["rm", "--volumes"]).arg(&project).failure(), refusal);
    assert_eq!(Docker::state(&container), "running");
    assert_eq!(world.wharf(["rm", "--force"]).arg(&project).success(), format!("removed {container}"));
}

#[test]
fn rm_of_a_paused_container_has_to_be_forced() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    Docker::run(["pause", &container]);
    assert_eq!(
        world.wharf(["rm"]).arg(&project).failure(),
        format!(
            "error: container `{container}` is paused, so nobody can say whether sessions live in it\n\
             hint: `wharf rm --force {container}` removes it all the same\n"
        )
    );
    assert_eq!(Docker::state(&container), "paused");
    world.wharf(["rm", "--force"]).arg(&project).success();
}

#[test]
fn the_way_out_of_a_container_that_nobody_gets_into_is_one() {
    let world = World::new();
    let project = world.project("api");
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    Docker::run(["rm", "-f", &container]);
    // As a wharf has made it that had no relay.
    let label = format!("--label=wharf.project={}", project.display());
    Docker::run(["run", "--detach", "--name", &container, "--label=wharf=true", &label, BUSYBOX, "sleep", "infinity"]);
    let refusal = format!(
        "error: container `{container}` was made by an older wharf, without the volume of tools\n\
         hint: `wharf rm --force {container}`, then `wharf open`: ends what runs in it, and keeps its home directory\n"
    );
    for verb in [&["open", "--detach"][..], &["rm"], &["rebuild"]] {
        assert_eq!(world.wharf(verb).arg(&project).failure(), refusal, "{verb:?}");
    }
    world.wharf(["rm", "--force", &container]).success();
    assert_eq!(world.open_detached(&project), container);
}

#[test]
fn rm_asks_on_a_terminal() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let screen = host.attach("main");
    let rm = format!("'{}' rm '{}'", crate::support::binary().display(), project.display());
    screen.type_line(&rm);
    screen.wait_for_text("has live sessions (main). Remove its container and end them? [y/N]");
    screen.type_line("n");
    screen.wait_for_text("error: cancelled");
    assert_eq!(Docker::state(&container), "running");
    screen.type_line(&format!("clear; {rm}"));
    screen.wait_for_text("[y/N]");
    screen.type_line("y");
    screen.wait_for_text(&format!("removed {container}"));
    assert!(Docker::below("container", &project).is_empty());
}

#[test]
fn what_has_begun_since_a_person_was_asked_is_asked_for_again() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let screen = host.attach("main");
    screen.type_line(&format!("'{}' rm '{}'", crate::support::binary().display(), project.display()));
    let question = |sessions: &str| format!("has live sessions ({sessions}). Remove its container and end them? [y/N]");
    screen.wait_for_text(&question("main"));
    world.wharf(["open", "--detach", "--session", "logs"]).arg(&project).success();
    screen.type_line("y");
    screen.wait_for_text(&question("logs, main"));
    // Another container, in which a session of the same name runs.
    world.wharf(["open", "--fresh", "--force", "--detach"]).arg(&project).success();
    let id = Docker::inspect(&container, "{{.Id}}");
    screen.type_line("y");
    wait_until("the third question", || screen.text().replace('\n', "").matches(&question("main")).count() == 2);
    screen.type_line("n");
    screen.wait_for_text("error: cancelled");
    assert_eq!(Docker::inspect(&container, "{{.Id}} {{.State.Status}}"), format!("{id} running"));
}

#[test]
fn a_container_that_ends_at_once_is_reported_with_its_log_and_leaves_nothing() {
    let world = World::new();
    let project = world.project("api");
    for verb in [vec!["start"], vec!["open", "--detach"]] {
        let error = world.wharf(verb).args(["--image", BAD_SLEEP]).arg(&project).failure();
        let mut lines = error.lines();
        let first = lines.next().unwrap();
        assert!(first.starts_with("error: container `wharf-api-") && first.ends_with("` ended with exit code 126"), "{error}");
        let log = lines.next().unwrap();
        assert!(log.starts_with("  | ") && log.contains("could not run `sleep`: Exec format error"), "{error}");
        assert!(Docker::below("container", &project).is_empty());
        assert!(Docker::below("volume", &project).is_empty());
    }
}

#[test]
fn a_container_that_never_gets_ready_is_reported_with_its_log() {
    let world = World::new();
    let text = format!("image \"{NO_SLEEP}\"\nmount \"sleep\" \"/bin/sleep\"\n");
    let project = trusted(&world, &text);
    let sleep = project.join("sleep");
    fs::write(&sleep, "#!/bin/sh\necho something else; exec tail -f /dev/null\n").unwrap();
    fs::set_permissions(&sleep, Permissions::from_mode(0o755)).unwrap();
    // By the relay it would be usable all the same.
    let start = || world.wharf(["start"]).arg(&project).env("WHARF_ATTACH", "exec").run();
    let refused = wait_for("the engine to look when the script is over", || {
        Some(start())
            .filter(|outcome| outcome.code != Some(0) || world.wharf(["rm", "--force"]).arg(&project).run().code != Some(0))
    });
    let container = world.container_of(&project);
    let expected = format!(
        "error: container `{container}` runs, and was not ready within 10 s\n  | something else\n\
         hint: `docker logs {container}` has the rest; `wharf rm --force {container}` removes it\n"
    );
    assert_eq!((refused.code, refused.stderr), (Some(1), expected));
}

#[test]
fn fifty_starts_at_once_end_with_one_container() {
    let world = World::new();
    let project = world.project("api");
    let start = || {
        let mut command = world.wharf(["start", "--image", BUSYBOX]).arg(&project).into_command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let starts: Vec<_> = std::iter::repeat_with(start).take(50).collect();
    let outcomes: Vec<_> = starts.into_iter().map(output_of).collect();
    let name = world.container_of(&project);
    for outcome in outcomes {
        assert_eq!(String::from_utf8(outcome.stderr).unwrap(), "");
        assert_eq!((outcome.status.code(), String::from_utf8(outcome.stdout).unwrap()), (Some(0), format!("{name}\n")));
    }
    assert_eq!(Docker::state(&name), "running");
}

#[test]
fn two_opens_that_race_end_with_two_attached_terminals() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let open = format!("'{}' attach --create '{}'", crate::support::binary().display(), project.display());
    host.tmux(["new-window", "-t", "main:", &open]);
    host.tmux(["new-window", "-t", "main:", &open]);
    wait_until("both to be attached", || {
        let names = Docker::below("container", &project);
        names.len() == 1 && Docker::state(&names[0]) == "running" && Docker::inner_clients(&names[0]).len() == 2
    });
}
