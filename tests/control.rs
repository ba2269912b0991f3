//! R32: sessions are typed into, looked at and waited for without a terminal, by either way in.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::support::{Docker, Outcome, Place, Run, Talk, wait_until};

const WAYS: [&str; 2] = ["relay", "exec"];

impl Place {
    fn wharf(&self, way: &str, arguments: &[&str]) -> Run {
        self.world.wharf(arguments).current_dir(&self.project).env("WHARF_ATTACH", way)
    }

    /// A session that runs a shell line.
    #[track_caller]
    fn session(&self, name: &str, line: &str) {
        let open = self.world.wharf(["open", "--detach", "--session", name, "."]).current_dir(&self.project);
        open.args(["--", "sh", "-c", line]).success();
    }

    /// A session that writes what is typed to a file, byte for byte.
    #[track_caller]
    fn writes(&self, name: &str) -> PathBuf {
        self.session(name, &format!("stty raw -echo; touch {name}.ready; exec cat >{name}"));
        wait_until("the session", || self.project.join(format!("{name}.ready")).exists());
        self.project.join(name)
    }

    fn end_session(&self, name: &str) {
        Docker::inner_tmux(&self.container, &["kill-session", "-t", name]);
    }
}

#[track_caller]
fn wait_for_content(file: &Path, expected: &[u8]) {
    wait_until("all that was sent", || fs::metadata(file).is_ok_and(|file| file.len() >= expected.len() as u64));
    assert!(fs::read(file).unwrap() == expected, "what arrived in {} is not what was sent", file.display());
}

#[test]
fn text_arrives_byte_for_byte() {
    let place = Place::opened();
    let long = "größe; $HOME \"q\" 'p' `x` #{pid} \\n\t|\n".repeat(3000);
    assert!(long.len() > 100_000);
    let texts =
        ["it's", "\"q\";", ";", "$HOME `id`", "one\ntwo\n", "\ttabs\t", "größe → ö", "-x", "Enter", "#{pid}", "\x1b[31m\x03"];
    for way in WAYS {
        let file = place.writes(way);
        let mut expected = String::new();
        for text in texts {
            // A text that begins like an option comes behind the dashes.
            place.wharf(way, &["send", "--session", way, "--", ".", text]).success();
            expected += text;
        }
        place.wharf(way, &["send", "--session", way, "."]).input(long.clone()).success();
        expected += &long;
        place.wharf(way, &["send", "--session", way, "--enter", ".", "last"]).success();
        expected += "last\r";
        wait_for_content(&file, expected.as_bytes());
    }
}

#[test]
fn two_that_send_at_once_do_not_mix() {
    let place = Place::opened();
    for way in WAYS {
        let file = place.writes(way);
        let texts = ["a", "b", "c", "d"].map(|letter| letter.repeat(30_000));
        thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| place.wharf(way, &["send", "--session", way, "."]).input(text.clone()).success());
            }
        });
        wait_until("all that was sent", || fs::metadata(&file).is_ok_and(|file| file.len() >= 120_000));
        let mut arrived = fs::read_to_string(&file).unwrap();
        assert_eq!(arrived.len(), 120_000);
        for text in texts {
            assert!(arrived.contains(&text), "{way}");
            arrived = arrived.replacen(&text, "", 1);
        }
        assert_eq!(arrived, "");
    }
}

#[test]
fn the_screen_its_colours_and_its_history_are_captured() {
    let place = Place::opened();
    place.session("screen", "seq 100; printf '\\033[31mred\\033[0m größe\\n'; touch shown; exec sleep 1000");
    wait_until("the session", || place.project.join("shown").exists());
    let lines = |from: u32| (from..=100).map(|line| format!("{line}\n")).collect::<String>();
    for way in WAYS {
        wait_until("the screen", || place.wharf(way, &["capture", "--session", "screen"]).success().contains("größe"));
        let captured = |options: &[&str]| place.wharf(way, &["capture", "--session", "screen"]).args(options).success();
        // 24 lines: the last is the cursor's.
        assert_eq!(captured(&[]), format!("{}red größe", lines(79)), "{way}");
        assert_eq!(captured(&["--history", "0"]), format!("{}red größe", lines(79)), "{way}");
        assert_eq!(captured(&["--history", "3"]), format!("{}red größe", lines(76)), "{way}");
        assert_eq!(captured(&["--history", "1000"]), format!("{}red größe", lines(1)), "{way}");
        assert!(captured(&["--escapes"]).ends_with("\x1b[31mred\x1b[39m größe"), "{way}");
    }
}

