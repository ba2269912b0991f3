//! R34: keys of the host's tmux do in a session what they do anywhere: its history is theirs, and so are splits.

use std::path::Path;

use crate::support::{Docker, Host, Screen, World, wait_for_equal, wait_until};

/// A window with a shell in the project's container.
#[track_caller]
fn open<'a>(world: &World, host: &'a Host<'a>, project: &Path) -> Screen<'a> {
    let screen = host.attach("main");
    world.wharf(["open"]).arg(project).env("TMUX", host.variable()).success();
    screen.wait_for_prompt();
    screen
}

#[track_caller]
fn setup(world: &World, host: &Host) {
    assert_eq!(world.wharf(["setup"]).env("TMUX", host.variable()).success(), "");
}

fn binding(host: &Host, key: &str) -> String {
    let listed = host.tmux(["list-keys", "-T", "prefix", key]);
    listed.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_hosts_copy_mode_is_the_sessions_whole_history() {
    let world = World::new();
    let host = world.host();
    host.tmux(["set-option", "-s", "set-clipboard", "on"]);
    let buffer = || host.tmux(["list-buffers", "-F", "#{buffer_sample}"]);
    for (mode, keys) in [("emacs", ["M-<", "C-a", "C-Space", "C-e", "M-w"]), ("vi", ["g", "0", "Space", "e", "Enter"])] {
        host.tmux(["set-option", "-g", "mode-keys", mode]);
        let screen = open(&world, &host, &world.project(mode));
        screen.type_line("clear; tmux -S /run/wharf/tmux.sock clear-history; seq 1001 1200");
        screen.wait_for_line("1200");
        wait_for_equal("the history in the host's pane", "178", || {
            host.tmux(["display-message", "-p", "-t", "main:", "#{history_size}"])
        });
        screen.press(&["C-b", "["]);
        screen.press(&keys[..1]);
        // Beside it, copy mode says where it is.
        let top = screen.wait_for_text("[178/178]");
        assert!(top.starts_with("1001 "), "{top}");
        for key in &keys[1..] {
            screen.press(&[key]);
        }
        wait_for_equal("the copied line in the host's buffer", "1001", buffer);
        // Out of it again, a page up, and the copy at the prompt: as anywhere.
        screen.wait_for_line("1200");
        screen.press(&["C-b", "PPage"]);
        screen.wait_for_line("1160");
        screen.press(&["q"]);
        screen.wait_for_line("1200");
        screen.press(&["C-b", "]"]);
        wait_until("the pasted line at the prompt", || {
            screen.text().lines().any(|line| line.trim_end().ends_with("$ 1001") || line.trim_end().ends_with("# 1001"))
        });
        host.tmux(["kill-window"]);
        host.tmux(["delete-buffer"]);
    }
}

#[test]
fn elsewhere_copy_mode_is_what_it_was() {
    let world = World::new();
    let host = Host::bare(&world);
    host.tmux(["bind-key", "-r", "M-c", "copy-mode"]);
    setup(&world, &host);
    let screen = host.attach("main");
    let mode = || host.tmux(["display-message", "-p", "-t", "main:", "#{pane_mode}"]);
    for key in ["[", "PPage"] {
        screen.press(&["C-b", key]);
        wait_until("the host's own copy mode", || mode() == "copy-mode");
        screen.press(&["q"]);
        wait_until("the end of copy mode", || mode().is_empty());
    }
    assert_eq!(binding(&host, "M-c"), "bind-key -r -T prefix M-c copy-mode");
    // A second setup finds what the first has left.
    let before = host.tmux(["list-keys"]);
    setup(&world, &host);
    assert_eq!(host.tmux(["list-keys"]), before);
}

#[test]
fn splits_and_windows_are_sessions_of_the_same_container_in_the_same_directory() {
    let world = World::new();
    let project = world.project("api");
    std::fs::create_dir(project.join("deep")).unwrap();
    let host = world.host();
    host.tmux(["set-option", "-g", "@wharf-splits", "on"]);
    setup(&world, &host);
    let screen = open(&world, &host, &project);
    let container = world.container_of(&project);
    screen.type_line("cd deep; clear; echo there");
    screen.wait_for_line("there");
    let shown = || host.tmux(["list-panes", "-s", "-t", "main:", "-F", "#{@wharf_session} #{window_name}"]);
    let directory = |session: &str| {
        let asked = ["display-message", "-p", "-t", session, "#{pane_current_path}"];
        let client = ["exec", &container, "tmux", "-u", "-S", "/run/wharf/tmux.sock"];
        String::from_utf8(Docker::output(client.iter().chain(&asked)).stdout).unwrap()
    };
    for (key, session) in [("%", "=main-2:"), ("\"", "=main-3:"), ("c", "=main-4:")] {
        screen.press(&["C-b", key]);
        let deep = format!("{}\n", project.join("deep").display());
        wait_until(&format!("{session} in the same directory: {}", screen.text()), || directory(session) == deep);
    }
    // The last two were made from the pane that had the focus: each time the newest.
    wait_until("four panes", || shown().lines().filter(|line| line.starts_with("main")).count() == 4);
    let mut panes: Vec<String> = shown().lines().filter(|line| line.contains(" api")).map(str::to_owned).collect();
    panes.sort_unstable();
    assert_eq!(panes, ["main api", "main-2 api", "main-3 api", "main-4 api:main-4"]);
    screen.wait_for_prompt();
    screen.type_line("exit");
    wait_until("its window to close", || host.windows("").len() == 1);
}

#[test]
fn without_the_option_splits_are_the_hosts_own() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = open(&world, &host, &project);
    screen.press(&["C-b", "%"]);
    let panes = || host.tmux(["list-panes", "-t", "main:", "-F", "#{pane_current_command}"]);
    wait_until("two panes", || panes().lines().count() == 2);
    assert_eq!(binding(&host, "%"), "bind-key -T prefix % split-window -h".replace('%', "\\%"));
}

#[test]
fn in_other_windows_the_keys_do_what_they_did_and_come_back() {
    let world = World::new();
    let host = Host::bare(&world);
    host.tmux(["bind-key", "|", "split-window", "-h", "-c", "#{pane_current_path}"]);
    host.tmux(["bind-key", "T", "split-window", "echo mine; cat"]);
    let keys = ["c", "%", "\"", "|", "T", "["];
    let bindings = || keys.map(|key| binding(&host, key));
    let before = bindings();
    host.tmux(["set-option", "-g", "@wharf-splits", "on"]);
    setup(&world, &host);
    let with = bindings();
    assert!(with[..4].iter().all(|line| line.contains("if-shell")), "{with:?}");
    assert_eq!(with[4], before[4]);
    let screen = host.attach("main");
    screen.press(&["C-b", "|"]);
    wait_until("a pane of the host's own", || host.tmux(["list-panes", "-t", "main:"]).lines().count() == 2);
    screen.press(&["C-b", "c"]);
    wait_until("a window of the host's own", || host.tmux(["list-windows", "-t", "main:"]).lines().count() == 2);
    assert!(host.windows("").is_empty());

    host.tmux(["set-option", "-g", "@wharf-splits", "off"]);
    setup(&world, &host);
    assert_eq!(bindings()[..5], before[..5]);
    host.tmux(["set-option", "-g", "@wharf-splits", "maybe"]);
    assert_eq!(
        world.wharf(["setup"]).env("TMUX", host.variable()).failure(),
        "error: `@wharf-splits` is `on` or `off`, and not `maybe`\n"
    );
}
