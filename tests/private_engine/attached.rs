//! R12, R35: a window whose engine hangs, dies and comes back.

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::{Pid, Signal, test_kill_process};

use crate::support::{Docker, Host, PrivateEngine, Screen, World, binary, pane_process, printed_by, wait_until};

/// A window in which a program answers what is typed.
#[track_caller]
fn open<'a>(host: &'a Host<'a>, engine: &PrivateEngine, project: &Path, way: &str) -> Screen<'a> {
    engine.load_default_image();
    host.tmux(["set-environment", "-g", "DOCKER_HOST", &engine.host()]);
    host.tmux(["set-environment", "-g", "WHARF_ATTACH", way]);
    let open = engine.wharf(["open"]).arg(project).env("TMUX", host.variable()).env("WHARF_ATTACH", way);
    open.args(["--", "sh", "-c", "echo inside; while read line; do echo \"heard $line\"; done"]).success();
    let screen = host.attach("main");
    screen.wait_for_line("inside");
    screen
}

#[track_caller]
fn answers(screen: &Screen, line: &str) {
    screen.type_line(line);
    screen.wait_for_line(&format!("heard {line}"));
}

#[test]
fn by_the_relay_a_window_does_not_notice_its_engine() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let host = world.host();
    let screen = open(&host, &engine, &world.project("api"), "relay");
    engine.freeze();
    answers(&screen, "while it is frozen");
    engine.thaw();
    engine.kill();
    answers(&screen, "while it is dead");
    engine.start_again();
    answers(&screen, "after its restart");
}

#[test]
fn by_exec_a_window_waits_for_its_engine_and_goes_on() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let host = world.host();
    let screen = open(&host, &engine, &world.project("api"), "exec");
    engine.freeze();
    screen.type_line("typed while it was frozen");
    engine.thaw();
    screen.wait_for_line("heard typed while it was frozen");
    engine.kill();
    let socket = engine.socket();
    screen.wait_for_text(&format!("error: no container engine at `{}`: Connection refused (os error 111)", socket.display()));
    screen.wait_for_line("hint: start it (`sudo systemctl start docker`), or name another in DOCKER_HOST");
    screen.wait_for_line("waiting for it to come back · q closes");
    engine.start_again();
    screen.wait_for_line("heard typed while it was frozen");
    answers(&screen, "the same program");
}

/// What is frozen cannot be killed, and would keep its engine from ending where the test fails.
struct Unpause<'a> {
    engine: &'a PrivateEngine<'a>,
    name: &'a str,
}

impl Drop for Unpause<'_> {
    fn drop(&mut self) {
        Docker::output(["--host", &self.engine.host(), "unpause", self.name]);
    }
}

#[test]
fn a_container_that_is_paused_has_not_ended() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let host = world.host();
    let project = world.project("api");
    let screen = open(&host, &engine, &project, "exec");
    let name = engine.docker(&["ps", "--format", "{{.Names}}"]);
    engine.docker(&["pause", &name]);
    let _thaw = Unpause { engine: &engine, name: &name };
    engine.kill();
    screen.wait_for_line("waiting for it to come back · q closes");
    engine.start_again();
    screen.wait_for_line(&format!("error: container `{name}` is paused"));
    screen.wait_for_line("Enter starts it again · q closes");
    screen.press(&["Enter"]);
    screen.wait_for_line("inside");
    answers(&screen, "the same program");
}

#[test]
fn a_window_that_waits_for_its_engine_can_be_closed() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let host = world.host();
    let screen = open(&host, &engine, &world.project("api"), "exec");
    engine.kill();
    screen.wait_for_line("waiting for it to come back · q closes");
    screen.press(&["q"]);
    wait_until("the window to be gone", || host.windows("").is_empty());
}

#[test]
fn a_terminal_that_waits_for_the_runtime_can_leave() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    engine.load_default_image();
    let project = world.project("api");
    let name = engine.wharf(["open", "--detach"]).arg(&project).success();
    let (name, _) = name.split_once(' ').unwrap();
    let host = world.host();
    let screen = host.attach("main");
    // What starts programs in the container.
    let shim = format!("containerd-shim.* -id {}", engine.inspect(name, "{{.Id}}"));
    printed_by(Command::new("pkill").args(["-STOP", "-f", &shim]));
    let (wharf, socket, project) = (binary(), engine.host(), project.display());
    screen.type_line(&format!(
        "WHARF_ATTACH=exec DOCKER_HOST={socket} '{}' attach '{project}'; echo left with $?",
        wharf.display()
    ));
    let shell = pane_process(&host, "main:").as_raw_nonzero();
    wait_until("wharf to wait", || {
        let child = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
        let status = fs::read_to_string(format!("/proc/{}/status", child.trim())).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim();
        u64::from_str_radix(caught, 16).unwrap() & 1 << (Signal::INT.as_raw() - 1) != 0
    });
    screen.press(&["C-c"]);
    screen.wait_for_text("left with 130");
    printed_by(Command::new("pkill").args(["-CONT", "-f", &shim]));
}

#[test]
fn a_window_that_waits_for_its_engine_ends_with_its_terminal() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let host = world.host();
    let screen = open(&host, &engine, &world.project("api"), "exec");
    engine.kill();
    screen.wait_for_line("waiting for it to come back · q closes");
    let shell = pane_process(&host, &host.windows("#{pane_id}")[0]).as_raw_nonzero();
    let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    let wharf = Pid::from_raw(children.trim().parse().unwrap()).unwrap();
    host.kill_server();
    wait_until("the end of wharf", || test_kill_process(wharf).is_err());
}
