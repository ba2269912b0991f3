//! R91: copy mode, the clipboard and what plugins ask of a pane are the person's own in a wharf pane. The plugins are not
//! here; their questions are asked as they ask them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Docker, Host, Screen, World, binary, wait_for_equal, wait_until};

struct Opened<'a> {
    world: &'a World,
    host: &'a Host<'a>,
    screen: Screen<'a>,
    project: PathBuf,
    pane: String,
}

impl<'a> Opened<'a> {
    /// A client whose pane shows a shell in a project's container.
    fn new(world: &'a World, host: &'a Host<'a>) -> Self {
        let project = world.project("api");
        let screen = host.attach("main");
        world.wharf(["open"]).arg(&project).env("TMUX", host.variable()).success();
        screen.wait_for_prompt();
        let pane = host.tmux(["display-message", "-p", "-t", "main:", "#{pane_id}"]);
        Self { world, host, screen, project, pane }
    }

    fn of_pane(&self, format: &str) -> String {
        self.host.tmux(["display-message", "-p", "-t", &self.pane, format])
    }

    /// Two hundred lines, of which the last are on the screen.
    #[track_caller]
    fn fill(&self) {
        self.screen.type_line("clear; seq 1001 1200");
        self.screen.wait_for_line("1200");
        wait_for_equal("the history in the host's pane", "178", || self.of_pane("#{history_size}"));
    }

