//! R21: a program in the container is as one that is run here: what goes in, what comes out, and how it ends.

use std::fs;
use std::path::PathBuf;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest, Sha256};

use crate::support::{BUSYBOX, Docker, Host, Run, Screen, Talk, World, binary, wait_for, wait_until};

const WAYS: [&str; 2] = ["relay", "exec"];

/// A project whose container runs.
struct Place {
    world: World,
    project: PathBuf,
    container: String,
}

impl Place {
    fn new() -> Self {
        let world = World::new();
        let project = world.project("api");
        world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
        let container = world.container_of(&project);
        Self { world, project, container }
    }

    fn exec(&self, way: &str, command: &[&str]) -> Run {
        self.world.wharf(["exec", "--"]).args(command).current_dir(&self.project).env("WHARF_ATTACH", way)
    }

    fn sh(&self, way: &str, script: &str) -> Run {
        self.exec(way, &["sh", "-c", script])
    }

    /// Whether a program of exactly these words runs in the container.
    fn runs(&self, words: &str) -> bool {
        self.programs().iter().any(|program| program.split_once(' ').is_some_and(|(_, program)| program == words))
    }

    /// Where the kernel keeps each program waiting, and its words.
    fn programs(&self) -> Vec<String> {
        let listed = Docker::run(["top", &self.container, "-eo", "pid,wchan:32,args"]);
        let programs = listed.lines().skip(1).map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" "));
        programs.collect()
    }
}

/// Bytes that no mistake leaves as they are: pieces that are lost, repeated or swapped show.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_exit_code_is_the_programs() {
    let place = Place::new();
    for way in WAYS {
        for (script, code) in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)] {
            let outcome = place.sh(way, script).run();
            assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(code), "", ""), "{way}: {script}");
        }
    }
}

#[test]
fn what_cannot_be_run_says_why() {
    let place = Place::new();
    fs::write(place.project.join("data"), "no program").unwrap();
    for way in WAYS {
        let missing = place.exec(way, &["no-such-program"]).run();
        assert_eq!(missing.code, Some(127), "{way}");
        assert_eq!(missing.stderr, "wharf: there is no program `no-such-program` in the container\n");
        let data = place.exec(way, &["./data"]).run();
        assert_eq!(data.code, Some(126), "{way}");
        assert!(data.stderr.starts_with("wharf: could not run `./data`: "), "{}", data.stderr);
    }
}

#[test]
fn input_arrives_byte_for_byte() {
    let place = Place::new();
    let much = noise(10_000_000);
    let every_byte: Vec<u8> = [b"\x01\x02\0\x1b[9999~\x04\x1a\r\n".to_vec(), (0..=255).rev().collect()].concat();
    for way in WAYS {
        let mut sum = Talk::start(place.exec(way, &["sha256sum"]));
        sum.feed(much.clone());
        assert_eq!(String::from_utf8(sum.end().stdout).unwrap(), format!("{}  -\n", sha256(&much)), "{way}");
        let mut cat = Talk::start(place.exec(way, &["cat"]));
        cat.feed(every_byte.clone());
        assert_eq!(cat.end().stdout, every_byte, "{way}");
    }
}

#[test]
fn what_goes_in_and_comes_out_at_once_is_all_there() {
    let place = Place::new();
    let much = noise(10_000_000);
    for way in WAYS {
        let mut cat = Talk::start(place.exec(way, &["cat"]));
        cat.feed(much.clone());
        let ended = cat.end();
        assert_eq!((ended.code, sha256(&ended.stdout)), (Some(0), sha256(&much)), "{way}");
    }
}

#[test]
fn an_answer_comes_while_the_input_stays_open() {
    let place = Place::new();
    for way in WAYS {
        let mut cat = Talk::start(place.exec(way, &["cat"]));
        for line in ["one\n", "two\n"] {
            cat.say(line);
            cat.wait_for_output(line);
        }
        cat.feed(Vec::new());
        let ended = cat.end();
        assert_eq!((ended.code, ended.stdout.as_slice()), (Some(0), &b"one\ntwo\n"[..]), "{way}");
    }
}

#[test]
fn input_that_is_closed_at_once_is_at_its_end() {
    let place = Place::new();
    for way in WAYS {
        let mut cat = Talk::start(place.exec(way, &["cat"]));
        cat.feed(Vec::new());
        let ended = cat.end();
        assert_eq!((ended.code, ended.stdout.len(), ended.stderr.as_str()), (Some(0), 0, ""), "{way}");
    }
}

