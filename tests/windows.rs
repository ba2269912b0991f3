//! R33: the window map, and the key that opens a project.

use std::fs;

use crate::support::{BAD_SLEEP, DEBIAN, Docker, Host, World, binary, wait_until};

const PLACE: &str = "#{session_name} #{window_id} #{window_name} #{@wharf_project}";

/// A window whose shell stands in `directory`.
fn shell_in(host: &Host, directory: &std::path::Path) -> String {
    let pane = host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", "-c", directory.to_str().unwrap(), "sh"]);
    wait_until("the shell's directory", || {
        host.tmux(["display-message", "-p", "-t", &pane, "#{pane_current_path}"]) == directory.to_str().unwrap()
    });
    pane
}

#[test]
fn a_key_opens_the_project_of_the_panes_directory() {
    let world = World::new();
    let project = world.project("api");
    fs::create_dir(project.join(".git")).unwrap();
    let deep = world.project("api/src/deep");
    let host = world.host();
    let screen = host.attach("main");
    shell_in(&host, &deep);
    screen.press(&["C-b", "O"]);
    wait_until("the project's window", || {
        host.windows("#{window_active} #{window_name} #{@wharf_project}") == [format!("1 api {}", project.display())]
    });
    screen.wait_for_prompt();
    screen.type_line("hostname; pwd; echo \"$TERM\"");
    screen.wait_for_line("api");
    screen.wait_for_line(project.to_str().unwrap());
    screen.wait_for_line("tmux-256color");
    // What a new pane of the host's would stand in.
    assert_eq!(host.tmux(["display-message", "-p", "#{pane_current_path}"]), project.to_str().unwrap());
    assert_eq!(host.tmux(["display-message", "-p", "#{@wharf_session} #{pane_in_mode}"]), "main 0");
}

#[test]
fn open_twice_selects_the_same_window() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let pane = shell_in(&host, &project);
    screen.press(&["C-b", "O"]);
    wait_until("the project's window", || host.windows("").len() == 1);
    let window = host.windows(PLACE);
    host.tmux(["select-window", "-t", &pane]);
    screen.press(&["C-b", "O"]);
    wait_until("the project's window to be selected", || host.windows("#{window_active}") == ["1"]);
    assert_eq!(host.windows(PLACE), window);
    screen.wait_for_prompt();
    // From within the window, there is nothing to do. That it was done shows in the history: every switch is a use.
    let uses = || fs::read_to_string(world.root().join("state/wharf/history")).unwrap().lines().count();
    wait_until("the uses", || uses() == 2);
    screen.press(&["C-b", "O"]);
    wait_until("the third use", || uses() == 3);
    assert_eq!(host.windows(PLACE), window);
}

#[test]
fn switching_asks_nothing_of_the_engine() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let open = || world.wharf(["open"]).arg(&project).env("TMUX", host.variable());
    assert_eq!(open().success(), "");
    host.tmux(["select-window", "-t", "main:0"]);
    assert_eq!(host.windows("#{window_active}"), ["0"]);
    assert_eq!(open().env("DOCKER_HOST", "unix:///nonexistent.sock").success(), "");
    assert_eq!(host.windows("#{window_active}"), ["1"]);
}

#[test]
fn a_window_of_another_session_is_linked_into_this_one() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let first = world.wharf(["open"]).arg(&project).env("TMUX", host.variable());
    first.success();
    host.start_server("second", &project);
    let screen = host.attach("second");
    screen.press(&["C-b", "O"]);
    wait_until("the linked window", || host.windows("#{session_name} #{window_active}") == ["main 1", "second 1"]);
    let ids = host.windows("#{window_id}");
    assert_eq!(ids[0], ids[1]);
    wait_for_container(&world, &project);
}

#[test]
fn each_session_has_a_window_of_its_own() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let open = |session: &str| world.wharf(["open", "--session", session]).arg(&project).env("TMUX", host.variable()).success();
    open("main");
    open("claude");
    assert_eq!(host.windows("#{window_active} #{@wharf_session}"), ["0 main", "1 claude"]);
    open("main");
    assert_eq!(host.windows("#{window_active} #{@wharf_session}"), ["1 main", "0 claude"]);
}