#[test]
fn what_is_not_there_is_an_error_that_names_what_is() {
    let place = Place::opened();
    let expected = format!(
        "error: no session `other` runs in container `{}` (running: main)\nhint: `wharf open --session other` starts it\n",
        place.container
    );
    for way in WAYS {
        for command in
            [&["send", "--session", "other", ".", "x"][..], &["capture", "--session", "other"], &["wait", "--session", "other"]]
        {
            assert_eq!(place.wharf(way, command).failure(), expected, "{way}: {command:?}");
        }
    }
}

#[test]
fn sessions_are_listed() {
    let place = Place::opened();
    for way in WAYS {
        let listed = |place: &Place| -> Vec<serde_json::Value> {
            serde_json::from_str(&place.wharf(way, &["sessions", "--json"]).success()).unwrap()
        };
        let names = |place: &Place| listed(place).iter().map(|session| session["name"].clone()).collect::<Vec<_>>();
        assert_eq!(names(&place), ["main"], "{way}");
        place.session("logs", "exec sleep 1000");
        assert_eq!(names(&place), ["logs", "main"], "{way}");
        for session in listed(&place) {
            assert_eq!(session["attached"], 0);
            assert_eq!(session["bell"], false);
            assert!(session["created"].as_i64() > Some(1_600_000_000), "{session}");
            assert!(session["activity"].as_i64() >= session["created"].as_i64(), "{session}");
        }
        place.end_session("logs");
        assert_eq!(names(&place), ["main"], "{way}");
        let table = place.wharf(way, &["sessions"]).success();
        assert!(table.starts_with("SESSION  ATTACHED  CREATED"), "{table}");
        assert_eq!(table.lines().count(), 2, "{table}");
    }
    place.end_session("main");
    for way in WAYS {
        let none = place.wharf(way, &["sessions"]).success();
        assert_eq!(none, format!("no session runs in container {}", place.container), "{way}");
        assert_eq!(place.wharf(way, &["sessions", "--json"]).success(), "[]", "{way}");
    }
}

