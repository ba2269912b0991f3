//! Where projects are heard of, and which comes first.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{host_without_engine, is_closed, names, pick, repository, wait_for_names};
use crate::support::{Host, World, wait_for_equal, wait_until};

/// A program of that name before all others.
fn install(world: &World, host: &Host, name: &str, script: &str) {
    let directory = world.root().join("programs");
    fs::create_dir_all(&directory).unwrap();
    let program = directory.join(name);
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    host.tmux(["set-environment", "-g", "PATH", &format!("{}:{path}", directory.display())]);
}

#[test]
fn what_zoxide_knows_is_there_once() {
    let world = World::new();
    let [api, _] = ["api", "web"].map(|name| repository(&world, name));
    let elsewhere = world.root().join("elsewhere");
    fs::create_dir_all(elsewhere.join("deep/er")).unwrap();
    fs::create_dir_all(elsewhere.join("deep/.git")).unwrap();
    let host = host_without_engine(&world);
    let lines = [
        api.join("src"),
        api.clone(),
        elsewhere.join("deep/er"),
        Path::new("/nonexistent").to_owned(),
        Path::new("/").to_owned(),
    ];
    fs::create_dir(&lines[0]).unwrap();
    let lines: String = lines.iter().map(|path| format!("echo '{}'\n", path.display())).collect();
    install(&world, &host, "zoxide", &format!("[ \"$*\" = 'query --list' ] || exit 1\n{lines}"));
    let screen = pick(&host);
    wait_until("the rows", || names(&screen).len() == 3);
    let mut found = names(&screen);
    found.sort();
    assert_eq!(found, ["api", "deep", "web"]);
}

#[test]
fn a_zoxide_that_hangs_holds_nobody_up() {
    let world = World::new();
    repository(&world, "api");
    let host = host_without_engine(&world);
    install(&world, &host, "zoxide", "exec sleep 1000");
    let screen = pick(&host);
    wait_for_names(&screen, &["api"]);
    screen.press(&["Escape"]);
    wait_until("the end of the popup", || is_closed(&screen));
}

#[test]
fn what_was_used_is_first_and_what_is_gone_is_not_there() {
    let world = World::new();
    let [_, used, gone] = ["api", "used", "gone"].map(|name| repository(&world, name));
    let state = world.root().join("state/wharf");
    fs::create_dir_all(&state).unwrap();
    let now = jiff::Timestamp::now().as_second();
    let line = |project: &Path| format!("{{\"at\":{now},\"project\":\"{}\"}}\n", project.display());
    fs::write(state.join("history"), format!("garbage\n{}{}", line(&used), line(&gone))).unwrap();
    fs::remove_dir_all(&gone).unwrap();
    let host = host_without_engine(&world);
    let screen = pick(&host);
    wait_for_names(&screen, &["used", "api"]);
}

#[test]
fn the_second_time_what_was_found_is_there_at_once() {
    let world = World::new();
    repository(&world, "api");
    let host = host_without_engine(&world);
    let screen = pick(&host);
    wait_for_names(&screen, &["api"]);
    let file = world.root().join("home/.cache/wharf/projects.json");
    let expected = format!("{{\"roots\":[\"{0}\"],\"projects\":[\"{0}/api\"]}}", world.root().join("src").display());
    wait_for_equal("what is remembered", &expected, || fs::read_to_string(&file).unwrap_or_default());
}
