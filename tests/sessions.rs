//! R12, R31: sessions outlive terminals, and no terminal leaves a client behind.

use std::fs;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::support::relay::relay;
use crate::support::{BUSYBOX, Docker, Place, RawTerminal, World, binary, is_root, pane_process, wait_until};

#[test]
fn three_sessions_outlive_the_hosts_server() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let names = ["main", "claude", "logs"];
    for name in names {
        let attach = format!("'{}' attach --create --session {name} '{}'", binary().display(), project.display());
        host.tmux(["new-window", "-t", "main:", &attach]);
        screen.wait_for_prompt();
        // An engine before API 1.42 tells a new session its size a moment after it has started.
        let inner = ["display-message", "-p", "-t", name, "#{window_width}"];
        wait_until("the terminal's size", || Docker::inner_tmux(&world.container_of(&project), &inner) == "100");
        screen.type_line(&format!("echo $((6*7)) in {name}; exec sleep 4321"));
        screen.wait_for_line(&format!("42 in {name}"));
    }
    let container = world.container_of(&project);
    let sleepers = || Docker::shell(&container, "pgrep -x -f 'sleep 4321'");
    let before = sleepers();
    assert_eq!(before.lines().count(), 3, "{before}");

    // The first of the three goes, and then the server with the other two.
    host.tmux(["kill-window", "-t", "main:1"]);
    wait_until("the first client to be gone", || Docker::inner_clients(&container).len() == 2);
    host.kill_server();
    wait_until("every client to be gone", || Docker::inner_clients(&container).is_empty());
    assert_eq!(sleepers(), before);

    host.start_server("again", &project);
    let screen = host.attach("again");
    for name in names {
        let attach = format!("'{}' attach --session {name} '{}'", binary().display(), project.display());
        host.tmux(["new-window", "-t", "again:", &attach]);
        screen.wait_for_line(&format!("42 in {name}"));
    }
    assert_eq!(sleepers(), before);
}

#[test]
fn attach_needs_a_session_that_runs() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let screen = host.attach("main");
    let attach = |session: &str| {
        screen.type_line(&format!(
            "clear; '{}' attach --session {session} '{}'; echo \"code $?\"",
            binary().display(),
            project.display()
        ));
    };
    attach("other");
    let text = screen.wait_for_text("code 1");
    let shown: String = text.lines().take_while(|line| !line.starts_with("code")).map(|line| format!("{line} ")).collect();
    assert!(shown.contains(&format!("error: no session `other` runs in container `{container}` (running: main)")), "{text}");
    assert!(shown.contains("hint: `wharf open --session other` starts it"), "{text}");
    Docker::inner_tmux(&container, &["kill-server"]);
    attach("main");
    screen.wait_for_text("error: no session `main` runs");
}

#[test]
fn attach_needs_a_terminal() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    assert_eq!(
        world.wharf(["attach"]).arg(&project).failure(),
        "error: `wharf attach` needs a terminal\nhint: `wharf open --detach` starts a session without one\n"
    );
}

#[test]
fn detaching_leaves_everything_running() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let screen = host.attach("main");
    screen.type_line(&format!(
        "stty -a >before; '{}' attach '{}'; echo \"code $?\"; stty -a >after",
        binary().display(),
        project.display()
    ));
    wait_until("the attached client", || Docker::inner_clients(&container).len() == 1);
    Docker::inner_tmux(&container, &["detach-client", "-s", "main"]);
    screen.wait_for_line("code 0");
    assert_eq!(Docker::inner_tmux(&container, &["list-sessions", "-F", "#{session_name}"]), "main");
    let elsewhere = world.project("elsewhere");
    wait_until("the terminal's modes to be written", || elsewhere.join("after").metadata().is_ok_and(|file| file.len() > 100));
    let modes = ["before", "after"].map(|name| std::fs::read_to_string(elsewhere.join(name)).unwrap());
    assert_eq!(modes[0], modes[1]);
}

#[test]
fn outside_tmux_a_key_detaches() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    screen.type_line(&format!(
        "env -u TMUX -u TMUX_PANE '{}' open '{}'; echo \"code $?\"",
        binary().display(),
        project.display()
    ));
    screen.wait_for_prompt();
    let container = world.container_of(&project);
    wait_until("the attached client", || Docker::inner_clients(&container).len() == 1);
    screen.press(&["C-\\"]);
    screen.wait_for_line("code 0");
    assert!(Docker::inner_clients(&container).is_empty());
    assert_eq!(Docker::inner_tmux(&container, &["list-sessions", "-F", "#{session_name}"]), "main");
}

#[test]
fn an_attach_ends_with_the_exit_code_of_the_sessions_command() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let open = format!("env -u TMUX -u TMUX_PANE '{}' open '{}'", binary().display(), project.display());
    for code in [3, 0] {
        screen.type_line(&format!("clear; {open} -- sh -c 'exit {code}'; echo \"code $?\""));
        screen.wait_for_text("Enter closes");
        screen.press(&["Enter"]);
        screen.wait_for_line(&format!("code {code}"));
    }
}