    fn history(&self) -> Vec<String> {
        let captured = self.host.tmux(["capture-pane", "-pJ", "-S", "-", "-E", "-1", "-t", &self.pane]);
        captured.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    fn inside(&self, format: &str) -> String {
        let container = self.world.container_of(&self.project);
        Docker::inner_tmux(&container, &["display-message", "-p", "-t", "=main:", format]).trim_end().to_owned()
    }

    fn buffer(&self) -> String {
        self.host.tmux(["show-buffer"])
    }
}

#[test]
fn a_search_and_a_binding_of_ones_own_lead_to_a_program_on_the_host() {
    let world = World::new();
    let host = world.host();
    let copied = world.root().join("copied");
    host.tmux(["set-option", "-g", "mode-keys", "vi"]);
    host.tmux(["set-option", "-g", "word-separators", "5"]);
    let pipe = format!("cat >'{}'", copied.display());
    let line = format!("send-keys -X select-word ; send-keys -X copy-pipe-and-cancel \"{pipe}\"");
    host.tmux(["bind-key", "-T", "copy-mode-vi", "Y", &line]);
    let opened = Opened::new(&world, &host);
    opened.fill();
    let screen = &opened.screen;
    screen.press(&["C-b", "["]);
    screen.press(&["?"]);
    screen.wait_for_text("(search up)");
    screen.type_line("1053");
    wait_for_equal("what was found", "1053", || opened.of_pane("#{copy_cursor_line}"));
    screen.press(&["Y"]);
    // A word ends where its person says.
    wait_until("the copy on the host", || fs::read_to_string(&copied).is_ok_and(|text| text == "10"));
    assert_eq!(opened.buffer(), "10");
    assert_eq!(opened.of_pane("#{pane_in_mode}"), "0");
}

#[test]
fn the_mouse_is_the_hosts_unless_a_program_wants_it() {
    let world = World::new();
    let host = world.host();
    host.tmux(["set-option", "-g", "mouse", "on"]);
    let opened = Opened::new(&world, &host);
    opened.fill();
    opened.screen.type_text("\x1b[<64;5;5M");
    wait_for_equal("the host's copy mode", "copy-mode", || opened.of_pane("#{pane_mode}"));
    opened.screen.type_text("\x1b[<64;5;5M");
    wait_for_equal("the lines above", "copy-mode 5", || opened.of_pane("#{pane_mode} #{scroll_position}"));
    opened.screen.press(&["q"]);
    opened.screen.type_line("clear; printf '\\033[?1000h\\033[?1006h'; cat -v");
    wait_for_equal("a program that wants the mouse", "1", || opened.of_pane("#{mouse_any_flag}"));
    opened.screen.type_text("\x1b[<64;5;5M");
    opened.screen.wait_for_text("[<64;5;5M");
    assert_eq!(opened.of_pane("#{pane_in_mode}"), "0");
}

#[test]
fn plugins_see_the_history_as_it_grows_and_long_lines_whole() {
    let world = World::new();
    let host = world.host();
    let opened = Opened::new(&world, &host);
    opened.fill();
    let numbers: Vec<String> = (1001..=1178).map(|number| number.to_string()).collect();
    assert_eq!(opened.history(), numbers);
    let prompt = opened.screen.text().lines().nth(22).unwrap().trim_end().to_owned();
    let long = "0123456789".repeat(25);
    opened.screen.type_line("printf '%s\\n' $(printf '0123456789%.0s' $(seq 25)); seq 30");
    wait_until("the long line in the history", || opened.history().contains(&long));
    let history = opened.history();
    assert_eq!(history[..178], numbers);
    assert!(history[178..].contains(&"1200".to_owned()) && !prompt.is_empty(), "{history:?}");
    // Each line once, also after the pane got narrower and wider again.
    let count = || opened.history().iter().filter(|line| **line == long).count();
    assert_eq!(count(), 1);
    host.tmux(["split-window", "-h", "-t", &opened.pane, "sh"]);
    wait_until("it in a narrow pane", || opened.of_pane("#{pane_width}") == "50" && count() == 1);
    host.tmux(["kill-pane", "-t", "main:1.1"]);
    wait_until("it in a wide pane", || opened.of_pane("#{pane_width}") == "100" && count() == 1);
}

#[test]
fn a_background_is_where_it_was_printed() {
    let world = World::new();
    let host = world.host();
    let opened = Opened::new(&world, &host);
    opened.screen.type_line("clear; printf '\\033[44m%-100s\\033[0m\\nplain\\n' bar; seq 40");
    opened.screen.wait_for_line("40");
    wait_until("the history", || opened.history().contains(&"plain".to_owned()));
    let captured = host.tmux(["capture-pane", "-peN", "-S", "-", "-E", "-1", "-t", &opened.pane]);
    let plain = captured.lines().find(|line| line.contains("plain")).unwrap();
    let (_, after) = plain.split_once("plain").unwrap();
    assert!(after.trim_end().is_empty() && !after.contains("[4"), "{}", plain.escape_debug());
}

#[test]
fn what_clears_the_history_clears_all_of_it() {
    let world = World::new();
    let host = world.host();
    host.tmux(["bind-key", "-n", "C-k", "send-keys -R ; clear-history"]);
    world.wharf(["setup"]).env("TMUX", host.variable()).success();
    let opened = Opened::new(&world, &host);
    opened.fill();
    opened.screen.press(&["C-k"]);
    wait_until("an empty history", || opened.of_pane("#{history_size}") == "0" && opened.inside("#{history_size}") == "0");
    // As `clear` inside does.
    opened.fill();
    opened.screen.type_line("clear");
    wait_until("an empty history", || opened.of_pane("#{history_size}") == "0");
}

#[test]
fn a_shells_own_history_stays_below_the_sessions() {
    let world = World::new();
    let host = world.host();
    let project = world.project("api");
    world.open_detached(&project);
    let screen = host.attach("main");
    let pane = host.tmux(["display-message", "-p", "-t", "main:", "#{pane_id}"]);
    screen.type_line("echo before the attach");
    screen.wait_for_line("before the attach");
    screen.type_line(&format!("'{}' attach '{}'", binary().display(), project.display()));
    screen.wait_for_prompt();
    screen.type_line("seq 1001 1200");
    let captured = || host.tmux(["capture-pane", "-p", "-S", "-", "-t", &pane]);
    wait_until("both", || {
        let captured = captured();
        let line = |text: &str| captured.lines().position(|line| line == text);
        line("before the attach").zip(line("1001")).is_some_and(|(shell, session)| shell < session)
    });
}

/// vim-tmux-navigator and its like look for the programs on the pane's terminal; `-c '#{pane_current_path}'` is in many a
/// configuration.
#[test]
fn what_runs_inside_and_where_is_what_the_pane_says() {
    let world = World::new();
    let host = world.host();
    let opened = Opened::new(&world, &host);
    let deep = opened.project.join("deep");
    fs::create_dir(&deep).unwrap();
    opened.screen.type_line("cd deep; vim -u NONE");
    let names = || {
        let listed = Command::new("ps").args(["-o", "comm=", "-t", &opened.of_pane("#{pane_tty}")]).output().unwrap();
        String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    wait_until("vim among the terminal's programs", || names().iter().any(|name| name.starts_with("vi")));
    wait_until("the options", || opened.of_pane("#{@wharf_command} #{@wharf_full_screen}").ends_with(" 1"));
    let place = deep.to_str().unwrap();
    assert_eq!(opened.of_pane("#{@wharf_path}"), place);
    assert_eq!(opened.of_pane("#{pane_current_path}"), place);
    assert!(opened.of_pane("#{pane_path}").ends_with(place), "{}", opened.of_pane("#{pane_path}"));
    host.tmux(["split-window", "-t", &opened.pane, "-c", "#{pane_current_path}", "sh"]);
    let split = || host.tmux(["display-message", "-p", "-t", "main:", "#{pane_current_path}"]);
    wait_for_equal("the split's directory", place, split);
    host.tmux(["kill-pane", "-t", "main:1.1"]);
    // tmux-resurrect starts the command line again, which must be what it was.
    assert_eq!(opened.of_pane("#{pane_current_command}"), "wharf");
    opened.screen.type_line(":q!");
    wait_until("the shell", || names().iter().all(|name| !name.starts_with("vi")));
    opened.screen.type_line("cd /; true");
    wait_for_equal("a directory that is not the project's", "/", || opened.of_pane("#{@wharf_path}"));
    wait_for_equal("the project", opened.project.to_str().unwrap(), || opened.of_pane("#{pane_current_path}"));
}

#[test]
fn what_is_copied_inside_arrives_or_it_is_said_that_it_does_not() {
    let world = World::new();
    let host = world.host();
    let opened = Opened::new(&world, &host);
    let copy = |text: &str| opened.screen.type_line(&format!("clear; printf '\\033]52;c;%s\\007' $(printf {text} | base64)"));
    copy("lost");
    opened.screen.wait_for_text("set -s set-clipboard on");
    host.tmux(["set-option", "-s", "set-clipboard", "on"]);
    copy("kept");
    wait_until("the buffer", || opened.host.tmux(["list-buffers", "-F", "#{buffer_sample}"]) == "kept");
}