#[test]
fn output_and_errors_stay_apart() {
    let place = Place::new();
    for way in WAYS {
        let outcome = place.sh(way, "for n in 1 2 3; do echo out $n; echo err $n >&2; done").run();
        assert_eq!(outcome.stdout, "out 1\nout 2\nout 3\n", "{way}");
        assert_eq!(outcome.stderr, "err 1\nerr 2\nerr 3\n", "{way}");
    }
}

#[test]
fn large_output_is_intact() {
    let place = Place::new();
    let much = noise(50_000_000);
    fs::write(place.project.join("much"), &much).unwrap();
    for way in WAYS {
        let ended = Talk::start(place.sh(way, "cat much; echo end >&2; exit 3")).end();
        assert_eq!((ended.code, ended.stdout.len(), ended.stderr.as_str()), (Some(3), much.len(), "end\n"), "{way}");
        assert_eq!(sha256(&ended.stdout), sha256(&much), "{way}");
    }
}

#[test]
fn arguments_arrive_as_they_are() {
    let place = Place::new();
    let words = ["a b", "", "it's", "\"q\"", "two\nlines", "$HOME", ";", "a;b", "--", "-x", "größe", "\t", "*", "\\", "#{pid}"];
    for way in WAYS {
        let printed = place.exec(way, &["printf", "<%s>"]).args(words).success();
        assert_eq!(printed, words.map(|word| format!("<{word}>")).concat(), "{way}");
    }
}

#[test]
fn a_program_need_not_read_its_input() {
    let place = Place::new();
    for way in WAYS {
        let mut talk = Talk::start(place.sh(way, "echo started; until [ -e go ]; do sleep 0.05; done; echo done; exit 5"));
        talk.feed(noise(10_000_000));
        talk.wait_for_output("started");
        wait_until("as much input as is taken ahead", || talk.fed() >= 256 * 1024);
        fs::write(place.project.join("go"), "").unwrap();
        let ended = talk.end();
        assert_eq!((ended.code, ended.stdout.as_slice()), (Some(5), &b"started\ndone\n"[..]), "{way}");
        fs::remove_file(place.project.join("go")).unwrap();
    }
}

#[test]
fn a_program_that_closes_its_input_takes_no_more() {
    let place = Place::new();
    for way in WAYS {
        let mut talk =
            Talk::start(place.sh(way, "head -c 1000000 | wc -c; exec <&-; until [ -e go ]; do sleep 0.05; done; exit 6"));
        talk.feed(noise(10_000_000));
        talk.wait_for_output("1000000");
        assert!(talk.fed() < 5_000_000);
        fs::write(place.project.join("go"), "").unwrap();
        assert_eq!(talk.end().code, Some(6), "{way}");
        fs::remove_file(place.project.join("go")).unwrap();
    }
}

#[test]
fn signals_reach_the_program() {
    let place = Place::new();
    let names = [(Signal::INT, "INT"), (Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::QUIT, "QUIT")];
    for way in WAYS {
        for (signal, name) in names {
            for has_input in [false, true] {
                let script = format!("trap 'echo caught; exit 9' {name}; echo ready; while :; do sleep 0.05; done");
                let mut talk = Talk::start(place.sh(way, &script));
                if has_input {
                    talk.feed(noise(10_000_000));
                    wait_until("as much input as is taken ahead", || talk.fed() >= 256 * 1024);
                }
                talk.wait_for_output("ready");
                talk.signal(signal);
                let ended = talk.end();
                let caught = (ended.code, ended.stdout.as_slice());
                assert_eq!(caught, (Some(9), &b"ready\ncaught\n"[..]), "{way}: {name}, unread input: {has_input}");
            }
        }
        let talk = Talk::start(place.sh(way, "echo ready; exec sleep 1000"));
        talk.wait_for_output("ready");
        talk.signal(Signal::TERM);
        assert_eq!(talk.end().code, Some(143), "{way}");
    }
}

#[test]
fn a_reader_that_stops_does_not_stop_a_signal() {
    let place = Place::new();
    for way in WAYS {
        let mut talk = Talk::start_unread(place.exec(way, &["yes", "wharf"]));
        // Until nothing is read from it any more.
        wait_until("the program to be held up", || {
            place.programs().iter().any(|program| program.ends_with("pipe_write yes wharf"))
        });
        talk.signal(Signal::TERM);
        wait_until("the program's end", || !place.runs("yes wharf"));
        assert!(talk.is_running(), "{way}: what was said before its end is still to be read");
        talk.read_on();
        assert_eq!(talk.end().code, Some(143), "{way}");
    }
}