#[test]
fn an_ended_client_leaves_none_behind_in_the_container() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let attach = format!("'{}' attach '{}'", binary().display(), project.display());
    for signal in [Some(Signal::TERM), Some(Signal::HUP), Some(Signal::INT), None] {
        let pane = host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", &format!("exec {attach}")]);
        wait_until("the attached client", || Docker::inner_clients(&container).len() == 1);
        match signal {
            Some(signal) => kill_process(pane_process(&host, &pane), signal).unwrap(),
            None => drop(host.tmux(["kill-pane", "-t", &pane])),
        }
        wait_until("no client to be left", || Docker::inner_clients(&container).is_empty());
    }
}

/// A terminal with `wharf attach` that no tmux is outside of.
fn attached(place: &Place, before: &[&str]) -> RawTerminal {
    let (wharf, project) = (binary(), place.project.to_str().unwrap());
    let terminal = RawTerminal::running(&place.world, &[before, &[wharf.to_str().unwrap(), "attach", project]].concat());
    wait_until("the client", || Docker::inner_clients(&place.container).len() == 1);
    terminal
}

#[test]
fn an_attach_to_no_session_shows_the_error_alone() {
    let place = Place::started();
    for way in ["relay", "exec"] {
        let (wharf, way_in) = (binary(), format!("WHARF_ATTACH={way}"));
        let attach = ["env", &way_in, wharf.to_str().unwrap(), "attach", place.project.to_str().unwrap()];
        let mut terminal = RawTerminal::running(&place.world, &attach);
        assert_eq!(terminal.end(), Some(1));
        // What a terminal has taken may be read after its program has ended.
        let shown = || String::from_utf8_lossy(&terminal.since(0)).into_owned();
        wait_until("the error", || shown().contains("no session"));
        let shown = shown();
        let expected = format!("error: no session `main` runs in container `{}`\r\n", place.container);
        let plain: Vec<&str> = shown.split('\u{1b}').map(|part| part.split_once('m').map_or(part, |(_, text)| text)).collect();
        assert!(plain.concat().starts_with(&expected), "{way}: {shown:?}");
    }
}

/// As after `su`: the terminal still belongs to who logged in.
#[test]
fn a_terminal_that_cannot_be_opened_again_shows_what_comes_without_a_key() {
    let place = Place::opened();
    let without_rights = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
    let without_rights = if is_root() { &without_rights[..] } else { &["env"] };
    let close = ["sh", "-c", r#"chmod 0 "$(tty)"; exec "$@""#, "sh"];
    let mut terminal = attached(&place, &[&close, without_rights].concat());
    let mark = terminal.mark();
    terminal.press(b"echo typ''ed; while [ ! -e go ]; do sleep 0.1; done; echo la''ter\r");
    terminal.wait_for_text(mark, "typed");
    fs::write(place.project.join("go"), "").unwrap();
    terminal.wait_for_text(mark, "later");
    terminal.signal(Signal::TERM);
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn a_client_whose_relay_is_frozen_ends_when_it_is_told_to() {
    let place = Place::opened();
    let mut terminal = attached(&place, &[]);
    Docker::run(["pause", &place.container]);
    let taken = terminal.paste();
    // More than what is on its way in a terminal.
    wait_until("a full connection", || {
        let before = taken.load(Relaxed);
        thread::sleep(Duration::from_millis(100));
        before > 64 * 1024 && taken.load(Relaxed) == before
    });
    terminal.signal(Signal::HUP);
    assert_eq!(terminal.end(), Some(0));
    Docker::run(["unpause", &place.container]);
}

#[test]
fn two_viewers_of_one_session_both_stay() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let attach = format!("'{}' attach '{}'", binary().display(), project.display());
    let [one, two] = [1, 2].map(|_| host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", &attach]));
    wait_until("both clients", || Docker::inner_clients(&container).len() == 2);
    host.tmux(["send-keys", "-t", &one, "echo $((6*7))", "Enter"]);
    for pane in [one, two] {
        wait_until("the answer in both", || host.tmux(["capture-pane", "-p", "-t", &pane]).lines().any(|line| line == "42"));
    }
}

#[test]
fn a_resize_reaches_the_session() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let attach = format!("'{}' attach '{}'", binary().display(), project.display());
    let pane = host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", &attach]);
    let size = || Docker::inner_tmux(&container, &["display-message", "-p", "-t", "main:", "#{window_width}x#{window_height}"]);
    let outside = host.tmux(["display-message", "-p", "-t", &pane, "#{pane_width}x#{pane_height}"]);
    wait_until("the terminal's size", || size() == outside);
    host.tmux(["resize-window", "-t", "main:", "-x", "61", "-y", "17"]);
    wait_until("the new size", || size() == "61x17");
}

#[test]
fn a_resize_while_the_session_comes_reaches_it() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let size = || Docker::inner_tmux(&container, &["display-message", "-p", "-t", "main:", "#{window_width}x#{window_height}"]);
    // From before the program has begun until after the session is there.
    for (round, delay) in [0, 5, 10, 20, 40, 80].into_iter().enumerate() {
        let attach = format!("exec '{}' attach '{}'", binary().display(), project.display());
        let new = ["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", "-e", "WHARF_ATTACH=exec", &attach];
        let pane = host.tmux(new);
        thread::sleep(Duration::from_millis(delay));
        let columns = (60 + round).to_string();
        host.tmux(["resize-window", "-t", &pane, "-x", &columns, "-y", "17"]);
        wait_until("the new size", || size() == format!("{columns}x17"));
        host.tmux(["kill-pane", "-t", &pane]);
        wait_until("the client to be gone", || Docker::inner_clients(&container).is_empty());
    }
}

