//! Two panes of the same size in one host's tmux: one bare, one of wharf's. The same program runs in both: it prints what
//! is written into one file, and keeps what it is given as keys in another.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cells::canonical;
use crate::support::{Host, RawTerminal, World, binary, wait_until};

/// Both `cat`s write each piece as it comes. `<>`, because a pipe without a writer would be at its end.
const PROGRAM: &str = "exec 3<&0
stty raw -echo
cat <&3 >>\"$1.keys\" &
cat <>\"$1.output\" &
while read -r line; do eval \"$line\"; done <>\"$1.orders\"
";
/// Undoes what any case does. The order matters: it starts with what a reset leaves alone.
const RESET: &[u8] = b"\x1b[?1049l\x1b[0 q\x1b]2;\x07\x1b[?69l\x1bc\x1b[H\x1b[2J\x1b[3J";

pub struct Pair<'a> {
    pub world: &'a World,
    pub host: &'a Host<'a>,
    pub terminal: RawTerminal,
    pub bare: Pane<'a>,
    pub wharf: Pane<'a>,
}

pub struct Pane<'a> {
    host: &'a Host<'a>,
    pub id: String,
    files: PathBuf,
    output: File,
    /// Where the keys of this case begin.
    keys_from: Cell<usize>,
}

impl<'a> Pair<'a> {
    /// `environment` is what is different around the pane of wharf's: `NAME=value`.
    pub fn open(world: &'a World, host: &'a Host<'a>, image: &str, environment: &[&str]) -> Self {
        let project = world.project("battery");
        fs::write(project.join("program"), PROGRAM).unwrap();
        for line in [
            "set -g mouse on",
            "set -g prefix None",
            "set -s set-clipboard on",
            "set -s focus-events on",
            "set -s extended-keys on",
            "set -g allow-passthrough on",
            "set -g monitor-bell on",
            "set -as terminal-features ,xterm*:RGB:extkeys:usstyle:overline:strikethrough:hyperlinks:progressbar",
        ] {
            let words = line.split(' ');
            // Only 3.3 and newer ask whether passthrough is wanted.
            host.tmux(words.clone().take(1).chain(["-q"]).chain(words.skip(1)));
        }
        let terminal = RawTerminal::attach(world, host, "main");
        for name in ["bare", "wharf"] {
            for kind in ["orders", "output"] {
                let pipe = project.join(name).with_extension(kind);
                assert!(world.command("mkfifo").arg(&pipe).status().unwrap().success());
            }
            File::create(project.join("bare").with_file_name(name).with_extension("keys")).unwrap();
        }
        let place = project.to_str().unwrap();
        let new_window = ["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", "-c", place];
        let program = ["sh", "program"];
        let bare = host.tmux(new_window.iter().chain(&program).chain(&["bare"]));
        let wharf = binary();
        let attach = [wharf.to_str().unwrap(), "attach", place, "--create", "--session", "battery", "--image", image, "--"];
        let wharf = new_window.iter().chain(&["env"]).chain(environment).chain(&attach).chain(&program).chain(&["wharf"]);
        let wharf = host.tmux(wharf);
        let pair = Self {
            world,
            host,
            terminal,
            bare: Pane::new(host, bare, &project, "bare"),
            wharf: Pane::new(host, wharf, &project, "wharf"),
        };
        for pane in [&pair.bare, &pair.wharf] {
            wait_until("the program", || {
                host.tmux(["display-message", "-p", "-t", &pane.id, "#{alternate_on}"]) == pane.is_full_screen()
            });
        }
        pair
    }
}

impl Pair<'_> {
    /// Presses a mouse button that was not pressed lately: tmux makes one event of clicks within 300 ms, and has no way to
    /// ask whether they have passed.
    pub fn click(&self, bytes: &[u8]) {
        std::thread::sleep(Duration::from_millis(350));
        self.terminal.press(bytes);
    }
}

impl<'a> Pane<'a> {
    fn new(host: &'a Host<'a>, id: String, project: &Path, name: &str) -> Self {
        let files = project.join(name);
        // For reading as well: otherwise it waits until the program reads.
        let output = OpenOptions::new().read(true).write(true).open(files.with_extension("output")).unwrap();
        Self { host, id, files, output, keys_from: Cell::new(0) }
    }

    /// What `#{alternate_on}` is while the program runs and has done nothing.
    fn is_full_screen(&self) -> &'static str {
        if self.files.ends_with("wharf") { "1" } else { "0" }
    }

    /// Makes it the pane that gets the keys.
    pub fn select(&self) {
        self.host.tmux(["select-window", "-t", &self.id]);
    }

    /// The program prints this. When this returns, the nearest tmux has taken it all.
    #[track_caller]
    pub fn print(&self, bytes: &[u8]) {
        let from = self.all_keys().len();
        (&self.output).write_all(bytes).unwrap();
        // Asks the terminal how it is, which it answers in its turn.
        (&self.output).write_all(b"\x1b[5n").unwrap();
        let answer = b"\x1b[0n";
        wait_until("the terminal's answer", || self.all_keys()[from..].windows(answer.len()).any(|bytes| bytes == answer));
        self.keys_from.set(self.all_keys().len());
    }

    #[track_caller]
    pub fn reset(&self) {
        self.print(RESET);
        self.host.tmux(["clear-history", "-t", &self.id]);
    }

    /// What the program was given since it last printed something.
    pub fn keys(&self) -> String {
        self.all_keys()[self.keys_from.get()..].escape_ascii().to_string()
    }

    /// What the terminal says to what it is asked.
    #[track_caller]
    pub fn answer(&self, questions: &[u8]) -> String {
        let from = self.all_keys().len();
        self.print(questions);
        self.all_keys()[from..].escape_ascii().to_string()
    }

    fn all_keys(&self) -> Vec<u8> {
        fs::read(self.files.with_extension("keys")).unwrap()
    }

    /// Rows and columns, as the program's terminal has them.
    pub fn size(&self) -> String {
        let size = self.files.with_extension("size");
        let _ = fs::remove_file(&size);
        let mut orders = OpenOptions::new().read(true).write(true).open(self.files.with_extension("orders")).unwrap();
        writeln!(orders, "stty size <&3 >\"$1.new\"; mv \"$1.new\" \"$1.size\"").unwrap();
        wait_until("the program's answer", || size.exists());
        fs::read_to_string(size).unwrap().trim().to_owned()
    }

    /// The cells, the cursor, and the title, as the host's tmux has them.
    pub fn screen(&self) -> String {
        // From 3.6 on, a cursor that waits behind the last column is shown nowhere.
        let position = "#{cursor_x},#{cursor_y} shown=#{?#{==:#{cursor_x},#{pane_width}},-,#{cursor_flag}} \
            size=#{pane_width}x#{pane_height} title=#{pane_title}";
        let capture = ["capture-pane", "-epN", "-t", &self.id, ";", "display-message", "-p", "-t", &self.id, position];
        let captured = self.host.tmux(capture);
        let (cells, position) = captured.rsplit_once('\n').unwrap();
        format!("{}\n{position}", canonical(cells))
    }

    /// Of the host's: the modes of the tmux inside are cells for it, as anything is.
    pub fn is_in_mode(&self) -> bool {
        self.host.tmux(["display-message", "-p", "-t", &self.id, "#{pane_in_mode}"]) == "1"
    }
}

impl std::fmt::Display for Pane<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "the {} pane", self.files.file_name().unwrap().display())
    }
}
