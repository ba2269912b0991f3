//! R74: what is wrong is found, and said with what helps.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Docker, Host, Outcome, Run, World, binary, guest, is_root, run, wait_for, wait_until};

/// A finding, as `--json` has it.
type Found = (String, String, String, Option<String>);

fn findings(outcome: &Outcome) -> Vec<Found> {
    assert_eq!(outcome.stderr, "");
    let found: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let finding = |object: &serde_json::Value| {
        let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["check", "found", "hint", "state"]);
        let word = |key: &str| text(&object[key]).unwrap();
        (word("check"), word("state"), word("found"), text(&object["hint"]))
    };
    found.as_array().unwrap().iter().map(finding).collect()
}

/// What `wharf doctor --json` says of one check, and what it ends with.
#[track_caller]
fn check(doctor: Run, check: &str) -> (Option<i32>, String, String, Option<String>) {
    let outcome = doctor.arg("--json").run();
    let (_, state, found, hint) =
        findings(&outcome).into_iter().find(|(name, ..)| name == check).unwrap_or_else(|| panic!("{}", outcome.stdout));
    (outcome.code, state, found, hint)
}

fn doctor(world: &World, project: &Path) -> Run {
    world.wharf(["doctor"]).current_dir(project).env("COLORTERM", "truecolor")
}

fn problem(found: &str, hint: &str) -> (Option<i32>, String, String, Option<String>) {
    (Some(1), "problem".to_owned(), found.to_owned(), Some(hint.to_owned()))
}

fn warning(found: &str, hint: &str) -> (Option<i32>, String, String, Option<String>) {
    (Some(0), "warning".to_owned(), found.to_owned(), Some(hint.to_owned()))
}

fn ok(found: &str) -> (Option<i32>, String, String, Option<String>) {
    (Some(0), "ok".to_owned(), found.to_owned(), None)
}

/// A server in which all is as sessions need it.
fn tended(world: &World) -> Host<'_> {
    let host = world.host();
    for line in [
        "set -s set-clipboard on",
        "set -s escape-time 10",
        "set -s focus-events on",
        "set -s extended-keys on",
        "set -g allow-passthrough on",
    ] {
        host.tmux(line.split(' '));
    }
    host
}

#[test]
fn a_healthy_world_is_ok_in_every_check() {
    let world = World::new();
    let project = world.project("api");
    let host = tended(&world);
    let container = world.open_detached(&project);
    let look = || doctor(&world, &project).env("TMUX", host.variable());
    wait_until("the watcher", || check(look(), "watcher").1 == "ok");
    let outcome = look().arg("--json").run();
    let found = findings(&outcome);
    assert!(found.iter().all(|(_, state, _, hint)| state == "ok" && hint.is_none()), "{}", outcome.stdout);
    assert_eq!(outcome.code, Some(0));
    let checks: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
    let expected = [
        "engine",
        "tmux",
        "server",
        "keys",
        "watcher",
        "options",
        "terminal",
        "locale",
        "colours",
        "state",
        "guest",
        "image",
        "config",
        "trust",
        "container",
        "relay",
        "tools",
        "inside",
        "drift",
    ];
    assert_eq!(checks, expected);
    let of = |check: &str| found.iter().find(|(name, ..)| name == check).map(|(_, _, found, _)| found.clone()).unwrap();
    assert_eq!(of("keys"), "`prefix N`, `prefix O`, `prefix W`, `prefix M-w`");
    assert_eq!(of("state"), format!("`{}/state/wharf`", world.root().display()));
    assert_eq!(of("image"), "`wharf-default:latest` is there");
    assert_eq!(of("guest"), format!("`{}` is what new containers get", guest().display()));
    assert_eq!(of("tools"), "the container has this version's");
    assert_eq!(of("config"), "no file, so the defaults count");
    assert_eq!(of("container"), format!("`{container}`: running"));
    let by_exec = std::env::var("WHARF_ATTACH").is_ok_and(|way| way == "exec");
    let relay = if by_exec { "not used: sessions are reached by the engine's exec, as configured" } else { "it answers" };
    assert_eq!(of("relay"), relay);

    let lines = look().success();
    assert_eq!(lines.lines().count(), expected.len());
    assert!(lines.lines().all(|line| line.starts_with("ok      ")), "{lines}");
    assert!(lines.contains(&format!("\nok      container: `{container}`: running\n")), "{lines}");
}

