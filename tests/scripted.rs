//! R101: what a script relies on: `wait`, `send`, `capture`, `kill`, `restart` and `events`, without a terminal.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Docker, Place, Run, Talk, World, wait_until};

impl Place {
    fn script(&self, arguments: &[&str]) -> Run {
        self.world.wharf(arguments).current_dir(&self.project)
    }

    /// A session that runs a shell line.
    #[track_caller]
    fn job(&self, name: &str, line: &str) {
        self.script(&["open", "--detach", &format!(":{name}"), "--", "sh", "-c", line]).success();
    }

    fn end_code(&self, arguments: &[&str]) -> Option<i32> {
        self.script(arguments).run().code
    }

    #[track_caller]
    fn sessions_json(&self) -> Vec<serde_json::Value> {
        serde_json::from_str(&self.script(&["sessions", "--json"]).success()).unwrap()
    }
}

#[test]
fn a_wait_for_the_end_ends_with_the_sessions_exit_code() {
    let place = Place::opened();
    place.job("bad", "until [ -e go ]; do sleep 0.05; done; echo oops; exit 7");
    place.job("good", "until [ -e go ]; do sleep 0.05; done");
    let mut both = Talk::start(place.script(&["wait", ":good", ":bad", "--all", "--json"]));
    let mut one = Talk::start(place.script(&["wait", ":bad"]));
    assert_eq!(place.end_code(&["wait", ":bad", "--timeout", "300ms"]), Some(124));
    assert!(both.is_running() && one.is_running());
    fs::write(place.project.join("go"), "").unwrap();
    assert_eq!(one.end().code, Some(7));
    let ended = both.end();
    assert_eq!(ended.code, Some(7));
    let lines = String::from_utf8(ended.stdout).unwrap();
    let codes: Vec<(String, i64)> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|met| (met["session"].as_str().unwrap().to_owned(), met["exit_code"].as_i64().unwrap()))
        .collect();
    assert!(codes.contains(&("bad".to_owned(), 7)) && codes.contains(&("good".to_owned(), 0)), "{codes:?}");
    // Both have ended before; the first that is asked for is enough.
    assert_eq!(place.end_code(&["wait", ":good"]), Some(0));
    assert_eq!(place.end_code(&["wait", ":bad"]), Some(7));
    // Whoever waits for something else hears of the end, with the last lines.
    let other = place.script(&["wait", ":bad", "--for", "bell"]).failure();
    assert!(other.contains("has ended with exit code 7\n  | oops\n"), "{other}");
}

#[test]
fn a_bell_counts_since_the_call_or_since_the_last_send_whoever_looks() {
    let place = Place::opened();
    place.job("job", "stty -echo; printf '\\a'; while read -r line; do printf '\\a'; done");
    wait_until("the first bell", || place.sessions_json().iter().any(|session| session["bells"] == 1));
    // An old one is none.
    assert_eq!(place.end_code(&["wait", ":job", "--for", "bell", "--timeout", "500ms"]), Some(124));
    // One that rings before the wait begins, and after the send.
    place.script(&["send", ":job", "x", "--enter"]).success();
    wait_until("the second bell", || place.sessions_json().iter().any(|session| session["bells"] == 2));
    assert_eq!(place.script(&["wait", ":job", "--for", "bell", "--since", "send", "--timeout", "20s"]).success(), "");
    // One that somebody sees at once.
    let host = place.world.host();
    host.attach("main");
    host.tmux([
        "new-window",
        "-t",
        "main:",
        &format!("'{}' attach '{}':job", crate::support::binary().display(), place.project.display()),
    ]);
    wait_until("the client", || Docker::inner_clients(&place.container).len() == 1);
    let mut waiting = Talk::start(place.script(&["wait", ":job", "--for", "bell"]));
    thread::sleep(Duration::from_millis(500));
    assert!(waiting.is_running());
    place.script(&["send", ":job", "x", "--enter"]).success();
    assert_eq!(waiting.end().code, Some(0));
}

