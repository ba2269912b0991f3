//! The picker at a prompt and in scripts.

use std::fs;

use super::{configure_roots, host_without_engine, ours, repository};
use crate::support::relay::NO_ENGINE;
use crate::support::{BUSYBOX, Docker, Host, World, binary, run, wait_until};

#[test]
fn print_is_for_scripts() {
    let world = World::new();
    let project = repository(&world, "api");
    let host = host_without_engine(&world);
    let screen = host.attach("main");
    screen.type_line(&format!("export DOCKER_HOST={NO_ENGINE}"));
    let run = |query: &str| {
        screen.type_line(&format!("clear; p=$('{}' pick --print --query '{query}'); echo \"[$?]$p.\"", binary().display()));
    };
    run("api");
    screen.wait_for_text("> api");
    screen.wait_for_text("1/1");
    screen.press(&["Enter"]);
    screen.wait_for_text(&format!("[0]{}.", project.display()));
    // More of them than a temporary directory can have in its name.
    run("zzzzzzzzzzzzzzzz");
    screen.wait_for_text("nothing matches");
    screen.press(&["Enter"]);
    screen.wait_for_line("[1].");
    run("");
    screen.wait_for_text("1/1");
    screen.press(&["C-g"]);
    screen.wait_for_line("[130].");
    assert!(host.windows("").is_empty());
}

#[test]
fn print_names_the_session_behind_a_tab() {
    let world = World::new();
    let project = repository(&world, "api");
    world.wharf(["open", "--detach", "--image", BUSYBOX, "--session", "logs"]).arg(&project).success();
    let host = host_without_engine(&world);
    let screen = host.attach("main");
    let file = world.root().join("printed");
    screen.type_line(&format!("'{}' pick --print >'{}'; echo \"[$?]\"", binary().display(), file.display()));
    // Its relay says so, where no engine does.
    screen.wait_for_text("api logs");
    screen.press(&["Enter"]);
    screen.wait_for_line("[0]");
    assert_eq!(fs::read_to_string(file).unwrap(), format!("{}\tlogs\n", project.display()));
}

#[test]
fn without_a_terminal_it_says_so() {
    let world = World::new();
    let output = run(world.command("setsid").arg("--wait").arg(binary()).arg("pick"));
    let expected = "error: `wharf pick` needs a terminal\nhint: `wharf list --json` is for where there is none\n";
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap().as_str()), (Some(1), expected));
}

#[test]
fn at_a_prompt_it_becomes_the_session() {
    let world = World::new();
    let project = repository(&world, "api");
    let container = world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).success();
    let container = container.split(' ').next().unwrap().to_owned();
    configure_roots(&world);
    let host = Host::bare(&world);
    let screen = host.attach("main");
    screen.type_line(&format!("env -u TMUX '{}' pick --query \"{}\"", binary().display(), ours(&world, "api")));
    screen.wait_for_text("api main");
    screen.press(&["Enter"]);
    wait_until("the client", || Docker::inner_clients(&container).len() == 1);
}
