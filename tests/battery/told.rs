//! What reaches the person's terminal, and the host's tmux beside the screen.

use super::case::{Case, buffer, own, terminal};
use super::cells::canonical;
use super::pair::{Pair, Pane};
use crate::support::{wait_for_equal, wait_until};

pub fn cases() -> Vec<Case> {
    vec![
        terminal(
            "cursor shapes",
            &[(b"\x1b[4 q", b"\x1b[4 q"), (b"\x1b[6 q", b"\x1b[6 q"), (b"\x1b[3 q", b"\x1b[3 q"), (b"\x1b[0 q", b"\x1b[2 q")],
        ),
        terminal("colour of the cursor", &[(b"\x1b]12;#123456\x07", b"\x1b]12;rgb:12/34/56"), (b"\x1b]112\x07", b"\x1b]112")]),
        own("indexed colour of underlines", indexed_underline),
        buffer("OSC 52", b"\x1b]52;c;Y29waWVkIMOpCg==\x07", &[]),
        terminal("OSC 52, to the clipboard", &[(b"\x1b]52;c;Y29waWVkIMOpCg==\x07", b"Y29waWVkIMOpCg==")]),
        buffer("copying by a drag", b"alpha beta gamma", &[b"\x1b[<0;7;1M\x1b[<32;8;1M\x1b[<32;10;1M", b"\x1b[<0;10;1m"]),
        buffer("copying by a double click", b"alpha beta gamma", &[b"\x1b[<0;8;1M\x1b[<0;8;1m\x1b[<0;8;1M\x1b[<0;8;1m"]),
        terminal("progress", &[(b"\x1b]9;4;1;40\x07", b"\x1b]9;4;1;40")]).since(3, 7),
        // Debian builds it with sixel from then on.
        terminal("sixel images", &[(b"\x1b[H\x1bPq\"1;1;20;40#0;2;100;0;0#0!20~-!20~-!20~\x1b\\", b"2;100;0;0")]).since(3, 5),
        own("bell", bell),
        own("passthrough", passthrough),
        own("history", history),
    ]
}

/// Until 3.6, tmux turns the index into the colour when it draws, so the two panes' cells differ.
fn indexed_underline(pair: &Pair) {
    let [bare, wharf] = [&pair.bare, &pair.wharf].map(|pane| {
        pane.select();
        let mark = pair.terminal.mark();
        pane.print(b"\x1b[H\x1b[4;58;5;196mline\x1b[0m");
        let mut told = String::new();
        wait_until(&format!("the underlined text, from {pane}"), || {
            told = String::from_utf8_lossy(&pair.terminal.since(mark)).into_owned();
            told.contains("line")
        });
        let styles = told.split("\x1b[").filter_map(|sequence| sequence.split_once('m'));
        styles.map(|(style, _)| style.to_owned()).find(|style| style.starts_with("58")).expect("a colour of underlines")
    });
    assert_eq!(wharf, bare);
}

/// A window that nobody looks at is marked.
fn bell(pair: &Pair) {
    pair.host.tmux(["select-window", "-t", "main:0"]);
    for pane in [&pair.bare, &pair.wharf] {
        let flag = || pair.host.tmux(["display-message", "-p", "-t", &pane.id, "#{window_bell_flag}"]);
        assert_eq!(flag(), "0");
        pane.print(b"\x07");
        wait_until("the bell", || flag() == "1");
        pane.select();
        assert_eq!(flag(), "0");
    }
}

/// What is wrapped once is for the tmux inside; wrapped twice, as in any tmux in a tmux, it goes all the way.
fn passthrough(pair: &Pair) {
    const WRAPPED: &[u8] = b"\x1bPtmux;\x1b\x1b]1337;File=wharf\x07\x1b\\";
    const TWICE: &[u8] = b"\x1bPtmux;\x1b\x1bPtmux;\x1b\x1b\x1b\x1b]1337;File=wharf\x07\x1b\x1b\\\x1b\\";
    for (pane, bytes) in [(&pair.bare, WRAPPED), (&pair.wharf, TWICE)] {
        pane.select();
        let told = b"\x1b]1337;File=wharf\x07";
        let arrives = || {
            let mark = pair.terminal.mark();
            pane.print(bytes);
            pane.print(b"");
            pair.terminal.since(mark).windows(told.len()).any(|bytes| bytes == told)
        };
        // tmux drops it while it draws a pane anew, as it does where what scrolled away goes into the pane's history: the
        // documentation says so. The pane comes to rest by itself.
        wait_until("what was passed through", arrives);
    }
}

/// As long as the bare pane's, for the host's tmux and inside.
fn history(pair: &Pair) {
    let lines: String = (1..=1500).map(|number| format!("\x1b[3{}mline\x1b[0m {number}\r\n", number % 8)).collect();
    let of_host = |pane: &Pane| pair.host.tmux(["capture-pane", "-ep", "-S", "-", "-t", &pane.id]);
    let kept = || {
        let bare = pair.host.tmux(["capture-pane", "-p", "-S", "-", "-t", &pair.bare.id]);
        wait_for_equal("the same history", &canonical(&of_host(&pair.bare)), || canonical(&of_host(&pair.wharf)));
        [bare, pair.world.wharf(["capture", "battery", "--session", "battery", "--history", "9999"]).success()]
    };
    for pane in [&pair.bare, &pair.wharf] {
        pane.print(lines.as_bytes());
    }
    let [bare, wharf] = kept();
    assert_eq!(bare.lines().count(), 1500);
    assert_eq!(wharf, bare);
    for pane in [&pair.bare, &pair.wharf] {
        pane.print(b"\x1b[H\x1b[2J\x1b[3Jlast");
    }
    assert_eq!(kept(), ["last", "last"]);
}
