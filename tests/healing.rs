//! R12, R35, R36: what an attached window does when what is behind it ends, and that nothing is lost over it.

use std::path::Path;

use crate::support::{Docker, Host, Screen, World, wait_until};

/// A window with the project's container, as a person opens it, running a command or a shell.
#[track_caller]
fn open(world: &World, host: &Host, project: &Path, command: &[&str]) {
    let open = world.wharf(["open"]).arg(project).env("TMUX", host.variable());
    let dashes: &[&str] = if command.is_empty() { &[] } else { &["--"] };
    open.args(dashes).args(command).success();
}

/// A shell waits in the window: another one than the host's own, whose prompt has no `@`.
#[track_caller]
fn open_shell(world: &World, host: &Host, screen: &Screen, project: &Path) -> String {
    open(world, host, project, &[]);
    screen.wait_for_prompt();
    world.container_of(project)
}

#[track_caller]
fn is_closed_by(host: &Host, screen: &Screen, key: &str) {
    screen.press(&[key]);
    wait_until("the window to be gone", || host.windows("").is_empty());
}

#[test]
fn a_commands_last_screen_stays_until_a_key_closes_it() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    open(&world, &host, &project, &["sh", "-c", "echo first; exit 7"]);
    screen.wait_for_text("sh ended with exit code 7 · Enter closes");
    // The line that says so takes none away.
    screen.wait_for_line("first");
    let sessions: serde_json::Value =
        serde_json::from_str(&world.wharf(["sessions", "--json"]).current_dir(&project).success()).unwrap();
    assert_eq!(sessions[0]["exit_code"], 7, "{sessions}");
    // Not any key: people select text there.
    screen.press(&["x"]);
    assert_eq!(world.wharf(["capture"]).current_dir(&project).success().lines().next(), Some("first"));
    is_closed_by(&host, &screen, "Enter");
    // It is done with: the next one is new.
    open(&world, &host, &project, &["sh", "-c", "kill -KILL $$"]);
    screen.wait_for_text("sh was killed by signal 9 · Enter closes");
    is_closed_by(&host, &screen, "q");
}

#[test]
fn a_command_that_ends_unseen_is_still_there_to_be_read() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["open", "--detach"]).arg(&project).args(["--", "sh", "-c", "echo unseen; exit 1"]).success();
    let host = world.host();
    let screen = host.attach("main");
    open(&world, &host, &project, &[]);
    screen.wait_for_line("unseen");
    screen.wait_for_text("sh ended with exit code 1 · Enter closes");
    is_closed_by(&host, &screen, "Enter");
}

#[test]
fn a_container_that_was_stopped_is_started_again_by_a_key() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let container = open_shell(&world, &host, &screen, &project);
    let id = Docker::inspect(&container, "{{.Id}}");
    screen.type_line("echo precious >~/marker");
    wait_until("the marker", || Docker::output(["exec", &container, "sh", "-c", "test -s ~/marker"]).status.success());
    world.wharf(["stop"]).arg(&project).success();
    let text = screen.wait_for_text("Enter starts it again · l shows its log · q closes");
    assert!(text.contains(&format!("error: container `{container}` ended with exit code 143")), "{text}");
    screen.press(&["l"]);
    screen.wait_for_line("the log is empty");
    screen.press(&["Enter"]);
    screen.wait_for_prompt();
    assert_eq!(Docker::inspect(&container, "{{.State.Status}} {{.Id}}"), format!("running {id}"));
    assert_eq!(Docker::shell(&container, "cat ~/marker"), "precious");
    world.wharf(["stop"]).arg(&project).success();
    screen.wait_for_text("Enter starts it again");
    is_closed_by(&host, &screen, "q");
}

#[test]
fn a_container_that_was_killed_says_so_and_runs_the_windows_command_again() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let script = "n=$(cat runs 2>/dev/null); echo $((n + 1)) >runs; echo run $((n + 1)); exec sleep 1000";
    open(&world, &host, &project, &["sh", "-c", script]);
    screen.wait_for_line("run 1");
    Docker::run(["kill", &world.container_of(&project)]);
    screen.wait_for_text("ended with exit code 137");
    screen.press(&["Enter"]);
    screen.wait_for_line("run 2");
}

#[test]
fn a_container_that_ran_out_of_memory_says_so() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let container = open_shell(&world, &host, &screen, &project);
    Docker::run(["update", "--memory", "40m", "--memory-swap", "40m", &container]);
    // The kernel takes what holds the container first, and whoever grows after it.
    screen.type_line("for p in /proc/[0-9]*; do grep -q ^sleep $p/comm && echo 1000 >$p/oom_score_adj; done; tail /dev/zero");
    let text = screen.wait_for_text("Enter starts it again");
    let error = format!("error: container `{container}` ran out of memory and was killed (exit code 137)");
    assert!(text.replace('\n', "").contains(&error), "{text}");
}

#[test]
fn a_container_that_was_removed_is_made_anew_by_a_key() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let container = open_shell(&world, &host, &screen, &project);
    let id = Docker::inspect(&container, "{{.Id}}");
    Docker::run(["rm", "--force", &container]);
    let text = screen.wait_for_text("Enter starts it again · q closes");
    assert!(text.contains(&format!("error: container `{container}` is gone")), "{text}");
    screen.press(&["Enter"]);
    screen.wait_for_prompt();
    assert_ne!(Docker::inspect(&container, "{{.Id}}"), id);
}

#[test]
fn a_tmux_inside_that_was_killed_is_started_again_by_a_key() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let container = open_shell(&world, &host, &screen, &project);
    let server = Docker::inner_tmux(&container, &["display-message", "-p", "#{pid}"]);
    Docker::shell(&container, &format!("kill -KILL {server}"));
    let text = screen.wait_for_text("Enter starts it again · q closes");
    assert!(text.contains(&format!("error: no session `main` runs in container `{container}`")), "{text}");
    screen.press(&["Enter"]);
    screen.wait_for_prompt();
    assert_ne!(Docker::inner_tmux(&container, &["display-message", "-p", "#{pid}"]), server);
}
