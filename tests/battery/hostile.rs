//! What would break a terminal: nothing of it reaches the host's tmux, and the shell that ran wharf has its terminal back.

use std::fs;
use std::time::{Duration, Instant};

use super::pair::Pair;
use crate::support::{DEBIAN, Host, World, binary, wait_until};

#[test]
fn characters_are_right_without_a_locale() {
    let world = World::new();
    let project = world.project("api");
    let host = Host::bare(&world);
    let screen = host.attach("main");
    let wharf = binary();
    let words = ["env", "LANG=C", "LC_ALL=POSIX", wharf.to_str().unwrap(), "attach", project.to_str().unwrap(), "--create"];
    host.tmux(["new-window", "-t", "main:"].iter().chain(&words).chain(&["--image", DEBIAN]));
    screen.wait_for_prompt();
    screen.type_line("locale charmap; printf %s 'é漢' | wc -m");
    screen.wait_for_line("UTF-8");
    screen.wait_for_line("2");
}

#[test]
fn where_the_hosts_tmux_takes_no_copies_nothing_is_copied() {
    let world = World::new();
    let host = Host::bare(&world);
    let pair = Pair::open(&world, &host, DEBIAN, &[]);
    pair.wharf.select();
    for (option, is_copied) in [("off", false), ("external", false), ("on", true)] {
        host.tmux(["set-option", "-s", "set-clipboard", option]);
        let mark = pair.terminal.mark();
        pair.wharf.print(b"\x1b]52;c;Y29waWVk\x07");
        let after = format!("after {option}");
        pair.wharf.print(after.as_bytes());
        // What comes after it has been drawn.
        let told = |text: &str| pair.terminal.since(mark).windows(text.len()).any(|bytes| bytes == text.as_bytes());
        wait_until("the text after it", || told(&after));
        let buffers = host.tmux(["list-buffers", "-F", "#{buffer_sample}"]);
        assert_eq!((buffers.as_str(), told("Y29waWVk")), (if is_copied { "copied" } else { "" }, is_copied), "{option}");
    }
}

#[test]
fn random_bytes_at_full_speed() {
    let world = World::new();
    let project = world.project("api");
    let host = Host::bare(&world);
    let screen = host.attach("main");
    let pane = host.tmux(["display-message", "-p", "#{pane_id}"]);
    let modes = "#{alternate_on} #{cursor_flag} #{insert_flag} #{keypad_flag} #{keypad_cursor_flag} #{mouse_any_flag} \
        #{wrap_flag} #{origin_flag} #{scroll_region_upper} #{scroll_region_lower} #{pane_width} #{pane_height}";
    let modes = || host.tmux(["display-message", "-p", "-t", &pane, modes]);
    let before = modes();
    let noise = "sh -c 'head -c 100000000 /dev/urandom; sleep 1'";
    let attach = format!("'{}' attach '{}' --create --image {DEBIAN} -- {noise}", binary().display(), project.display());
    screen.type_line(&format!("cd '{}'; stty -a >before; {attach}; echo $? >code; stty -a >after", project.display()));
    let start = Instant::now();
    // Long: other tests run at the same time.
    while !screen.text().contains("sh ended with exit code 0 · Enter closes") {
        assert!(start.elapsed() < Duration::from_secs(300), "the command does not end:\n{}", screen.text());
        // The host's tmux answers all the while.
        host.tmux(["display-message", "-p", "#{pid}"]);
        std::thread::sleep(Duration::from_millis(100));
    }
    screen.press(&["Enter"]);
    wait_until("the end of wharf", || project.join("after").exists());
    let read = |name: &str| fs::read_to_string(project.join(name)).unwrap();
    assert_eq!(read("code"), "0\n", "{}", screen.text());
    wait_until("the terminal's modes", || read("after") == read("before"));
    assert_eq!(modes(), before);
    screen.type_line("clear; echo alive and well");
    screen.wait_for_line("alive and well");
}
