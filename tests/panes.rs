//! R90: a project's window is where a living pane shows it, whatever people did with their panes.

use std::path::{Path, PathBuf};

use crate::support::{Host, Screen, World, wait_for_equal, wait_until};

/// A client, and a project in a window of its own.
fn opened<'a>(world: &World, host: &'a Host<'a>) -> (Screen<'a>, PathBuf) {
    let project = world.project("api");
    let screen = host.attach("main");
    open(world, host, &project);
    screen.wait_for_prompt();
    (screen, project)
}

#[track_caller]
fn open(world: &World, host: &Host, project: &Path) {
    world.wharf(["open"]).arg(project).env("TMUX", host.variable()).success();
}

/// The pane that a person is in.
fn at(host: &Host, format: &str) -> String {
    host.tmux(["display-message", "-p", "-t", "main:", format])
}

#[track_caller]
fn wait_for_shell(host: &Host) {
    wait_until("the host's shell", || at(host, "#{@wharf_session}#{pane_current_command}") == "sh");
}

#[test]
fn a_window_whose_session_has_ended_is_not_the_projects() {
    let world = World::new();
    let host = world.host();
    let (screen, project) = opened(&world, &host);
    let left = at(&host, "#{window_id}");
    host.tmux(["split-window", "-h", "-t", "main:", "-c", project.to_str().unwrap(), "sh"]);
    wait_for_shell(&host);
    host.tmux(["select-pane", "-t", "main:", "-L"]);
    screen.type_line("exit");
    wait_until("the host's shell alone", || host.windows("").is_empty());
    assert_eq!(at(&host, "#{window_id} #{window_panes}"), format!("{left} 1"));
    screen.press(&["C-b", "O"]);
    wait_until("a window of its own", || host.windows("#{@wharf_project}") == [project.to_str().unwrap()]);
    assert_ne!(at(&host, "#{window_id}"), left);
}

#[test]
fn the_key_leads_from_another_pane_of_the_window_to_the_session() {
    let world = World::new();
    let host = world.host();
    let (screen, _) = opened(&world, &host);
    let session = at(&host, "#{pane_id}");
    screen.press(&["C-b", "%"]);
    wait_for_shell(&host);
    screen.press(&["C-b", "O"]);
    wait_for_equal("the session's pane", &session, || at(&host, "#{pane_id}"));
    assert_eq!(at(&host, "#{window_panes}"), "2");
}

#[test]
fn a_pane_that_was_broken_out_is_the_projects_window() {
    let world = World::new();
    let host = world.host();
    let (screen, _) = opened(&world, &host);
    screen.press(&["C-b", "%"]);
    wait_for_shell(&host);
    host.tmux(["select-pane", "-t", "main:", "-L"]);
    screen.press(&["C-b", "!"]);
    wait_until("a window of one pane", || at(&host, "#{window_panes} #{@wharf_session}") == "1 main");
    let window = at(&host, "#{window_id}");
    wait_for_equal("its name", "api", || at(&host, "#{window_name}"));
    wait_for_equal("its state", "running", || at(&host, "#{@wharf_state}"));
    wait_until("no state where only a shell is", || {
        let states = host.tmux(["list-windows", "-t", "main:", "-F", "#{@wharf_state}"]);
        states.lines().filter(|state| !state.is_empty()).count() == 1
    });
    screen.press(&["C-b", "O"]);
    screen.type_line("clear; echo still $WHARF_PROJECT");
    screen.wait_for_text("still /");
    assert_eq!(at(&host, "#{window_id}"), window);
}

#[test]
fn a_pane_that_was_joined_is_found_where_it_is() {
    let world = World::new();
    let host = world.host();
    let (screen, project) = opened(&world, &host);
    let session = at(&host, "#{pane_id}");
    host.tmux(["new-window", "-t", "main:7", "sh"]);
    host.tmux(["join-pane", "-d", "-s", &session, "-t", "main:7"]);
    host.tmux(["new-window", "-t", "main:8", "sh"]);
    open(&world, &host, &project);
    assert_eq!(at(&host, "#{window_index} #{pane_id}"), format!("7 {session}"));
    wait_for_equal("its state", "running", || at(&host, "#{@wharf_state}"));
    drop(screen);
}