#[test]
fn a_reader_that_goes_ends_it() {
    let place = Place::new();
    for way in WAYS {
        let mut talk = Talk::start_unread(place.exec(way, &["yes", "wharf"]));
        wait_until("the program", || place.runs("yes wharf"));
        talk.close_stdout();
        assert_eq!(talk.end().code, Some(141), "{way}");
        wait_until("the program's end", || !place.runs("yes wharf"));
    }
}

#[test]
fn a_client_that_is_killed_takes_its_program_along() {
    let place = Place::new();
    for way in WAYS {
        for has_input in [false, true] {
            let mut talk = Talk::start(place.exec(way, &["sleep", "4711"]));
            wait_until("the program", || place.runs("sleep 4711"));
            if has_input {
                talk.feed(noise(10_000_000));
                wait_until("as much input as is taken ahead", || talk.fed() >= 256 * 1024);
            }
            drop(talk);
            wait_until("the program's end", || !place.runs("sleep 4711"));
        }
    }
}

#[test]
fn what_a_program_leaves_behind_holds_nobody_up() {
    let place = Place::new();
    for way in WAYS {
        for left in ["sleep 4712", "yes", "while :; do echo more; sleep 0.02; done"] {
            let ended = Talk::start(place.sh(way, &format!("({left}) & echo $!; exit 4"))).end();
            assert_eq!(ended.code, Some(4), "{way}: {left}");
            let printed = String::from_utf8(ended.stdout).unwrap();
            let id: u32 = printed.lines().find_map(|line| line.parse().ok()).unwrap();
            // It was left, and not ended.
            Docker::output(["exec", &place.container, "kill", &id.to_string()]);
        }
    }
}

#[test]
fn the_directory_is_the_one_at_hand() {
    let place = Place::new();
    let below = place.project.join("a b/größe");
    fs::create_dir_all(&below).unwrap();
    // What makes the directory above the project's root.
    fs::create_dir(place.project.join(".devcontainer")).unwrap();
    for way in WAYS {
        assert_eq!(place.exec(way, &["pwd"]).success(), place.project.to_str().unwrap(), "{way}");
        assert_eq!(place.exec(way, &["pwd"]).current_dir(&below).success(), below.to_str().unwrap(), "{way}");
    }
}

#[test]
fn a_stopped_container_is_started() {
    let place = Place::new();
    for way in WAYS {
        place.world.wharf(["stop"]).arg(&place.project).success();
        assert_eq!(place.exec(way, &["echo", "hi"]).run().stdout, "hi\n", "{way}");
        assert_eq!(Docker::state(&place.container), "running");
    }
}

#[test]
fn without_a_container_there_is_nothing_to_run_in() {
    let world = World::new();
    let project = world.project("api");
    for way in WAYS {
        let exec = world.wharf(["exec", "--", "true"]).current_dir(&project).env("WHARF_ATTACH", way);
        let expected = format!("error: `{}` has no container\nhint: `wharf open` makes one\n", project.display());
        assert_eq!(exec.failure(), expected, "{way}");
    }
}

#[test]
fn fifty_at_once() {
    let place = Place::new();
    for way in WAYS {
        let input = noise(300_000);
        let expected = sha256(&input);
        thread::scope(|scope| {
            let all: Vec<_> = (0..50)
                .map(|number| {
                    let run = place.sh(way, &format!("sha256sum; echo {number} >&2; exit {number}"));
                    let input = input.clone();
                    scope.spawn(move || {
                        let mut talk = Talk::start(run);
                        talk.feed(input);
                        talk.end()
                    })
                })
                .collect();
            for (number, one) in (0..).zip(all) {
                let ended = one.join().unwrap();
                assert_eq!(ended.code, Some(number), "{way}: {}", ended.stderr);
                assert_eq!(String::from_utf8(ended.stdout).unwrap(), format!("{expected}  -\n"), "{way}");
                assert_eq!(ended.stderr, format!("{number}\n"), "{way}");
            }
        });
    }
}

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
    let place = Place::new();
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
    let place = Place::new();
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
    let place = Place::new();
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
    let place = Place::new();
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
