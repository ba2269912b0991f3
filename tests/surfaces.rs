//! What people read: the list, the help, completions and the manual.

use std::fs::File;
use std::process::{Output, Stdio};

use crate::support::{BUSYBOX, Docker, Run, World, binary, output_of, run};

#[test]
fn the_list_shows_every_state() {
    let world = World::new();
    let [up, down, gone] = ["up", "down", "gone"].map(|name| world.project(name));
    world.open_detached(&up);
    let stopped = world.wharf(["start", "--image", BUSYBOX]).arg(&down).success();
    Docker::run(["kill", &stopped]);
    let orphan = world.wharf(["start", "--image", BUSYBOX]).arg(&gone).success();
    Docker::run(["pause", &orphan]);
    std::fs::remove_dir(&gone).unwrap();
    // How long ago is a matter of the machine's speed.
    std::fs::remove_file(world.root().join("state/wharf/history")).unwrap();

    let list = world.wharf(["list"]).success();
    let root = world.root().display().to_string();
    let ours: Vec<Vec<&str>> =
        list.lines().filter(|line| line.contains(&root)).map(|line| line.split_whitespace().collect()).collect();
    let path = |name: &str| format!("{root}/src/{name}");
    assert_eq!(
        ours,
        [
            vec!["down", "exited", "-", BUSYBOX, "-", &path("down"), "-"],
            vec!["gone", "paused", "(orphaned)", "-", BUSYBOX, "-", &path("gone"), "-"],
            vec!["up", "running", "main", "wharf-default:latest", "-", &path("up"), "-"],
        ]
    );
    assert_eq!(
        list.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["NAME", "STATE", "SESSIONS", "IMAGE", "PORTS", "PROJECT", "LAST", "USED"]
    );
    assert!(world.wharf(["ps"]).success().contains(&path("up")));

    let rows: serde_json::Value = serde_json::from_str(&world.wharf(["list", "--json"]).success()).unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["project"] == path("up")).unwrap();
    let keys: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "container",
        "created_at",
        "drift",
        "image",
        "last_used",
        "name",
        "orphaned",
        "ports",
        "project",
        "session_states",
        "sessions",
        "state",
        "user",
    ];
    assert_eq!(keys, expected);
    assert_eq!(
        (row["state"].as_str(), row["sessions"][0].as_str(), row["orphaned"].as_bool()),
        (Some("running"), Some("main"), Some(false))
    );
}

#[test]
fn the_list_fits_a_narrow_terminal() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let host = world.host();
    for columns in [20, 40] {
        let list = format!("'{}' list; echo over; exec sleep 99", binary().display());
        let width = columns.to_string();
        let pane = host.tmux(["split-window", "-h", "-P", "-F", "#{pane_id}", "-l", &width, "-t", "main:", &list]);
        // A line that is too long goes on in the next one, and is one again here.
        let shown = || host.tmux(["capture-pane", "-pJ", "-S", "-", "-t", &pane]);
        let list = crate::support::wait_for("the list", || Some(shown()).filter(|text| text.contains("\nover")));
        let mut lines = list.lines().map(str::trim_end);
        assert!(lines.clone().all(|line| line.chars().count() <= columns), "{list}");
        let head = lines.next().unwrap();
        assert!(head.starts_with("NAME") && !head.contains("LAST USED"), "{list}");
        assert!(lines.any(|line| line.starts_with("api")), "{list}");
        host.tmux(["kill-pane", "-t", &pane]);
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    assert!(!world.wharf(["list"]).success().contains('\u{1b}'));
    assert!(!world.wharf(["stop", "no-such"]).failure().contains('\u{1b}'));
    let host = world.host();
    let shown = |prefix: &str| {
        let pane = host.tmux([
            "new-window",
            "-P",
            "-F",
            "#{pane_id}",
            "-t",
            "main:",
            &format!("{prefix} '{}' list; sleep 99", binary().display()),
        ]);
        crate::support::wait_for("the list", || {
            let text = host.tmux(["capture-pane", "-ep", "-t", &pane]);
            text.lines().find(|line| line.contains("running")).map(str::to_owned)
        })
    };
    assert!(shown("env").contains("\u{1b}[32mrunning"));
    assert!(!shown("env NO_COLOR=1").contains('\u{1b}'));
}

#[test]
fn every_verb_has_help_and_the_manual_names_it() {
    let world = World::new();
    let help = world.wharf(["--help"]).success();
    let manual = world.wharf(["man"]).success();
    let verbs = ["open", "start", "attach", "list", "stop", "rm", "setup", "completions", "man"];
    for verb in verbs {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{verb} "))), "{verb}: {help}");
        assert!(manual.contains(&format!("wharf\\-{verb}")), "{verb}");
        assert!(world.wharf([verb, "--help"]).success().contains("Usage: wharf"), "{verb}");
    }
}

#[test]
fn bash_completes_verbs_and_what_there_is_just_now() {
    let world = World::new();
    let project = world.project("api-of-many");
    let container = world.open_detached(&project);
    let script = world.wharf(["completions", "bash"]).success();
    let path = format!("{}:{}", binary().parent().unwrap().display(), std::env::var("PATH").unwrap());
    // As bash does it when Tab is pressed at the end of the line.
    let completed = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let (last, typed) = (words.len() - 1, words[words.len() - 1]);
        let check = format!(
            "{script}\nCOMP_WORDS=({line}); COMP_CWORD={last}; COMP_TYPE=9; _clap_complete_wharf wharf '{typed}' '{}'; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words[last - 1]
        );
        let output = run(world.command("bash").current_dir("/").env("PATH", &path).args(["-c", &check]));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        String::from_utf8(output.stdout).unwrap().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(completed("wharf sto"), ["stop"]);
    assert_eq!(completed("wharf stop api-of"), ["api-of-many"]);
    assert_eq!(completed(&format!("wharf rm {}", &container[..container.len() - 3])), [container]);
    assert!(completed("wharf attach api-of-many --session m").contains(&"main".to_owned()));
}

#[test]
fn a_closed_pipe_ends_the_list_quietly() {
    let world = World::new();
    let output = run(world.command("bash").args(["-c", "set -o pipefail; \"$1\" list --json | true", "bash"]).arg(binary()));
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
}

/// How wharf ends, and what it says on standard error.
fn printing_into(file: impl Into<Stdio>, run: Run) -> Output {
    output_of(run.into_command().stdin(Stdio::null()).stdout(file).stderr(Stdio::piped()).spawn().unwrap())
}

/// As in `wharf completions bash | head -1`.
#[test]
fn a_reader_that_leaves_is_no_error() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let verbs = ["completions bash", "man", "list", "list --json", "ports", "prune --dry-run", "ssh-config", "image list"];
    let of_project = ["inspect", "status", "sessions", "config show", "config path", "rebuild --dry-run", "start", "stop", "rm"];
    for (line, target) in verbs.map(|line| (line, None)).into_iter().chain(of_project.map(|line| (line, Some(&project)))) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let command = printing_into(writer, world.wharf(line.split(' ')).args(target));
        assert_eq!((command.status.code(), String::from_utf8_lossy(&command.stderr).as_ref()), (Some(0), ""), "{line}");
    }
}

#[test]
fn a_disk_that_is_full_is_an_error_that_says_so() {
    let world = World::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let command = printing_into(full, world.wharf(["man"]));
    let error = "error: could not print to standard output: No space left on device (os error 28)\n";
    assert_eq!((command.status.code(), String::from_utf8(command.stderr).unwrap().as_str()), (Some(1), error));
}
