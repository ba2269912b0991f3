//! What a person presses, pastes and clicks, and what the program is then given.

use std::time::{Duration, Instant};

use super::case::{Act, Case, keys, own};
use super::pair::Pair;
use crate::support::{wait_for_equal, wait_until};

const PLAIN: &[u8] = b"";
const EXTENDED: &[u8] = b"\x1b[>4;1m";
const CLICKS: &[u8] = b"\x1b[?1000h\x1b[?1006h";

pub fn cases() -> Vec<Case> {
    let press = |name, print: &[u8], bytes: &[u8]| keys(name, print, Act::Press(bytes.to_vec()));
    let click = |name, print: &[u8], bytes| keys(name, print, Act::Click(bytes));
    let control: Vec<u8> = (1..=26).chain(28..=31).collect();
    vec![
        press("letters, Enter, Tab, Backspace", PLAIN, b"aZ09 \r\t\x7f"),
        press("control keys", PLAIN, &control),
        press("C-Space", PLAIN, b"a\0b"),
        press("C-\\", PLAIN, b"a\x1cb"),
        press("UTF-8 input", PLAIN, "é世😀e\u{301}ß".as_bytes()),
        press("M-x", PLAIN, b"\x1bx\x1bX\x1b1"),
        press("arrows", PLAIN, b"\x1b[A\x1b[B\x1b[C\x1b[D"),
        press("arrows of applications", b"\x1b[?1h", b"\x1bOA\x1bOB\x1bOC\x1bOD"),
        press("arrows with modifiers", PLAIN, b"\x1b[1;2A\x1b[1;3B\x1b[1;5C\x1b[1;6D\x1b[1;7A\x1b[1;8B"),
        press("Home, End, PgUp, PgDn, Ins, Del", PLAIN, b"\x1b[H\x1b[F\x1b[5~\x1b[6~\x1b[2~\x1b[3~"),
        press("the same with modifiers", PLAIN, b"\x1b[1;5H\x1b[1;2F\x1b[5;5~\x1b[6;3~\x1b[3;2~"),
        press("F1 to F12", PLAIN, b"\x1bOP\x1bOQ\x1bOR\x1bOS\x1b[15~\x1b[17~\x1b[18~\x1b[19~\x1b[20~\x1b[21~\x1b[23~\x1b[24~"),
        press("F keys with modifiers", PLAIN, b"\x1b[1;2P\x1b[1;5Q\x1b[15;5~\x1b[24;2~"),
        press("S-Tab", PLAIN, b"\x1b[Z"),
        press("keypad", b"\x1b=", b"\x1bOp\x1bOq\x1bOM\x1bOk"),
        own("Esc alone and at once", esc_is_at_once),
        press("C-Enter, S-Enter", EXTENDED, b"\x1b[13;5u\x1b[13;2u"),
        press("C-S-a, C-i, C-1", EXTENDED, b"\x1b[97;6u\x1b[105;5u\x1b[49;5u"),
        press("extended keys, not asked for", PLAIN, b"\x1b[13;5u\x1b[97;5u"),
        keys("paste", PLAIN, Act::Paste("one\ntwo\tthree é")),
        keys("bracketed paste", b"\x1b[?2004h", Act::Paste("one\ntwo\tthree é")),
        keys("focus", b"\x1b[?1004h", Act::LeaveAndReturn),
        keys("focus, not asked for", PLAIN, Act::LeaveAndReturn),
        click("click", CLICKS, b"\x1b[<0;10;5M\x1b[<0;10;5m"),
        click("middle click", CLICKS, b"\x1b[<1;1;1M\x1b[<1;1;1m"),
        click("right click", CLICKS, b"\x1b[<2;100;23M\x1b[<2;100;23m"),
        click("click with modifiers", CLICKS, b"\x1b[<20;10;5M\x1b[<20;10;5m"),
        click("click in the old encoding", b"\x1b[?1000h", b"\x1b[<0;10;5M\x1b[<0;10;5m"),
        click("drag", b"\x1b[?1002h\x1b[?1006h", b"\x1b[<0;10;5M\x1b[<32;11;5M\x1b[<32;12;6M\x1b[<0;12;6m"),
        press("motion", b"\x1b[?1003h\x1b[?1006h", b"\x1b[<35;10;5M\x1b[<35;11;5M"),
        press("wheel", CLICKS, b"\x1b[<64;10;5M\x1b[<65;10;5M"),
        press("wheel in a full screen without a mouse", b"\x1b[?1049h", b"\x1b[<64;10;5M\x1b[<65;10;5M"),
        own("the menu of a right click", menu),
        own("answers of the terminal", answers),
        own("colours of the terminal", |pair| same_answers(pair, b"\x1b]10;?\x07\x1b]11;?\x07")),
        own("size in pixels", |pair| same_answers(pair, b"\x1b[14t")).since(3, 4),
        own("light or dark", |pair| same_answers(pair, b"\x1b[?996n")).since(3, 6),
        own("synchronized updates, asked for", |pair| same_answers(pair, b"\x1b[?2026$p")).since(3, 6),
        own("resize storm", resize_storm),
        own("reflow", reflow),
        own("one cell", one_cell),
    ]
}