#[test]
fn text_is_waited_for_since_a_mark() {
    let place = Place::opened();
    place.job("job", "stty -echo; echo ready; while read -r line; do echo \"did $line\"; done");
    // What it shows counts where no mark is asked for.
    place.script(&["wait", ":job", "--for", "text=^ready$", "--timeout", "20s"]).success();
    assert_eq!(place.end_code(&["wait", ":job", "--for", "text=^ready$", "--since", "now", "--timeout", "500ms"]), Some(124));
    place.script(&["send", ":job", "one", "--enter"]).success();
    let met =
        place.script(&["wait", ":job", "--for", "text=^did .*$", "--since", "send", "--timeout", "20s", "--json"]).success();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&met).unwrap()["line"], "did one");
    // What came before the last send does not.
    place.script(&["send", ":job", "two", "--enter"]).success();
    place.script(&["wait", ":job", "--for", "text=did two", "--since", "send", "--timeout", "20s"]).success();
    assert_eq!(place.end_code(&["wait", ":job", "--for", "text=did one", "--since", "send", "--timeout", "500ms"]), Some(124));
    // What has scrolled away meanwhile is seen as well.
    place.job("fast", "stty -echo; read -r line; sleep 2; echo needle; seq 500; exec sleep 1000");
    let waiting = Talk::start(place.script(&["wait", ":fast", "--for", "text=needle", "--timeout", "20s"]));
    place.script(&["send", ":fast", "go", "--enter"]).success();
    assert_eq!(waiting.end().code, Some(0));
}

#[test]
fn quiet_is_waited_for() {
    let place = Place::opened();
    place.job("job", "until [ -e go ]; do echo more; sleep 0.2; done; exec sleep 1000");
    assert_eq!(place.end_code(&["wait", ":job", "--for", "idle=1s", "--timeout", "3s"]), Some(124));
    fs::write(place.project.join("go"), "").unwrap();
    place.script(&["wait", ":job", "--for", "idle=1s", "--timeout", "20s"]).success();
    let begun = Instant::now();
    place.script(&["wait", ":job", "--for", "idle=2s", "--since", "now", "--timeout", "20s"]).success();
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn what_a_program_reports_is_its_state() {
    let place = Place::opened();
    let line = "stty -echo; report() { /run/wharf/tools/wharf report \"$1\"; }; \
        report working; while read -r line; do report working; report waiting; done";
    place.job("agent", line);
    place.script(&["wait", ":agent", "--for", "state=working", "--timeout", "20s"]).success();
    assert_eq!(place.end_code(&["wait", ":agent", "--for", "state=waiting", "--timeout", "500ms"]), Some(124));
    place.script(&["send", ":agent", "x", "--enter"]).success();
    place.script(&["wait", ":agent", "--for", "state=waiting", "--since", "send", "--timeout", "20s"]).success();
    // It has waited before something else was sent, which is no answer to that.
    assert_eq!(place.end_code(&["wait", ":agent", "--for", "state=waiting", "--since", "now", "--timeout", "500ms"]), Some(124));
    place.script(&["wait", ":agent", "--for", "state=waiting"]).success();
}

#[test]
fn keys_pastes_and_files_are_sent() {
    let place = Place::opened();
    place.job("raw", "stty raw -echo; printf '\\033[?2004h'; touch raw.ready; exec cat >raw");
    wait_until("the session", || place.project.join("raw.ready").exists());
    let bytes: Vec<u8> = (0..=255).collect();
    fs::write(place.project.join("bytes"), &bytes).unwrap();
    place.script(&["send", ":raw", "--file", "bytes"]).success();
    place.script(&["send", ":raw", "--paste", "two\nlines"]).success();
    place.script(&["send", ":raw", "--keys", "C-c", "Up", ";", "Enter"]).success();
    let expected = [&bytes[..], b"\x1b[200~two\nlines\x1b[201~", b"\x03\x1b[A;\r"].concat();
    let arrived = || fs::read(place.project.join("raw")).unwrap();
    wait_until("all that was sent", || arrived().len() >= expected.len());
    assert_eq!(arrived(), expected);
    let refused = place.script(&["send", ":raw", "--keys", "Retrun"]).run();
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("tmux knows no key of this name"), "{}", refused.stderr);
}

#[test]
fn all_that_has_left_the_screen_is_captured() {
    let place = Place::opened();
    place.job("long", "seq 1000; exec sleep 1000");
    place.script(&["wait", ":long", "--for", "text=^1000$", "--timeout", "20s"]).success();
    let expected: String = (1..=1000).map(|line| format!("{line}\n")).collect();
    assert_eq!(place.script(&["capture", ":long", "--history"]).success(), expected.trim_end());
    assert_eq!(place.script(&["capture", ":long", "--history", "1"]).success().lines().count(), 24);
}