#[test]
fn a_target_is_looked_at_from_anywhere() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    Docker::run(["kill", &container]);
    let look = || world.wharf(["doctor", &container]).current_dir("/");
    let hint = format!("`wharf logs {container}` may say why; `wharf open` starts it");
    assert_eq!(check(look(), "container"), warning(&format!("`{container}`: exited 137"), &hint));
    let unknown = world.wharf(["doctor", "no-such"]);
    let hint = "`wharf list` shows every name; a directory works as well";
    assert_eq!(check(unknown, "project"), problem("no project or container is called `no-such`", hint));
}

#[test]
fn a_container_with_another_versions_tools_is_entered_and_told_of() {
    let world = World::new();
    let project = world.project("api");
    let other = world.root().join("wharf-guest-before");
    fs::copy(guest(), &other).unwrap();
    // Another file is another version; what follows a program's last section changes nothing else.
    fs::OpenOptions::new().append(true).open(&other).unwrap().write_all(b"before").unwrap();
    world.wharf(["open", "--detach"]).env("WHARF_GUEST", &other).arg(&project).success();
    let container = world.container_of(&project);
    assert_eq!(world.wharf(["exec", "--", "echo", "in"]).current_dir(&project).success(), "in");
    let found = format!("the container has another version's, and works; `wharf rebuild {container}` replaces them");
    assert_eq!(check(doctor(&world, &project), "tools"), ok(&found));
    world.wharf(["rebuild", "--force", &container]).success();
    assert_eq!(check(doctor(&world, &project), "tools"), ok("the container has this version's"));
}

#[test]
fn a_wharf_without_its_guest_names_the_file() {
    let world = World::new();
    let project = world.project("api");
    let alone = world.root().join("wharf");
    fs::copy(binary(), &alone).unwrap();
    let architecture = Docker::run(["version", "--format", "{{.Server.Arch}}"]);
    let outcome = world.command(&alone).args(["open", "--detach"]).arg(&project).output().unwrap();
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    let named = format!("error: there is no wharf-guest for {architecture} on this machine; looked for `");
    assert!(stderr.starts_with(&named), "{stderr}");
    assert!(stderr.contains(&format!("`{}`", world.root().join("wharf-guest").display())), "{stderr}");
    assert!(stderr.contains("hint: `scripts/build`"), "{stderr}");
    assert_eq!(Docker::run(["ps", "-aq", "--filter", &format!("label=wharf.project={}", project.display())]), "");
}

#[test]
fn the_home_directory_is_no_project_and_no_problem() {
    let world = World::new();
    let home = world.root().join("home");
    assert_eq!(check(doctor(&world, &home), "project"), ok(&format!("`{}` is none", home.display())));
}

#[test]
fn no_engine_is_a_problem_and_the_rest_is_looked_at_all_the_same() {
    let world = World::new();
    let project = world.project("api");
    let look = || doctor(&world, &project).env("DOCKER_HOST", "unix:///nonexistent.sock");
    let found = "no container engine at `/nonexistent.sock`: No such file or directory (os error 2) (by DOCKER_HOST)";
    let hint = "start it (`sudo systemctl start docker`), or name another in DOCKER_HOST";
    assert_eq!(check(look(), "engine"), problem(found, hint));
    for name in ["image", "container"] {
        let (_, state, found, hint) = check(look(), name);
        assert_eq!((state.as_str(), found.as_str()), ("warning", "nobody can say without the engine"));
        assert_eq!(hint.as_deref(), Some("see to the engine first"));
    }
    assert_eq!(check(look(), "tmux").1, "ok");
    assert_eq!(check(look(), "config").1, "ok");
    let outcome = look().run();
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), ""));
    assert!(outcome.stdout.starts_with(&format!("problem engine: {found}\nhint: {hint}\n")), "{}", outcome.stdout);
}

#[test]
fn an_engine_that_hangs_holds_nobody_up() {
    let world = World::new();
    let project = world.project("api");
    let socket = world.root().join("silent.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let look = |target: &str| doctor(&world, &project).arg(target).env("DOCKER_HOST", format!("unix://{}", socket.display()));
    let found = format!("the container engine at `{}` did not answer within 1500 ms (by DOCKER_HOST)", socket.display());
    let hint = "it hangs or is overloaded; `docker version` shows whether it answers";
    assert_eq!(check(look("."), "engine"), problem(&found, hint));
    assert_eq!(check(look("some-name"), "engine"), problem(&found, hint));
}

#[test]
fn no_permission_on_the_socket_is_told_from_no_engine() {
    let world = World::new();
    let socket = world.root().join("closed.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o000)).unwrap();
    let host = format!("unix://{}", socket.display());
    let project = world.project("api");
    let found = format!("no permission to use the container engine at `{}` (by DOCKER_HOST)", socket.display());
    let hint = "join its group (`sudo usermod -aG docker $USER`) and log in again";
    if !is_root() {
        return assert_eq!(check(doctor(&world, &project).env("DOCKER_HOST", host), "engine"), problem(&found, hint));
    }
    // Root is refused nothing, so the same is run as nobody.
    fs::set_permissions(world.root(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut nobody = world.command("setpriv");
    nobody.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]).arg(binary()).arg("doctor");
    let output = run(nobody.env("DOCKER_HOST", host).current_dir("/"));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.starts_with(&format!("problem engine: {found}\nhint: {hint}\n")), "{printed}");
    // What root has made is not nobody's.
    let state =
        format!("problem state: `{0}/state/wharf` can't be made: no permission to write to `{0}/state`", world.root().display());
    assert!(printed.contains(&format!("\n{state}\nhint: name a directory of yours in XDG_STATE_HOME\n")), "{printed}");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(1), &b""[..]));
}