/// As soon as from a terminal: with a delay of the second tmux's own, no try would be that fast.
fn esc_is_at_once(pair: &Pair) {
    for pane in [&pair.bare, &pair.wharf] {
        pane.select();
        let fastest = (0..20).map(|_| {
            pane.print(b"");
            let start = Instant::now();
            pair.terminal.press(b"\x1b");
            wait_until("Esc", || pane.keys() == "\\x1b");
            start.elapsed()
        });
        let is_at_once = fastest.into_iter().any(|elapsed| elapsed < Duration::from_millis(150));
        assert!(is_at_once, "late in {pane}");
    }
}

/// The host's own, for a program that does not want the mouse, and no other one.
fn menu(pair: &Pair) {
    for pane in [&pair.bare, &pair.wharf] {
        pane.select();
        pane.print(b"text");
        wait_until("the text", || pane.screen().contains("text"));
        let (before, mark) = (pane.screen(), pair.terminal.mark());
        pair.click(b"\x1b[<2;10;5M\x1b[<2;10;5m");
        let entry = b"Horizontal Split";
        wait_until("the menu", || pair.terminal.since(mark).windows(entry.len()).any(|bytes| bytes == entry));
        // It takes the first key.
        pair.terminal.press(b"q");
        pair.terminal.press(b"key");
        wait_until("a key", || pane.keys().ends_with("key"));
        assert_eq!(pane.screen(), before);
    }
}

/// What kind of terminal it is, where the cursor is, how large it is.
fn answers(pair: &Pair) {
    same_answers(pair, b"\x1b[7;9H\x1b[c\x1b[>c\x1b[6n\x1b[18t\x1b[>q");
}

fn same_answers(pair: &Pair, questions: &[u8]) {
    let expected = pair.bare.answer(questions);
    // The tmux inside knows some of it only once the one outside has told it.
    wait_for_equal("the bare pane's answers", &expected, || pair.wharf.answer(questions));
}

fn resize_storm(pair: &Pair) {
    for step in 0..60 {
        for pane in [&pair.bare, &pair.wharf] {
            resize(pair, &pane.id, 20 + step * 37 % 80, 5 + step * 7 % 19);
        }
    }
    same_size(pair, 73, 19);
    same_screen(pair, &long_lines());
    same_size(pair, 100, 23);
}

fn reflow(pair: &Pair) {
    same_screen(pair, &long_lines());
    for (columns, rows) in [(61, 23), (100, 23), (100, 12), (100, 23)] {
        same_size(pair, columns, rows);
        same_screen(pair, b"");
    }
}

fn one_cell(pair: &Pair) {
    for pane in [&pair.bare, &pair.wharf] {
        resize(pair, &pane.id, 1, 1);
        // busybox takes a size of 1 for one that is not known, so its stty can't be asked.
        wait_until("a terminal of one cell", || pane.answer(b"\x1b[18t").starts_with("\\x1b[8;1;1t"));
        pane.print("a漢e\u{301}\x1b[5;5Hb\r\n".as_bytes());
    }
    same_size(pair, 100, 23);
    same_screen(pair, b"\x1b[H\x1b[2Jalive");
}

fn long_lines() -> Vec<u8> {
    format!("\x1b[1m{}\x1b[0m\r\n{}", "0123456789".repeat(25), "wörld ".repeat(30)).into_bytes()
}

fn same_screen(pair: &Pair, print: &[u8]) {
    for pane in [&pair.bare, &pair.wharf] {
        pane.print(print);
    }
    let expected = pair.bare.screen();
    wait_for_equal("the bare pane's screen", &expected, || pair.wharf.screen());
}

fn resize(pair: &Pair, pane: &str, columns: u32, rows: u32) {
    pair.host.tmux(["resize-window", "-t", pane, "-x", &columns.to_string(), "-y", &rows.to_string()]);
}

/// The program hears of the size from its terminal.
fn same_size(pair: &Pair, columns: u32, rows: u32) {
    for pane in [&pair.bare, &pair.wharf] {
        resize(pair, &pane.id, columns, rows);
    }
    for pane in [&pair.bare, &pair.wharf] {
        wait_for_equal(&format!("the size of {pane}"), &format!("{rows} {columns}"), || pane.size());
    }
}