#[test]
fn a_session_is_killed_and_only_it() {
    let place = Place::opened();
    place.job("job", "exec sleep 1000");
    let waiting = Talk::start(place.script(&["wait", ":job"]));
    wait_until("the wait", || !Docker::shell(&place.container, "pgrep -f '[w]ait-for wharf-sessions' || true").is_empty());
    let printed = place.script(&["kill", ":job"]).success();
    assert_eq!(printed, format!("ended session job of {}", place.container));
    // As of one that its terminal's end has ended.
    assert_eq!(waiting.end().code, Some(129));
    assert_eq!(place.sessions_json().len(), 1);
    let gone = place.script(&["kill", ":job"]).failure();
    assert!(gone.starts_with("error: no session `job` runs in container"), "{gone}");
}

#[test]
fn an_ended_session_is_shown_as_ended_and_starts_anew() {
    let world = World::new();
    let project = world.project("api");
    fs::write(project.join("wharf.kdl"), "session \"job\" { command \"sh\" \"-c\" \"echo $$ >>runs; exit 3\"; }\n").unwrap();
    let container = world.open_detached(&project);
    let place = Place { world, project, container };
    let runs = || fs::read_to_string(place.project.join("runs")).map_or(0, |runs| runs.lines().count());
    let ended = || place.sessions_json().iter().any(|session| session["name"] == "job" && session["exit_code"] == 3);
    place.script(&["open", "--detach", ":job"]).success();
    wait_until("its end", || runs() == 1 && ended());
    let listed: Vec<serde_json::Value> = serde_json::from_str(&place.script(&["list", "--json"]).success()).unwrap();
    let row = listed.iter().find(|row| row["container"] == place.container.as_str()).unwrap();
    assert!(
        row["session_states"].as_array().unwrap().iter().any(|state| state["name"] == "job" && state["state"] == "failed"),
        "{row}"
    );
    let refused = place.script(&["send", ":job", "x"]).failure();
    assert!(
        refused.contains(&format!("has ended with exit code 3\nhint: `wharf restart {}:job` runs it again", place.container)),
        "{refused}"
    );

    place.script(&["open", "--detach", ":job"]).success();
    wait_until("the second end", || runs() == 2 && ended());
    let printed = place.script(&["restart", ":job"]).success();
    assert_eq!(printed, format!("restarted session job of {}", place.container));
    wait_until("the third end", || runs() == 3 && ended());
    // On its last screen, a key does.
    let host = place.world.host();
    let screen = host.attach("main");
    screen.type_line(&format!("'{}' attach '{}':job", crate::support::binary().display(), place.project.display()));
    screen.wait_for_text("r runs it again");
    screen.press(&["r"]);
    wait_until("the fourth end", || runs() == 4 && ended());
}

#[test]
fn a_session_that_runs_is_restarted_where_it_is() {
    let place = Place::opened();
    place.job("job", "echo run >>runs; exec sleep 1000");
    let runs = || fs::read_to_string(place.project.join("runs")).map_or(0, |runs| runs.lines().count());
    wait_until("the first run", || runs() == 1);
    let host = place.world.host();
    let screen = host.attach("main");
    screen.type_line(&format!("'{}' attach '{}':job; echo left", crate::support::binary().display(), place.project.display()));
    wait_until("the client", || Docker::inner_clients(&place.container).len() == 1);
    // What it was started with, where nothing is configured; whoever looks stays.
    place.script(&["restart", ":job"]).success();
    wait_until("the second run", || runs() == 2);
    assert_eq!(Docker::inner_clients(&place.container).len(), 1);
}

#[test]
fn a_command_that_fails_is_run_again_where_that_is_configured() {
    let world = World::new();
    let project = world.project("api");
    let line =
        r#"echo run >>runs; [ \"$WHARF_RESTART\" = \"\" ] || touch leaked; [ $(wc -l <runs) -ge 2 ] || exit 5; exec sleep 1000"#;
    let file = format!("session \"job\" {{ command \"sh\" \"-c\" \"{line}\"; autostart #true; restart \"on-failure\"; }}\n");
    fs::write(project.join("wharf.kdl"), file).unwrap();
    let container = world.open_detached(&project);
    let place = Place { world, project, container };
    wait_until("the second run", || fs::read_to_string(place.project.join("runs")).is_ok_and(|runs| runs.lines().count() == 2));
    assert!(place.sessions_json().iter().any(|session| session["name"] == "job" && session["exit_code"].is_null()));
    assert!(!place.project.join("leaked").exists());
}

