//! R100: who waits for me, in every place that shows sessions.

use crate::support::{Docker, Place, wait_until};

const REPORT: &str = "/run/wharf/tools/wharf report";

impl Place {
    fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.world.wharf(arguments).current_dir(&self.project).success()).unwrap()
    }

    /// A session whose program reports this, and what is typed into it.
    #[track_caller]
    fn agent(&self, name: &str, state: &str) {
        let line = format!("{REPORT} {state}; stty -echo; while read -r state; do {REPORT} $state; done");
        let open = self.world.wharf(["open", "--detach", &format!(":{name}"), "--", "sh", "-c", &line]);
        open.current_dir(&self.project).success();
    }

    fn say(&self, name: &str, state: &str) {
        self.world.wharf(["send", &format!(":{name}"), state, "--enter"]).current_dir(&self.project).success();
    }

    fn state_of(&self, name: &str) -> String {
        let sessions = self.json(&["sessions", "--json"]);
        let session = sessions.as_array().unwrap().iter().find(|session| session["name"] == name).unwrap().clone();
        session["state"].as_str().unwrap().to_owned()
    }
}

#[test]
fn who_waits_is_shown_wherever_sessions_are() {
    let place = Place::opened();
    place.agent("claude", "waiting");
    wait_until("the report", || place.state_of("claude") == "waiting");
    assert_eq!(place.json(&["status", "--json"])["waiting"], serde_json::json!(["claude"]));
    let list = place.world.wharf(["list"]).success();
    let row = list.lines().find(|line| line.contains(place.project.to_str().unwrap())).unwrap();
    assert!(row.contains("claude (waiting),main"), "{row}");
    let all = place.json(&["sessions", "--all", "--json"]);
    let own: Vec<_> = all.as_array().unwrap().iter().filter(|row| row["container"] == place.container.as_str()).collect();
    assert_eq!(own[0]["name"], "claude");
    assert_eq!(own.len(), 2);
    place.say("claude", "failed");
    wait_until("the next report", || place.state_of("claude") == "failed");
    place.say("claude", "none");
    wait_until("the output to count again", || place.state_of("claude") == "working" || place.state_of("claude") == "done");
}

#[test]
fn the_status_line_tells_and_a_key_leads_there() {
    let place = Place::opened();
    let host = place.world.host();
    let screen = host.attach("main");
    host.open_shell_in(&place.project);
    screen.press(&["C-b", "O"]);
    screen.wait_for_prompt();
    let option = |name: &str| host.tmux(["show-options", "-gqv", name]);
    wait_until("the count", || option("@wharf_waiting") == "0");
    host.tmux(["set-option", "-g", "status-right", "#{E:@wharf-status}"]);
    // Away from it.
    host.tmux(["select-window", "-t", "main:0"]);
    place.agent("claude", "waiting");
    wait_until("the count", || option("@wharf_waiting") == "1");
    let of_windows = || host.windows("#{@wharf_wait}");
    wait_until("the window", || of_windows().iter().any(|waits| waits == "claude"));
    // Nobody has looked at it.
    screen.wait_for_text("claude waits for you");
    screen.press(&["C-b", "N"]);
    wait_until("its window", || host.windows("#{window_active}#{@wharf_session}").contains(&"1claude".to_owned()));
    screen.wait_for_text("?claude");
    place.say("claude", "working");
    wait_until("nobody to wait", || option("@wharf_waiting") == "0" && of_windows().iter().all(String::is_empty));
    wait_until("the client", || Docker::inner_clients(&place.container).len() == 2);
}

#[test]
fn a_bell_is_a_wait_until_somebody_types() {
    let place = Place::opened();
    let open = place.world.wharf(["open", "--detach", ":job", "--", "sh", "-c", "printf '\\a'; exec cat"]);
    open.current_dir(&place.project).success();
    wait_until("the wait", || place.state_of("job") == "waiting");
    place.say("job", "x");
    assert_ne!(place.state_of("job"), "waiting");
}