#[test]
fn a_dead_pane_is_not_open_and_comes_to_life_again() {
    let world = World::new();
    let host = world.host();
    host.tmux(["set-option", "-g", "remain-on-exit", "on"]);
    let (screen, project) = opened(&world, &host);
    let pane = at(&host, "#{pane_id}");
    screen.type_line("exit");
    wait_until("a dead pane", || at(&host, "#{pane_dead}") == "1");
    wait_for_equal("no state", "", || at(&host, "#{@wharf_state}"));
    screen.press(&["C-b", "W"]);
    screen.type_text(&format!("'{} api", world.root().display()));
    let picker = screen.wait_for_text("Enter open");
    assert!(!picker.contains("open│"), "{picker}");
    screen.press(&["Escape"]);
    host.tmux(["select-window", "-t", "main:0"]);
    open(&world, &host, &project);
    wait_until("the same pane with a program", || at(&host, "#{pane_id} #{pane_dead}") == format!("{pane} 0"));
    screen.wait_for_prompt();
    wait_for_equal("its state", "running", || at(&host, "#{@wharf_state}"));
    // From within a dead one, too.
    screen.type_line("exit");
    wait_until("a dead pane", || at(&host, "#{pane_dead}") == "1");
    screen.press(&["C-b", "O"]);
    wait_until("the same pane with a program", || at(&host, "#{pane_id} #{pane_dead}") == format!("{pane} 0"));
    assert_eq!(host.windows("").len(), 1);
}

#[test]
fn a_pane_with_another_program_is_nobodys() {
    let world = World::new();
    let host = world.host();
    let (screen, project) = opened(&world, &host);
    let pane = at(&host, "#{pane_id}");
    host.tmux(["respawn-pane", "-k", "-t", &pane, "sh"]);
    wait_until("a shell", || at(&host, "#{pane_current_command}") == "sh");
    screen.press(&["C-b", "["]);
    wait_until("the host's copy mode", || at(&host, "#{pane_mode}") == "copy-mode");
    screen.press(&["q"]);
    screen.type_line("clear; echo '#'typed");
    screen.wait_for_line("#typed");
    assert!(!screen.text().contains('~'), "{}", screen.text());
    wait_for_equal("no state", "", || at(&host, "#{@wharf_state}"));
    open(&world, &host, &project);
    assert_ne!(at(&host, "#{pane_id}"), pane);
    screen.wait_for_prompt();
}

#[test]
fn a_shell_is_no_session_once_its_attach_was_killed() {
    let world = World::new();
    let host = world.host();
    let project = world.project("api");
    world.open_detached(&project);
    let screen = host.attach("main");
    screen.type_line(&format!("'{}' attach '{}'", crate::support::binary().display(), project.display()));
    wait_until("the mark", || at(&host, "#{@wharf_session} #{@wharf_program}") == "main wharf");
    let shell = at(&host, "#{pane_pid}");
    let attach = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    let attach = rustix::process::Pid::from_raw(attach.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(attach, rustix::process::Signal::KILL).unwrap();
    wait_until("the shell", || at(&host, "#{pane_current_command}") == "sh");
    let window = at(&host, "#{window_id}");
    open(&world, &host, &project);
    assert_ne!(at(&host, "#{window_id}"), window);
}

#[test]
fn windows_are_told_apart_by_session() {
    let world = World::new();
    let host = world.host();
    host.tmux(["set-option", "-g", "automatic-rename", "on"]);
    let (_, project) = opened(&world, &host);
    let open = |session: &str| world.wharf(["open", "--session", session]).arg(&project).env("TMUX", host.variable()).success();
    open("claude");
    assert_eq!(host.windows("#{window_name}"), ["api", "api:claude"]);
    host.tmux(["split-window", "-d", "-t", "main:2", "sh"]);
    host.tmux(["break-pane", "-d", "-s", "main:2.0"]);
    wait_until("the name of the broken-out window", || host.windows("#{window_name}") == ["api", "api:claude"]);

    host.tmux(["set-option", "-g", "@wharf-window-name", "#{@wharf_session}@#{@wharf_name}"]);
    open("logs");
    wait_until("the name of one's own", || host.windows("#{window_name}").contains(&"logs@api".to_owned()));
}