/// What `list` shows of the project, which it has from the relay.
#[track_caller]
fn listed(place: &Place) -> Vec<String> {
    let listed: Vec<serde_json::Value> = serde_json::from_str(&place.wharf("relay", &["list", "--json"]).success()).unwrap();
    let row = listed.iter().find(|row| row["container"] == place.container.as_str()).unwrap();
    row["sessions"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_the_relay_knows_follows_every_change() {
    let place = Place::opened();
    for round in 0..10 {
        assert_eq!(listed(&place), ["main"], "round {round}");
        place.session("logs", "exec sleep 1000");
        // It has started that itself.
        assert_eq!(listed(&place), ["logs", "main"], "round {round}");
        place.end_session("logs");
        wait_until("the end to be known", || listed(&place) == ["main"]);
        // Another server, and nothing in between that the relay was asked for.
        Docker::inner_tmux(&place.container, &["kill-server"]);
        place.wharf("exec", &["open", "--detach", "--session", "main"]).success();
        wait_until("the new server to be known", || listed(&place) == ["main"]);
    }
}

/// A wait that has begun: the relay of its way listens for changes.
fn wait(place: &Place, way: &str, arguments: &[&str]) -> Talk {
    let followers = || {
        let printed = Docker::shell(&place.container, "pgrep -f '[w]ait-for wharf-sessions' | wc -l");
        printed.trim().parse::<usize>().unwrap()
    };
    let others = followers();
    let talk = Talk::start(place.wharf(way, &["wait"]).args(arguments));
    // The relay's own watch goes on when its first follower has left.
    wait_until("the wait to begin", || followers() > others || (way == "relay" && others > 0));
    talk
}

#[test]
fn the_end_of_a_session_is_waited_for() {
    let place = Place::opened();
    for way in WAYS {
        place.session("job", "until [ -e go ]; do sleep 0.05; done");
        let mut waiting = wait(&place, way, &["--session", "job"]);
        assert!(waiting.is_running(), "{way}");
        fs::write(place.project.join("go"), "").unwrap();
        let ended = waiting.end();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{way}");
        fs::remove_file(place.project.join("go")).unwrap();
    }
}

#[test]
fn a_bell_is_waited_for() {
    let place = Place::opened();
    for way in WAYS {
        place.session("job", "until [ -e go ]; do sleep 0.05; done; printf '\\a'; exec sleep 1000");
        let mut waiting = wait(&place, way, &["--session", "job", "--for", "bell"]);
        assert!(waiting.is_running(), "{way}");
        fs::write(place.project.join("go"), "").unwrap();
        assert_eq!(waiting.end().code, Some(0), "{way}");
        fs::remove_file(place.project.join("go")).unwrap();
        place.end_session("job");
    }
}

#[test]
fn activity_is_waited_for() {
    let place = Place::opened();
    for way in WAYS {
        place.session("job", "until [ -e go ]; do sleep 0.05; done; while :; do echo more; sleep 0.1; done");
        let mut waiting = wait(&place, way, &["--session", "job", "--for", "activity"]);
        assert!(waiting.is_running(), "{way}");
        fs::write(place.project.join("go"), "").unwrap();
        assert_eq!(waiting.end().code, Some(0), "{way}");
        fs::remove_file(place.project.join("go")).unwrap();
        place.end_session("job");
    }
}

#[test]
fn a_wait_outlives_the_relay_and_ends_with_the_container() {
    let place = Place::opened();
    for way in WAYS {
        if way == "exec" {
            place.world.wharf(["open", "--detach"]).arg(&place.project).success();
        }
        let mut waiting = wait(&place, way, &[]);
        let relays = || Docker::shell(&place.container, "pgrep -f '[w]harf relay' || true");
        let before = relays();
        Docker::output(["exec", &place.container, "pkill", "-KILL", "-f", "wharf relay"]);
        wait_until("another relay", || {
            let now = relays();
            !now.is_empty() && now.lines().all(|id| before.lines().all(|old| old != id))
        });
        assert!(waiting.is_running(), "{way}");
        place.world.wharf(["stop"]).arg(&place.project).success();
        // What the session's command would have ended with, nobody knows.
        let ended = waiting.end();
        assert_eq!(ended.code, Some(1), "{way}");
        assert!(ended.stderr.starts_with(&format!("error: container `{}` ended with exit code 143\n", place.container)), "{way}");
    }
}

#[test]
fn a_follower_that_goes_is_noticed() {
    let place = Place::opened();
    let waiting = wait(&place, "exec", &[]);
    let relays = || Docker::shell(&place.container, "pgrep -f '[w]harf relay --stdio' | wc -l");
    assert_ne!(relays(), "0");
    drop(waiting);
    wait_until("its relay's end", || relays() == "0");
}

#[test]
fn what_is_stopped_is_said() {
    let place = Place::opened();
    place.world.wharf(["stop"]).arg(&place.project).success();
    let expected = format!("error: container `{}` is exited\nhint: `wharf open` starts it\n", place.container);
    for way in WAYS {
        for verb in ["sessions", "capture", "wait"] {
            let Outcome { code, stderr, .. } = place.wharf(way, &[verb]).run();
            assert_eq!((code, stderr.as_str()), (Some(1), expected.as_str()), "{way}: {verb}");
        }
    }
}
