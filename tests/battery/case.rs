//! One feature, and how the two panes are compared in it.

use super::pair::{Pair, Pane};
use crate::support::{wait_for_equal, wait_until};

pub struct Case {
    /// As in the table of `docs/fidelity.md`.
    pub name: &'static str,
    /// The tmux that has it: the one that everything needs, or a newer one.
    pub since: (u32, u32),
    compare: Compare,
}

/// What the program prints comes first.
enum Compare {
    /// What the host's tmux shows of it.
    Screen(Vec<u8>),
    /// What the program is given after a person did something.
    Keys(Vec<u8>, Act),
    /// What the person's terminal is told: after each text, this.
    Terminal(Vec<(Vec<u8>, &'static [u8])>),
    /// What the host's tmux has copied after the mouse did this, each of which shows.
    Buffer(Vec<u8>, Vec<&'static [u8]>),
    /// Anything else.
    Own(fn(&Pair)),
}

pub enum Act {
    Press(Vec<u8>),
    Click(&'static [u8]),
    Paste(&'static str),
    LeaveAndReturn,
}

/// Pressed after the keys of a case: when it has arrived, so have they.
const LAST_KEY: &str = "|";

pub fn screen(name: &'static str, print: impl Into<Vec<u8>>) -> Case {
    Case { name, since: (3, 2), compare: Compare::Screen(print.into()) }
}

pub fn keys(name: &'static str, print: &[u8], act: Act) -> Case {
    Case { name, since: (3, 2), compare: Compare::Keys(print.to_vec(), act) }
}

pub fn terminal(name: &'static str, steps: &[(&[u8], &'static [u8])]) -> Case {
    let steps = steps.iter().map(|(print, told)| (print.to_vec(), *told)).collect();
    Case { name, since: (3, 2), compare: Compare::Terminal(steps) }
}

pub fn buffer(name: &'static str, print: &[u8], clicks: &[&'static [u8]]) -> Case {
    Case { name, since: (3, 2), compare: Compare::Buffer(print.to_vec(), clicks.to_vec()) }
}

pub fn own(name: &'static str, compare: fn(&Pair)) -> Case {
    Case { name, since: (3, 2), compare: Compare::Own(compare) }
}

impl Case {
    pub fn since(self, major: u32, minor: u32) -> Self {
        Self { since: (major, minor), ..self }
    }

    /// Panics where the panes differ, or where the case shows nothing.
    pub fn run(&self, pair: &Pair) {
        let (bare, wharf) = (&pair.bare, &pair.wharf);
        bare.reset();
        wharf.reset();
        let blank = bare.screen();
        wait_for_equal("the pane's reset", &blank, || wharf.screen());
        match &self.compare {
            Compare::Screen(print) => {
                bare.print(print);
                wharf.print(print);
                let expected = bare.screen();
                assert_ne!(expected, blank, "nothing to see");
                wait_for_equal("the bare pane's screen", &expected, || wharf.screen());
            }
            Compare::Keys(print, act) => {
                let [expected, given] = [bare, wharf].map(|pane| keys_given(pair, pane, print, act));
                assert_eq!(given, expected, "left: in the wharf pane");
            }
            Compare::Terminal(steps) => {
                for pane in [bare, wharf] {
                    pane.select();
                    for (print, told) in steps {
                        let mark = pair.terminal.mark();
                        pane.print(print);
                        wait_until(&format!("{} at the terminal, from {pane}", told.escape_ascii()), || {
                            pair.terminal.since(mark).windows(told.len()).any(|bytes| bytes == *told)
                        });
                    }
                }
            }
            Compare::Buffer(print, clicks) => {
                let [expected, copied] = [bare, wharf].map(|pane| copied(pair, pane, print, clicks));
                assert_eq!(copied, expected, "left: from the wharf pane");
            }
            Compare::Own(compare) => compare(pair),
        }
    }
}

fn keys_given(pair: &Pair, pane: &Pane, print: &[u8], act: &Act) -> String {
    pane.select();
    // What the selection itself sends is over before the program asks for anything.
    pair.terminal.press(LAST_KEY.as_bytes());
    wait_until(&format!("a key in {pane}"), || pane.keys().ends_with(LAST_KEY));
    // One after the other: a tmux writes text sooner than the modes that came with it.
    pane.print(print);
    pane.print(b"\r\nready");
    wait_until(&format!("the text in {pane}"), || pane.screen().contains("ready"));
    match act {
        Act::Press(bytes) => pair.terminal.press(bytes),
        Act::Click(bytes) => pair.click(bytes),
        Act::Paste(text) => {
            pair.host.tmux(["set-buffer", "-b", "battery", text]);
            pair.host.tmux(["paste-buffer", "-p", "-d", "-b", "battery", "-t", &pane.id]);
        }
        Act::LeaveAndReturn => {
            pair.host.tmux(["select-window", "-t", "main:0"]);
            pane.select();
        }
    }
    pair.terminal.press(LAST_KEY.as_bytes());
    wait_until(&format!("the last key in {pane}"), || pane.keys().ends_with(LAST_KEY));
    pane.keys()
}

fn copied(pair: &Pair, pane: &Pane, print: &[u8], clicks: &[&[u8]]) -> String {
    let buffers = || pair.host.tmux(["list-buffers", "-F", "#{buffer_name}"]);
    for name in buffers().lines() {
        pair.host.tmux(["delete-buffer", "-b", name]);
    }
    pane.select();
    pane.print(print);
    if !clicks.is_empty() {
        wait_until(&format!("the text in {pane}"), || pane.screen().contains(&*String::from_utf8_lossy(print)));
    }
    for (number, click) in clicks.iter().enumerate() {
        let before = pane.screen();
        pair.click(click);
        // tmux 3.3a copies nothing to a terminal that it is about to draw.
        if number + 1 < clicks.len() {
            wait_until("the selection", || pane.is_in_mode() || pane.screen() != before);
        }
    }
    wait_until(&format!("something copied from {pane}"), || !buffers().is_empty());
    pair.host.tmux(["show-buffer"])
}
