//! R80: whatever tmux is outside, and whatever tmux is inside.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{DEBIAN, Docker, Host, RawTerminal, World, binary, printed_by, wait_for_equal};

/// As `tmux -V` prints it.
fn version_in(words: &[&str]) -> String {
    let printed = String::from_utf8(Docker::output(words).stdout).unwrap();
    printed.trim().strip_prefix("tmux ").unwrap().to_owned()
}

#[test]
fn the_size_in_pixels_travels_with_every_size() {
    let world = World::new();
    let project = world.project("api");
    let wharf = binary();
    let words = [wharf.to_str().unwrap(), "attach", "--create", project.to_str().unwrap()];
    let terminal = RawTerminal::running(&world, &words);
    terminal.wait_for_text(0, "\x1b[?1049h");
    let container = world.container_of(&project);
    let format = "#{client_width}x#{client_height} #{client_cell_width}x#{client_cell_height}";
    let client = || {
        let asked = ["exec", &container, "/run/wharf/tools/wharf", "tmux", "list-clients", "-F", format];
        String::from_utf8(Docker::output(asked).stdout).unwrap().trim().to_owned()
    };
    wait_for_equal("the size at first", "100x24 10x20", client);
    terminal.resize((80, 20), (80 * 9, 20 * 18));
    wait_for_equal("the next size", "80x20 9x18", client);
}

#[test]
fn the_tmux_inside_is_of_the_hosts_version() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["open", "--detach", "--image", DEBIAN]).arg(&project).success();
    let container = world.container_of(&project);
    let images = version_in(&["exec", &container, "tmux", "-V"]);
    let hosts = printed_by(world.command("tmux").arg("-V")).trim().strip_prefix("tmux ").unwrap().to_owned();
    let whose = if images == hosts { "the image's own" } else { "of the host that made the container" };
    let inspected = world.wharf(["inspect", "--json"]).arg(&project).success();
    let inspected: serde_json::Value = serde_json::from_str(&inspected).unwrap();
    assert_eq!(inspected["tmux"], format!("{hosts}, {whose}"));
    // The one that runs, and not only what is said of it.
    let ask = ["display-message", "-p", "#{version}"];
    let words = ["exec", &container, "/run/wharf/tools/wharf", "tmux"];
    let running = String::from_utf8(Docker::output(words.iter().chain(&ask)).stdout).unwrap();
    assert_eq!(running.trim(), hosts);
}

#[test]
fn a_server_is_spoken_to_by_its_own_program() {
    let world = World::new();
    let host = Host::bare(&world);
    let other = world.root().join("other");
    fs::create_dir(&other).unwrap();
    // As a client of another version, which the server does not understand.
    fs::write(other.join("tmux"), "#!/bin/sh\necho 'open terminal failed: protocol version mismatch' >&2\nexit 1\n").unwrap();
    fs::set_permissions(other.join("tmux"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", other.display(), std::env::var("PATH").unwrap());
    assert_eq!(world.wharf(["setup"]).env("TMUX", host.variable()).env("PATH", path).success(), "");
    assert!(host.tmux(["list-keys", "-T", "prefix", "O"]).contains("open"));
}

/// From a key, where there is nobody else to hear of it, tmux shows what a command prints.
#[test]
fn a_message_that_no_client_can_show_is_printed() {
    let world = World::new();
    let host = Host::bare(&world);
    let open = world.wharf(["open", "--client", "/dev/nowhere", "--image", "no such image"]).arg(world.project("api"));
    let printed = open.env("TMUX", host.variable()).success();
    assert!(printed.starts_with("wharf: `no such image` is not the name of an image"), "{printed}");
    assert!(printed.contains("could not show a message"), "{printed}");
}

/// Those of newer versions open, move and swap panes that nobody knows of.
#[test]
fn the_mouse_is_about_text_to_the_tmux_inside() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let list = ["exec", &container, "/run/wharf/tools/wharf", "tmux", "list-keys", "-T", "root"];
    let listed = String::from_utf8(Docker::output(list).stdout).unwrap();
    let key = |line: &str| line.split_once("-T root ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let mut keys: Vec<String> = listed.lines().map(key).filter(|key| !key.starts_with("User")).collect();
    keys.sort_unstable();
    let about_text =
        ["DoubleClick1Pane", "MouseDown1Pane", "MouseDown2Pane", "MouseDrag1Pane", "TripleClick1Pane", "WheelUpPane"];
    assert_eq!(keys, about_text);
}