#[test]
fn mistakes_in_the_configuration_are_counted() {
    let world = World::new();
    let project = world.project("api");
    let file = project.join("wharf.kdl");
    fs::write(&file, "imgae \"x\"\nworkspace 7\n").unwrap();
    let (found, hint) =
        (format!("2 mistakes in `{}`", file.display()), format!("`wharf config check {}` shows them", file.display()));
    assert_eq!(check(doctor(&world, &project), "config"), problem(&found, &hint));
    // The command of the hint does what it says.
    let shown = world.wharf(["config", "check"]).arg(&file).failure();
    assert_eq!(shown.matches("error: ").count(), 2, "{shown}");
}

#[test]
fn lines_that_wait_for_trust_are_named_until_they_are_trusted() {
    let world = World::new();
    let project = world.project("it's");
    let file = project.join("wharf.kdl");
    fs::write(&file, "image \"wharf-default:latest\"\nport 80\n").unwrap();
    let found = format!("line 2 of `{}` waits for your trust, and has no effect", file.display());
    let hint = format!("read it, then `wharf trust '{}/src/it'\\''s'`", world.root().display());
    assert_eq!(check(doctor(&world, &project), "trust"), warning(&found, &hint));
    world.wharf(["trust"]).current_dir(&project).success();
    assert_eq!(check(doctor(&world, &project), "trust"), ok("no line waits for it"));
    // What it is written to is nobody else's.
    assert_eq!(check(doctor(&world, &project), "state").1, "ok");
}

#[test]
fn an_image_that_is_not_there_is_named() {
    let world = World::new();
    let project = world.project("api");
    fs::write(project.join("wharf.kdl"), "image \"wharf-nope\"").unwrap();
    let found = "there is no image `wharf-nope` on this engine; `wharf open` tries to pull it";
    let hint = "`docker pull wharf-nope` shows whether a registry has it";
    assert_eq!(check(doctor(&world, &project), "image"), warning(found, hint));
}

#[test]
fn a_state_directory_that_cannot_be_is_a_problem() {
    let world = World::new();
    let project = world.project("api");
    let file = world.root().join("file");
    fs::write(&file, "").unwrap();
    let found = format!("`{}/wharf` can't be: Not a directory (os error 20)", file.display());
    let look = doctor(&world, &project).env("XDG_STATE_HOME", &file);
    assert_eq!(check(look, "state"), problem(&found, "name a directory of yours in XDG_STATE_HOME"));
}

#[test]
fn a_configuration_that_has_changed_is_drift() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    fs::write(project.join("wharf.kdl"), "env { A \"1\"; }").unwrap();
    let hint = format!("`wharf rebuild {container}` applies it");
    assert_eq!(check(doctor(&world, &project), "drift"), warning("configuration has changed", &hint));
}

#[test]
fn outside_tmux_that_is_what_it_says() {
    let world = World::new();
    let project = world.project("api");
    let found = "this is outside tmux, so nobody knows how its keys and options are";
    assert_eq!(check(doctor(&world, &project), "server"), warning(found, "in a pane of tmux, `wharf doctor` says it"));
    let look = || doctor(&world, &project).env("PATH", "/nonexistent");
    let found = "could not run `tmux`: No such file or directory (os error 2)";
    let hint = "install tmux 3.2 or newer, as by `sudo apt-get install tmux`";
    assert_eq!(check(look(), "tmux"), problem(found, hint));
}