#[test]
fn the_printed_line_attaches_when_pasted() {
    let world = World::new();
    let project = world.project("two words");
    let container = world.open_detached(&project);
    let line = world.wharf(["attach", "--print"]).arg(&project).env("TZ", "Asia/Tokyo").success();
    let words = format!("docker exec -it --env TERM=xterm-256color --env LANG=C.UTF-8 --env TZ=Asia/Tokyo {container} ");
    assert!(line.starts_with(&words), "{line}");
    // A binary that is not static is run by its loader.
    assert!(line.ends_with("/run/wharf/tools/wharf tmux attach-session -t '=main'"), "{line}");
    let host = world.host();
    let screen = host.attach("main");
    screen.type_line(&line);
    wait_until("the attached client", || Docker::inner_clients(&container) == ["xterm-256color"]);
}

#[test]
fn a_command_of_any_words_runs_as_it_is_given() {
    let world = World::new();
    let project = world.project("api");
    let words =
        ["sh", "-c", "printf '<%s>' \"$@\" >out; exec sleep 99", "sh", "a b", "it's", "#{pid}", "$HOME;", ";", "", "-x", "ö"];
    world.wharf(["open", "--detach"]).arg(&project).arg("--").args(words).success();
    wait_until("the command to have run", || project.join("out").metadata().is_ok_and(|file| file.len() > 0));
    assert_eq!(std::fs::read_to_string(project.join("out")).unwrap(), "<a b><it's><#{pid}><$HOME;><;><><-x><ö>");
    let container = world.container_of(&project);
    assert_eq!(
        world.wharf(["open", "--detach"]).arg(&project).args(["--", "true"]).failure(),
        format!(
            "error: session `main` already runs in container `{container}`, so the command was not started\n\
             hint: name another: `wharf open --session NAME -- CMD`\n"
        )
    );
}

#[test]
fn a_single_word_is_a_program_and_not_a_shell_line() {
    let world = World::new();
    let project = world.project("api");
    let program = project.join("my prog; touch trap");
    std::fs::write(&program, "#!/bin/sh\ntouch ran\nexec sleep 99\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    world.wharf(["open", "--detach"]).arg(&project).arg("--").arg(&program).success();
    wait_until("the program to have run", || project.join("ran").exists());
    assert!(!project.join("trap").exists());
}

#[test]
fn a_client_that_left_is_reaped() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let attach = format!("'{}' attach '{}'", crate::support::binary().display(), project.display());
    let pane = host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", &attach]);
    wait_until("the attached client", || Docker::inner_clients(&container).len() == 1);
    host.tmux(["kill-pane", "-t", &pane]);
    wait_until("no client", || Docker::inner_clients(&container).is_empty());
    wait_until("no zombie", || Docker::shell(&container, "ps -eo stat=").lines().all(|state| !state.starts_with('Z')));
}

/// The engine runs no program in a directory that is gone: runc 1.1.12 and later refuse to.
#[test]
fn a_container_whose_projects_directory_is_gone_can_still_be_entered() {
    let world = World::new();
    let project = world.project("gone");
    let container = world.open_detached(&project);
    let relay = relay(&container);
    std::fs::remove_dir_all(&project).unwrap();
    let wharf = |verb: &str, way: &str| world.wharf([verb]).arg(&container).env("WHARF_ATTACH", way);
    for way in ["relay", "exec"] {
        assert!(wharf("sessions", way).success().contains("\nmain "), "{way}");
        assert_eq!(wharf("exec", way).args(["--", "echo", "here"]).success(), "here", "{way}");
    }
    // A relay that has died is started again there, too.
    Docker::run(["exec", "--workdir", "/", &container, "kill", &relay]);
    assert!(wharf("sessions", "relay").success().contains("\nmain "));
}

/// By exec, programs start where they do by the relay: the engine is asked for none of it.
#[test]
fn programs_start_in_the_project_by_either_way() {
    let world = World::new();
    let project = world.project("api");
    world.open_detached(&project);
    for way in ["relay", "exec"] {
        let pwd = world.wharf(["exec"]).arg(world.container_of(&project)).args(["--", "pwd"]).env("WHARF_ATTACH", way);
        assert_eq!(pwd.success(), project.to_str().unwrap(), "{way}");
    }
}
