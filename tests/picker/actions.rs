//! What keys and the mouse do with what is selected.

use super::{host, is_closed, list, names, ours, pick, popup, repository, wait_for_names, wait_for_selected};
use crate::support::relay::NO_ENGINE;
use crate::support::{BUSYBOX, Docker, World, wait_for_equal, wait_until};

#[test]
fn a_container_is_stopped_and_removed_from_the_popup() {
    let world = World::new();
    let project = repository(&world, "api");
    let said = world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).success();
    let container = said.split(' ').next().unwrap().to_owned();
    let host = host(&world);
    let screen = pick(&host);
    screen.type_text(&ours(&world, "'/api"));
    wait_for_names(&screen, &["api main"]);
    let status = |expected: &str| wait_for_equal("the status", expected, || popup(&screen).last().cloned().unwrap_or_default());
    screen.press(&["M-x"]);
    status("Stop the container of api; it ends main? [y/N]");
    screen.press(&["n"]);
    screen.press(&["M-x"]);
    status("Stop the container of api; it ends main? [y/N]");
    assert_eq!(Docker::state(&container), "running");
    screen.press(&["y"]);
    status("stopped api");
    assert_eq!(Docker::state(&container), "exited");
    wait_until("the row", || list(&screen)[0].ends_with("exited"));
    screen.press(&["M-r"]);
    status("restarted api");
    assert_eq!(Docker::state(&container), "running");
    wait_until("the row", || list(&screen)[0].ends_with("running"));
    screen.press(&["M-c"]);
    status(&format!("copied {container}"));
    assert_eq!(host.tmux(["show-buffer"]), container);
    screen.press(&["M-d"]);
    status("Remove the container of api, and keep its volumes? [y/N]");
    screen.press(&["y"]);
    status("removed api");
    assert!(Docker::below("container", &project).is_empty());
    assert_eq!(Docker::below("volume", &project), [format!("{container}-home")]);
    wait_until("the row", || !list(&screen)[0].ends_with("running"));
    screen.press(&["M-x"]);
    status("api has no container");
}

#[test]
fn a_fresh_container_is_opened() {
    let world = World::new();
    let project = repository(&world, "api");
    let said = world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).success();
    let container = said.split(' ').next().unwrap().to_owned();
    let id = || Docker::inspect(&container, "{{.Id}}");
    let before = id();
    let host = host(&world);
    let screen = pick(&host);
    screen.type_text(&ours(&world, "'/api"));
    wait_for_names(&screen, &["api main"]);
    screen.press(&["M-f"]);
    screen.press(&["y"]);
    wait_until("the window", || host.windows("#{window_active} #{window_name}") == ["1 api"]);
    assert_ne!(id(), before);
}

#[test]
fn a_new_session_and_a_split() {
    let world = World::new();
    let [web, api] = ["web", "api"].map(|name| repository(&world, name));
    let host = host(&world);
    world.wharf(["open", "--image", BUSYBOX]).arg(&web).env("TMUX", host.variable()).success();
    let screen = pick(&host);
    screen.type_text(&ours(&world, "'/api"));
    wait_for_names(&screen, &["api"]);
    screen.press(&["M-s"]);
    // Beside the pane that the key was pressed in, and the window stays what it is.
    let panes = || host.tmux(["list-panes", "-t", "main:1", "-F", "#{pane_active} #{@wharf_project} #{@wharf_session}"]);
    let expected = format!("0 {} main\n1 {} main", web.display(), api.display());
    wait_for_equal("the panes", &expected, panes);
    assert_eq!(host.tmux(["display-message", "-p", "-t", "main:1", "#{window_name}"]), "web");
    wait_until("the end of the popup", || is_closed(&screen));
    wait_until("the container", || Docker::below("container", &api).len() == 1);

    screen.press(&["C-b", "W"]);
    wait_until("the popup", || !is_closed(&screen));
    screen.type_text(&ours(&world, "'/api"));
    wait_for_names(&screen, &["api main"]);
    screen.press(&["M-n"]);
    screen.type_text("logs");
    wait_until("the question", || popup(&screen).first().is_some_and(|line| line == "new session: logs"));
    screen.press(&["Enter"]);
    wait_until("the window", || {
        host.tmux(["display-message", "-p", "-t", "main:", "#{@wharf_session} #{@wharf_project}"])
            == format!("logs {}", api.display())
    });
}

#[test]
fn the_log_is_read_in_the_popup() {
    let world = World::new();
    let project = repository(&world, "api");
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    Docker::run(["exec", &container, "sh", "-c", "for i in $(seq 100); do echo \"line $i\"; done >/proc/1/fd/1"]);
    let host = host(&world);
    let screen = pick(&host);
    screen.type_text(&ours(&world, "'/api"));
    wait_for_names(&screen, &["api"]);
    screen.press(&["M-l"]);
    wait_until("the log's end", || popup(&screen).get(20).is_some_and(|line| line == "line 100"));
    assert_eq!(popup(&screen)[0], "log of api");
    screen.press(&["Home"]);
    wait_until("the log's beginning", || popup(&screen).get(1).is_some_and(|line| line == "line 1"));
    screen.press(&["Escape"]);
    wait_for_names(&screen, &["api"]);
}

#[test]
fn the_mouse_selects_opens_and_moves() {
    let world = World::new();
    let projects = ["a", "b", "c"].map(|name| repository(&world, name));
    let host = host(&world);
    host.tmux(["set-option", "-g", "mouse", "on"]);
    for project in &projects {
        world.wharf(["open", "--image", BUSYBOX]).arg(project).env("TMUX", host.variable()).success();
    }
    host.tmux(["set-environment", "-g", "DOCKER_HOST", NO_ENGINE]);
    host.tmux(["select-window", "-t", "main:0"]);
    let screen = pick(&host);
    wait_until("the rows", || names(&screen).len() == 3);
    let place = |name: &str| 2 + names(&screen).iter().position(|shown| shown == name).unwrap();
    screen.click(20, place("b main"));
    wait_for_selected(&screen, "b main");
    let below = names(&screen).get(place("b main") - 1).cloned();
    screen.wheel_down(20, 2);
    wait_for_selected(&screen, &below.unwrap_or_else(|| "b main".to_owned()));
    let at = place("c main");
    screen.click(20, at);
    screen.click(20, at);
    wait_until("the window", || host.tmux(["display-message", "-p", "-t", "main:", "#{window_name}"]) == "c");
    wait_until("the end of the popup", || is_closed(&screen));
}