#[test]
fn ready_is_more_than_up() {
    let world = World::new();
    let project = world.project("api");
    let job = "sleep 1; echo listening; touch up; exec sleep 1000";
    let file = format!(
        "ready command=\"test -e up\"\nsession \"job\" {{ command \"sh\" \"-c\" \"{job}\"; autostart #true; ready line=\"^listening$\"; }}\n"
    );
    fs::write(project.join("wharf.kdl"), &file).unwrap();
    world.wharf(["start", "--wait", "--timeout", "30s"]).arg(&project).success();
    assert!(project.join("up").exists());
    let place = Place { container: world.container_of(&project), world, project };
    assert_eq!(place.script(&["wait", ":job", "--for", "ready"]).success(), "");
    // One that dies is heard of at once, with its last lines.
    fs::write(place.project.join("wharf.kdl"), file.replace("echo listening", "echo broken; exit 4")).unwrap();
    place.script(&["restart", ":job"]).success();
    let begun = Instant::now();
    let died = place.script(&["wait", ":job", "--for", "ready", "--timeout", "30s"]).failure();
    assert!(died.contains("session `job` of container") && died.contains("exit code 4\n  | broken"), "{died}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    // A port that nothing listens at.
    fs::write(place.project.join("wharf.kdl"), "ready port=4321\n").unwrap();
    assert_eq!(place.end_code(&["wait", "--for", "ready", "--timeout", "1s"]), Some(124));
    place.job(
        "server",
        "exec perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalPort => 4321, Listen => 1) or exit 1; sleep 1000'",
    );
    let ready = place.script(&["wait", "--for", "ready", "--timeout", "20s"]).run();
    assert_eq!(ready.code, Some(0), "{}", ready.stderr);
}

#[test]
fn events_are_told_as_they_happen() {
    let place = Place::opened();
    let mut events = Talk::start(place.script(&["events", "--json", "."]));
    let told = |events: &Talk, event: &str, session: &str| {
        let lines = String::from_utf8_lossy(&events.stdout()).into_owned();
        lines
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|told| told["event"] == event && told["session"].as_str().unwrap_or_default() == session)
            .collect::<Vec<_>>()
    };
    wait_until("the session", || told(&events, "session-begun", "main").len() == 1);
    assert_eq!(told(&events, "state", "")[0]["state"], "running");
    let line = "printf '\\033]2;hello\\007'; until [ -e go ]; do sleep 0.05; done; printf '\\a'; /run/wharf/tools/wharf report waiting; \
        until [ -e end ]; do sleep 0.05; done; exit 3";
    place.job("job", line);
    wait_until("its begin", || told(&events, "session-begun", "job").len() == 1);
    wait_until("its title", || told(&events, "title", "job").iter().any(|told| told["title"] == "hello"));
    fs::write(place.project.join("go"), "").unwrap();
    wait_until("its bell", || told(&events, "bell", "job").len() == 1);
    wait_until("its wait", || told(&events, "session-state", "job").iter().any(|told| told["state"] == "waiting"));
    fs::write(place.project.join("end"), "").unwrap();
    wait_until("its end", || told(&events, "session-ended", "job").iter().any(|told| told["exit_code"] == 3));
    assert_eq!(told(&events, "session-ended", "job")[0]["project"], place.project.to_str().unwrap());
    place.script(&["stop"]).success();
    wait_until("the container's end", || told(&events, "state", "").iter().any(|told| told["state"] == "stopped"));
    assert!(events.is_running());
}

#[test]
fn a_session_is_named_behind_its_target() {
    let place = Place::opened();
    place.job("job", "exec sleep 1000");
    let by_container = format!("{}:job", place.container);
    // The project's name alone is that of other tests' as well.
    let odd_name = format!("p{}", place.world.root().file_name().unwrap().to_string_lossy());
    let named = place.world.project(&odd_name);
    place.world.wharf(["open", "--detach", "--session", "job"]).arg(&named).success();
    let by_name = format!("{odd_name}:job");
    for target in [":job", &by_name, &by_container, &format!("{}:job", place.project.display())] {
        place.script(&["capture", target]).success();
    }
    let twice = place.script(&["capture", ":job", "--session", "main"]).failure();
    assert_eq!(twice, "error: `:job` names a session, and `--session main` another\nhint: leave out one of them\n");
    // A directory of that name is what is meant.
    let odd = place.world.project("odd:job");
    let opened = place.world.wharf(["open", "--detach"]).arg(&odd).success();
    assert!(opened.ends_with(" runs session main"), "{opened}");
}