#[test]
fn a_command_gets_a_window_of_its_own_unless_its_session_runs() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let open = |words: &[&str]| world.wharf(["open"]).arg(&project).args(words).env("TMUX", host.variable());
    let shown = || host.windows("#{window_active} #{@wharf_session}");
    open(&["--session", "claude"]).success();
    let container = wait_for_container(&world, &project);
    open(&["--", "sh", "-c", "touch made; exit 3"]).success();
    assert_eq!(shown(), ["0 claude", "1 main"]);
    wait_until("the command's end", || world.wharf(["sessions", "--json"]).arg(&project).success().contains("\"exit_code\": 3"));
    assert!(project.join("made").exists());

    // It makes room, and so does its window.
    open(&["--", "sleep", "99"]).success();
    wait_until("one window for each session", || shown() == ["0 claude", "1 main"]);
    host.tmux(["select-window", "-t", "main:0"]);
    assert_eq!(
        open(&["--", "touch", "lost"]).failure(),
        format!(
            "error: session `main` already runs in container `{container}`, so the command was not started\n\
             hint: name another: `wharf open --session NAME -- CMD`\n"
        )
    );
    assert_eq!(shown(), ["0 claude", "0 main"]);
}

#[test]
fn an_attach_made_by_hand_counts_as_the_projects_window_while_it_lasts() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let screen = host.attach("main");
    screen.type_line(&format!("'{}' attach '{}'", binary().display(), project.display()));
    wait_until("the tags", || {
        host.windows("#{@wharf_project} #{@wharf_container} #{@wharf_session}")
            == [format!("{} {container} main", project.display())]
    });
    host.tmux(["new-window", "-t", "main:", "sh"]);
    world.wharf(["open"]).arg(&project).env("TMUX", host.variable()).success();
    assert_eq!(host.windows("#{window_active} #{window_index}"), ["1 0"]);
    Docker::inner_tmux(&container, &["detach-client", "-s", "main"]);
    wait_until("the tags to be gone", || host.windows("").is_empty());
}

#[test]
fn an_opened_window_closes_with_its_shell() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    world.wharf(["open"]).arg(&project).env("TMUX", host.variable()).success();
    screen.wait_for_prompt();
    screen.type_line("exit");
    wait_until("the window to be gone", || host.windows("").is_empty());
    assert_eq!(Docker::state(&world.container_of(&project)), "running");
}

#[test]
fn a_failure_in_an_opened_window_stays_until_it_was_read() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    world.wharf(["open", "--image", BAD_SLEEP]).arg(&project).env("TMUX", host.variable()).success();
    let text = screen.wait_for_text("press any key to close");
    assert!(text.contains("ended with exit code 126"), "{text}");
    assert!(text.contains("could not run `sleep`: Exec format error"), "{text}");
    assert!(Docker::below("container", &project).is_empty());
    screen.press(&["q"]);
    wait_until("the window to be gone", || host.windows("").is_empty());
}

#[test]
fn an_opened_window_says_what_it_takes() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    world.wharf(["open", "--image", BAD_SLEEP]).arg(&project).env("TMUX", host.variable()).success();
    let text = screen.wait_for_text("press any key to close");
    let said: Vec<&str> = text.lines().take_while(|line| !line.starts_with("error:")).collect();
    let name = said[1].strip_prefix("starting container ").unwrap_or_default();
    assert!(name.starts_with("wharf-api-"), "{text}");
    assert_eq!(said[0], format!("creating container {name} from {BAD_SLEEP}"));
}

#[test]
fn the_panes_command_line_can_be_run_again_as_it_reads() {
    let world = World::new();
    let project = world.project("it's #{a} name;");
    let host = world.host();
    world.wharf(["open", "--image", DEBIAN, "--session", "logs"]).arg(&project).env("TMUX", host.variable()).success();
    let container = wait_for_container(&world, &project);
    let pid = host.tmux(["list-panes", "-a", "-F", "#{?@wharf_session,#{pane_pid},}"]).trim().to_owned();
    // As tmux-resurrect looks for it: a child of the pane's process.
    let children = || fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    wait_until("the pane's program", || !children().is_empty());
    let line = fs::read_to_string(format!("/proc/{}/cmdline", children().trim())).unwrap();
    let line = line.trim_end_matches('\0').replace('\0', " ");
    let command = host.tmux(["list-panes", "-a", "-F", "#{?@wharf_session,#{pane_current_command},}"]);
    assert_eq!(command.trim(), "wharf");
    assert_eq!(line, format!("{} attach {container} --create --session logs --image {DEBIAN}", binary().display()));

    host.kill_server();
    host.start_server("restored", &world.project("elsewhere"));
    host.tmux(["new-window", "-t", "restored:", &line]);
    wait_until("the tags", || host.windows("#{@wharf_project} #{@wharf_session}") == [format!("{} logs", project.display())]);
    wait_until("the attached client", || Docker::inner_clients(&container).len() == 1);
}

fn wait_for_container(world: &World, project: &std::path::Path) -> String {
    wait_until("the container", || {
        Docker::below("container", project).first().is_some_and(|name| Docker::inner_clients(name).len() == 1)
    });
    world.container_of(project)
}
