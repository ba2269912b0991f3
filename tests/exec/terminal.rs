//! A program on a terminal.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::{WAYS, noise, sha256};
use crate::support::{Host, Place, Screen, binary, wait_for, wait_until};

/// A window of the host's, in the project.
fn in_project<'a>(host: &'a Host<'a>, place: &Place) -> Screen<'a> {
    let screen = host.attach("main");
    screen.type_line(&format!("cd '{}'; PS1='% '", place.project.display()));
    screen
}

fn type_exec(screen: &Screen, way: &str, options: &str, script: &str) {
    let program = binary();
    screen
        .type_line(&format!("WHARF_ATTACH={way} '{}' exec {options} -- sh -c '{script}'; echo code $? {way}", program.display()));
}

#[test]
fn on_a_terminal_the_program_has_one() {
    let place = Place::started();
    let host = place.world.host();
    let screen = in_project(&host, &place);
    for way in WAYS {
        type_exec(&screen, way, "", &format!("test -t 0 && test -t 1 && test -t 2 && echo $(stty size) {way}; exit 3"));
        screen.wait_for_line(&format!("23 100 {way}"));
        screen.wait_for_line(&format!("code 3 {way}"));
        type_exec(&screen, way, "-T", &format!("test -t 0 || test -t 1 || test -t 2 || echo $((7*7)) {way}"));
        screen.wait_for_line(&format!("49 {way}"));
        screen.wait_for_line(&format!("code 0 {way}"));
        // All that it says is shown, to its last line.
        type_exec(&screen, way, "", "seq 20000; exit 5");
        screen.wait_for_line(&format!("code 5 {way}"));
        assert!(screen.text().contains(&format!("\n20000\ncode 5 {way}\n")), "{}", screen.text());
    }
}

#[test]
fn a_terminals_new_size_and_keys_arrive() {
    let place = Place::started();
    let host = place.world.host();
    let screen = in_project(&host, &place);
    for (way, size) in WAYS.into_iter().zip(["61", "67"]) {
        let script =
            format!("trap \"stty size\" WINCH; echo ready {way}; read -r line; echo \"got $line\"; while :; do sleep 0.05; done");
        type_exec(&screen, way, "", &script);
        screen.wait_for_line(&format!("ready {way}"));
        screen.type_line(&format!("größe {way}"));
        screen.wait_for_line(&format!("got größe {way}"));
        host.tmux(["resize-window", "-t", "main:", "-x", size, "-y", "17"]);
        // A window that is smaller than the screen has a border.
        screen.wait_for_text(&format!("17 {size}"));
        screen.press(&["C-c"]);
        screen.wait_for_text(&format!("code 130 {way}"));
        host.tmux(["resize-window", "-t", "main:", "-A"]);
        // Late, it would end the next one's `read`.
        screen.type_line(&format!("until stty size | grep -q '^23 100$'; do sleep 0.05; done; echo back {way}"));
        screen.wait_for_line(&format!("back {way}"));
    }
}

#[test]
fn what_is_pasted_and_not_read_keeps_nothing_else_back() {
    let place = Place::started();
    let host = place.world.host();
    fs::write(place.project.join("paste"), "x".repeat(1_000_000)).unwrap();
    for (way, size) in WAYS.into_iter().zip(["61", "67"]) {
        let script = "stty raw -echo; trap \"stty size >size\" WINCH; touch ready; while :; do sleep 0.05; done";
        let line = format!("WHARF_ATTACH={way} '{}' exec -- sh -c '{script}'; echo $? >code", binary().display());
        let directory = place.project.to_str().unwrap();
        let window = host.tmux(["new-window", "-P", "-F", "#{window_id}", "-t", "main:", "-c", directory, &line]);
        let content = |name: &str| fs::read_to_string(place.project.join(name)).unwrap_or_default();
        wait_until("the program", || place.project.join("ready").exists());
        let client = client_of(&host, &window);
        host.tmux(["load-buffer", "-b", "big", place.project.join("paste").to_str().unwrap()]);
        host.tmux(["paste-buffer", "-d", "-b", "big", "-t", &window]);
        wait_until("as much input as is taken ahead", || read_by(client) >= 256 * 1024);
        host.tmux(["resize-window", "-t", &window, "-x", size, "-y", "17"]);
        wait_until("the new size", || content("size") == format!("17 {size}\n"));
        kill_process(Pid::from_raw(client).unwrap(), Signal::HUP).unwrap();
        wait_until("the client's end", || content("code") == "129\n");
        wait_until("the program's end", || !place.programs().iter().any(|program| program.contains("stty raw")));
        for name in ["ready", "size", "code"] {
            fs::remove_file(place.project.join(name)).unwrap();
        }
    }
}

#[test]
fn more_than_is_taken_ahead_is_pasted_whole() {
    let place = Place::started();
    let host = place.world.host();
    let letters: Vec<u8> = noise(1_000_000).into_iter().map(|byte| b'a' + byte % 26).collect();
    let paste = place.project.join("paste");
    fs::write(&paste, &letters).unwrap();
    for way in WAYS {
        let script = "stty raw -echo; touch ready; head -c 1000000 | sha256sum >sum; mv sum done";
        let line = format!("WHARF_ATTACH={way} '{}' exec -- sh -c '{script}'", binary().display());
        let directory = place.project.to_str().unwrap();
        let window = host.tmux(["new-window", "-P", "-F", "#{window_id}", "-t", "main:", "-c", directory, &line]);
        wait_until("the program", || place.project.join("ready").exists());
        host.tmux(["load-buffer", "-b", "big", paste.to_str().unwrap()]);
        host.tmux(["paste-buffer", "-d", "-b", "big", "-t", &window]);
        wait_until("all of it", || place.project.join("done").exists());
        assert_eq!(fs::read_to_string(place.project.join("done")).unwrap(), format!("{}  -\n", sha256(&letters)), "{way}");
        for name in ["ready", "done"] {
            fs::remove_file(place.project.join(name)).unwrap();
        }
    }
}

/// The program that the shell in the host's window runs.
fn client_of(host: &Host, window: &str) -> i32 {
    let shell = host.tmux(["display-message", "-p", "-t", window, "#{pane_pid}"]);
    wait_for("the client", || {
        let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).ok()?;
        children.trim().parse().ok()
    })
}

/// How many bytes a process has read.
fn read_by(process: i32) -> usize {
    let counters = fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    counters.lines().find_map(|line| line.strip_prefix("rchar: ")?.parse().ok()).unwrap()
}
