//! Several targets at once, what a misspelt one was meant to be, and what is said of times and files.

use std::fs;

use crate::support::{BUSYBOX, Docker, World, wait_until};

#[test]
fn several_projects_are_opened_and_started_by_one_command() {
    let world = World::new();
    let host = world.host();
    let _screen = host.attach("main");
    let projects = ["api", "web", "docs"].map(|name| world.project(name));
    let opened = world.wharf(["open", "./api", "./web", "./docs"]).env("TMUX", host.variable()).success();
    assert_eq!(opened, "");
    wait_until("their windows", || {
        let names = host.windows("#{window_name}");
        ["api", "web", "docs"].iter().all(|&name| names.iter().any(|listed| listed == name))
    });
    let containers = || Docker::below("container", &world.root().join("src"));
    wait_until("their containers", || containers().len() == 3);
    for project in &projects {
        let running = || world.wharf(["sessions"]).arg(project).run();
        wait_until("its session", || running().stdout.contains("main"));
    }
    host.kill_server();
    world.wharf(["stop"]).args(&projects).success();
    let started = world.wharf(["start"]).args(&projects[..2]).success();
    assert_eq!(started.lines().count(), 2);
    // Of those that are named, whoever can be started is.
    world.wharf(["stop"]).args(&projects).success();
    let outcome = world.wharf(["start", "./api", "./nowhere"]).run();
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(1), 1), "{outcome:?}");
    assert!(outcome.stderr.starts_with("error: there is no directory `"), "{outcome:?}");
}

#[test]
fn start_all_starts_what_does_not_run() {
    let world = World::new();
    let projects = ["api", "web"].map(|name| world.project(name));
    world.wharf(["start", "--image", BUSYBOX]).args(&projects).success();
    let container = world.container_of(&projects[0]);
    world.wharf(["stop"]).arg(&projects[0]).success();
    // Whatever else is on this engine is not this test's to start.
    let all = world.wharf(["start", "--all", "api"]).run();
    assert_eq!(all.code, Some(2), "{all:?}");
    assert_eq!(Docker::state(&container), "exited");
}

#[test]
fn a_misspelt_name_is_told_with_what_it_may_have_been_meant_to_be() {
    let world = World::new();
    let project = world.project("zanzibar");
    world.open_detached(&project);
    let refusal = world.wharf(["stop", "zanzibra"]).failure();
    assert_eq!(
        refusal,
        "error: no project or container is called `zanzibra`\n\
         hint: did you mean `zanzibar`? `wharf list` shows every name\n"
    );
    let refusal = world.wharf(["capture", "--session", "mian"]).arg(&project).failure();
    assert!(refusal.contains("hint: did you mean `main`? `wharf open --session mian` starts one of that name\n"), "{refusal}");
}

#[test]
fn every_target_is_described() {
    let world = World::new();
    let listed = world.wharf(["--help"]).success();
    let verbs = listed.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let mut seen = 0;
    // What is indented more goes on with the line before.
    let verbs = verbs.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    for verb in verbs.filter(|verb| *verb != "help") {
        let help = world.wharf([verb, "--help"]).success();
        let mut lines = help.lines();
        let Some(target) = lines.find(|line| line.trim_start().starts_with("[TARGET]") || line.trim() == "<TARGET>") else {
            continue;
        };
        let said = format!("{target}{}", lines.next().unwrap_or_default());
        assert!(said.contains("project's name") || said.contains("projects' names"), "{verb}: {said}");
        seen += 1;
    }
    assert!(seen > 12, "{seen}");
}

#[test]
fn times_are_those_of_the_clock_on_the_wall() {
    let world = World::new();
    let project = world.project("api");
    world.open_detached(&project);
    let created = |zone: &str| {
        let listed = world.wharf(["sessions"]).arg(&project).env("TZ", zone).success();
        listed.lines().nth(1).unwrap().split_whitespace().skip(2).take(2).collect::<Vec<_>>().join("T")
    };
    let [utc, tokyo]: [jiff::civil::DateTime; 2] = ["UTC", "Asia/Tokyo"].map(|zone| created(zone).parse().unwrap());
    assert_eq!((tokyo - utc).get_hours(), 9);
}

#[test]
fn a_configuration_that_is_right_is_said_to_be() {
    let world = World::new();
    let project = world.project("api");
    let check = || world.wharf(["config", "check"]).current_dir(&project).success();
    assert_eq!(check(), "there is no configuration, and none is needed");
    let file = project.join("wharf.kdl");
    fs::write(&file, "image \"debian\"\n").unwrap();
    assert_eq!(check(), format!("`{}` is right", file.display()));
}