#[test]
fn in_a_tmux_without_setup_the_keys_the_watcher_and_the_options_are_missed() {
    let world = World::new();
    let project = world.project("api");
    let host = Host::bare(&world);
    let look = || doctor(&world, &project).env("TMUX", host.variable());
    let hint = "`wharf setup` binds them; `run-shell …/wharf.tmux` in `.tmux.conf` does so each time";
    assert_eq!(check(look(), "keys"), warning("none of wharf's keys is bound", hint));
    let watcher = warning("none runs, so the status line stands still", "`wharf setup` starts it");
    assert_eq!(check(look(), "watcher"), watcher);
    let (_, state, found, hint) = check(look(), "options");
    assert_eq!(state, "warning");
    assert!(found.starts_with("sessions can't do all that a bare pane does (what is copied in a session reaches"), "{found}");
    assert!(hint.unwrap().starts_with("in `.tmux.conf`: `set -s set-clipboard on`, "));

    world.wharf(["setup"]).env("TMUX", host.variable()).success();
    assert_eq!(check(look(), "keys"), ok("`prefix N`, `prefix O`, `prefix W`, `prefix M-w`"));
    wait_until("the watcher", || check(look(), "watcher") == ok("one runs for the status line"));
    host.tmux(["bind-key", "O", "display-message", "mine"]);
    let hint = "`wharf setup` binds the others, unless `.tmux.conf` takes them for something else afterwards";
    assert_eq!(check(look(), "keys"), warning("of 4 keys, wharf has only `prefix N`, `prefix W`, `prefix M-w`", hint));
    host.tmux(["set-option", "-g", "@wharf-opn-key", "O"]);
    let found = "there is no option `@wharf-opn-key`; did you mean `@wharf-open-key`?";
    assert_eq!(check(look(), "keys"), problem(found, "correct it in `.tmux.conf`; then `wharf setup`"));
}

#[test]
fn a_server_that_is_gone_is_a_problem() {
    let world = World::new();
    let project = world.project("api");
    let host = Host::bare(&world);
    let variable = host.variable();
    host.kill_server();
    let (code, state, found, hint) = check(doctor(&world, &project).env("TMUX", variable), "server");
    assert_eq!((code, state.as_str()), (Some(1), "problem"), "{found}");
    assert!(hint.unwrap().contains("shows whether it answers"));
}

#[test]
fn a_server_that_hangs_holds_nobody_up() {
    let world = World::new();
    let project = world.project("api");
    let host = Host::bare(&world);
    let variable = host.variable();
    let server = Pid::from_raw(host.tmux(["display-message", "-p", "#{pid}"]).parse().unwrap()).unwrap();
    kill_process(server, Signal::STOP).unwrap();
    let (code, state, found, _) = check(doctor(&world, &project).env("TMUX", variable), "server");
    kill_process(server, Signal::CONT).unwrap();
    assert_eq!((code, state.as_str(), found.as_str()), (Some(1), "problem", "could not run `tmux`: timed out"));
}

#[test]
fn a_terminal_that_can_little_is_worth_a_warning() {
    let world = World::new();
    let project = world.project("api");
    let look = || {
        let poor = doctor(&world, &project).env("TERM", "xterm-wharf").env("LC_ALL", "C");
        poor.env("COLORTERM", "")
    };
    for (name, found) in [
        ("terminal", "this machine has no terminfo entry for `xterm-wharf`"),
        ("locale", "LC_ALL is `C`, which is not UTF-8"),
        ("colours", "programs don't know of more than 256"),
    ] {
        let (code, state, said, hint) = check(look(), name);
        assert_eq!((code, state.as_str(), said.as_str()), (Some(0), "warning", found));
        assert!(hint.unwrap().contains("`export "));
    }
}

#[test]
fn colours_are_for_terminals_that_want_them_and_twenty_columns_will_do() {
    let world = World::new();
    let project = world.project("api");
    assert!(!doctor(&world, &project).run().stdout.contains('\u{1b}'));
    let host = world.host();
    let shown = |prefix: &str, columns: &str| {
        let line = format!("{prefix} '{}' doctor; exec sleep 99", binary().display());
        let split = ["split-window", "-h", "-P", "-F", "#{pane_id}", "-l", columns, "-t", "main:"];
        let pane = host.tmux(split.into_iter().chain([line.as_str()]));
        let text = wait_for("what it says", || {
            let text = host.tmux(["capture-pane", "-ep", "-S", "-", "-t", &pane]);
            text.contains("container:").then_some(text)
        });
        host.tmux(["kill-pane", "-t", &pane]);
        text
    };
    assert!(shown("env", "60").contains("\u{1b}[32mok"));
    let plain = shown("env NO_COLOR=1", "20");
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(plain.lines().any(|line| line.starts_with("ok      engine: ")), "{plain}");
}
