//! What the popup shows, whatever there is to show.

use std::fs;

use super::{host, host_without_engine, is_closed, list, names, ours, pick, popup, repository, wait_for_names};
use crate::support::relay::{NO_ENGINE, processes, shared};
use crate::support::{BUSYBOX, Docker, Screen, TRAP, World, wait_for, wait_for_equal, wait_until};

#[test]
fn a_key_shows_the_projects_and_enter_opens_the_one_that_is_searched() {
    let world = World::new();
    let [_, project] = ["web", "api"].map(|name| repository(&world, name));
    let host = host(&world);
    let screen = pick(&host);
    screen.type_text(&ours(&world, "'/api"));
    wait_for_names(&screen, &["api"]);
    screen.press(&["Enter"]);
    wait_until("the project's window", || {
        host.windows("#{window_active} #{window_name} #{@wharf_project}") == [format!("1 api {}", project.display())]
    });
    wait_until("the end of the popup", || is_closed(&screen));
    wait_until("the container", || {
        Docker::below("container", &project).first().is_some_and(|name| Docker::inner_clients(name).len() == 1)
    });
}

#[test]
fn without_an_engine_the_list_works_and_says_so() {
    let world = World::new();
    let projects = ["web", "api"].map(|name| repository(&world, name));
    let host = host(&world);
    world.wharf(["open", "--image", BUSYBOX]).arg(&projects[0]).env("TMUX", host.variable()).success();
    wait_until("the use", || world.root().join("state/wharf/history").exists());
    host.tmux(["set-environment", "-g", "DOCKER_HOST", NO_ENGINE]);
    host.tmux(["select-window", "-t", "main:0"]);
    let screen = pick(&host);
    wait_for_names(&screen, &["web main", "api"]);
    let socket = NO_ENGINE.strip_prefix("unix://").unwrap();
    let trouble = format!("no container engine at `{socket}`: No such file or directory");
    wait_until("what the engine says", || popup(&screen).last().unwrap().starts_with(&trouble[..60]));
    assert_eq!(list(&screen)[0].split_whitespace().collect::<Vec<_>>()[..3], [">●", "web", "main"]);
    assert!(list(&screen)[0].ends_with(" open"), "{:?}", list(&screen));
    assert_eq!(popup(&screen)[0], format!(">{}2/2", " ".repeat(74)));
    screen.press(&["Enter"]);
    wait_until("the window", || host.windows("#{window_active} #{window_name}") == ["1 web"]);
    wait_until("the end of the popup", || is_closed(&screen));
    // What cannot be opened is said where it can be read.
    host.tmux(["select-window", "-t", "main:0"]);
    screen.press(&["C-b", "W"]);
    wait_for_names(&screen, &["web main", "api"]);
    screen.type_text("'api");
    wait_for_names(&screen, &["api"]);
    screen.press(&["Enter"]);
    wait_until("the error", || popup(&screen).last().unwrap().starts_with(&trouble[..60]));
    screen.press(&["Escape"]);
    wait_until("the end of the popup", || is_closed(&screen));
    assert_eq!(host.windows("#{window_name}"), ["web"]);
}

#[test]
fn names_are_shown_and_not_obeyed() {
    let world = World::new();
    let touch = format!("#({TRAP})$({TRAP})");
    let long = "x".repeat(255);
    let hostile = ["a\nb\u{1b}[31m", &touch, "#{pid}#[fg=red]", "it's \"q\"; $HOME", "größe 日本", &long];
    for name in hostile {
        repository(&world, name);
    }
    let host = host_without_engine(&world);
    let screen = pick(&host);
    // What no directory above has in its name, whatever that is.
    screen.type_text("\"q\"");
    wait_for_names(&screen, &["it's \"q\"; $HOME"]);
    screen.press(&["C-u"]);
    screen.type_text("u{1b}");
    wait_for_names(&screen, &["a\\nb\\u{1b}[31m"]);
    screen.press(&["C-u"]);
    screen.type_text("日本");
    wait_for_names(&screen, &["größe 日本"]);
    screen.press(&["Escape"]);
    wait_until("the end of the popup", || is_closed(&screen));
    host.tmux(["set-environment", "-gu", "DOCKER_HOST"]);
    let engine = std::env::var("DOCKER_HOST");
    if let Ok(engine) = engine {
        host.tmux(["set-environment", "-g", "DOCKER_HOST", &engine]);
    }
    for (query, name) in [("u{1b}", hostile[0]), ("pid fg=red", hostile[2])] {
        screen.press(&["C-b", "W"]);
        wait_until("the popup", || !is_closed(&screen));
        screen.type_text(&ours(&world, query));
        wait_until("the row", || list(&screen).len() == 1 && !names(&screen)[0].starts_with("nothing"));
        screen.press(&["Enter"]);
        let path = world.project(name);
        wait_until("the window", || {
            host.tmux(["display-message", "-p", "-t", "main:", "#{@wharf_project}"]) == path.to_str().unwrap()
        });
        wait_until("the end of the popup", || is_closed(&screen));
    }
    world.assert_no_trap_has_run();
}

#[test]
fn it_fits_twenty_columns_and_three_hundred() {
    let world = World::new();
    for name in ["web", "api"] {
        repository(&world, name);
    }
    let host = host_without_engine(&world);
    let screen = host.attach("main");
    screen.resize(20, 6);
    screen.press(&["C-b", "W"]);
    let small = [
        "┌──────────────────┐",
        "│>              2/2│",
        "│>  api            │",
        "│   web            │",
        "│no container engin│",
        "└──────────────────┘",
    ];
    wait_for_equal("the small popup", &small.join("\n"), || screen.text().trim_end().to_owned());
    screen.press(&["Escape"]);
    wait_until("the end of the popup", || !screen.text().contains('┌'));
    screen.resize(300, 100);
    screen.press(&["C-b", "W"]);
    wait_for_names(&screen, &["api", "web"]);
    let lines = popup(&screen);
    assert_eq!((lines.len(), lines[0].as_str()), (73, format!(">{}2/2", " ".repeat(234)).as_str()));
}

#[test]
fn colours_are_for_those_who_want_them() {
    let world = World::new();
    repository(&world, "api");
    let host = host_without_engine(&world);
    let screen = pick(&host);
    screen.type_text("ap");
    wait_for_names(&screen, &["api"]);
    let line = |screen: &Screen| screen.colours().lines().find(|line| line.contains("/src/")).unwrap_or_default().to_owned();
    wait_until("a hit in colour", || line(&screen).contains("33map"));
    screen.press(&["Escape"]);
    wait_until("the end of the popup", || is_closed(&screen));
    host.tmux(["set-environment", "-g", "NO_COLOR", "1"]);
    screen.press(&["C-b", "W"]);
    wait_for_names(&screen, &["api"]);
    screen.type_text("ap");
    wait_until("a hit", || line(&screen).contains("\u{1b}[1;4map") || line(&screen).contains("\u{1b}[4map"));
    let row = line(&screen);
    let is_colour = |code: &str| {
        ["3", "4", "9", "10"].iter().any(|tens| code.len() > tens.len() && code.starts_with(tens)) && code != "39" && code != "49"
    };
    let codes: Vec<&str> = row.split("\u{1b}[").skip(1).flat_map(|rest| rest.split('m').next().unwrap().split(';')).collect();
    assert!(!codes.iter().any(|code| is_colour(code)), "{row:?}");
}

#[test]
fn a_configuration_with_errors_is_told_of_and_the_rest_works() {
    let world = World::new();
    let project = repository(&world, "api");
    world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).success();
    let host = host(&world);
    fs::write(world.root().join("home/.config/wharf/config.kdl"), "projcts \"/\"\n").unwrap();
    let screen = pick(&host);
    screen.type_text(&ours(&world, "'/api"));
    wait_for_names(&screen, &["api main"]);
    let told = "the configuration has errors: `wharf config check` shows them";
    wait_for_equal("what is told", told, || popup(&screen).last().cloned().unwrap_or_default());
}

#[test]
fn the_preview_is_the_sessions_screen_as_it_is_now() {
    let world = World::new();
    let project = repository(&world, "api");
    let show = "printf '\\033[31mred\\033[38;2;1;2;3mtrue\\033[0m\\n'; while read line; do echo \"heard $line\"; done";
    let open = world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).args(["--", "sh", "-c", show]);
    let said = open.success();
    // Of a session that no pane shows, its relay says it, without the engine; by exec there is no other way.
    let is_by_exec = std::env::var("WHARF_ATTACH").is_ok_and(|way| way == "exec");
    let host = if is_by_exec { host(&world) } else { host_without_engine(&world) };
    let screen = pick(&host);
    screen.type_text(&ours(&world, "'/api"));
    wait_for_names(&screen, &["api main"]);
    let has = |text: &str| screen.colours().contains(text);
    wait_until("the colours", || has("\u{1b}[31mred\u{1b}[38;2;1;2;3mtrue"));
    let container = said.split(' ').next().unwrap();
    world.wharf(["send", container, "first", "--enter"]).success();
    wait_until("what is new", || has("heard first"));
    screen.press(&["Enter"]);
    wait_until("the window", || host.windows("#{window_active}") == ["1"]);
    wait_until("the screen", || screen.text().contains("heard first") && is_closed(&screen));
    // And of one that a pane shows, the pane.
    host.tmux(["select-window", "-t", "main:0"]);
    screen.press(&["C-b", "W"]);
    wait_until("the colours", || !is_closed(&screen) && has("\u{1b}[31mred\u{1b}[38;2;1;2;3mtrue"));
    world.wharf(["send", container, "second", "--enter"]).success();
    wait_until("what is new", || has("heard second"));
}

#[test]
fn by_exec_one_way_in_serves_for_as_long_as_the_row_is_selected() {
    let world = World::new();
    let [_, project] = ["web", "api"].map(|name| repository(&world, name));
    let show = ["--", "sh", "-c", "touch /tmp/words; exec tail -f /tmp/words"];
    let said = world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).args(show).success();
    let container = said.split(' ').next().unwrap();
    let say = |word: &str| Docker::shell(container, &format!("echo heard {word} >>/tmp/words"));
    let host = host(&world);
    let file = world.root().join("home/.config/wharf/config.kdl");
    fs::write(&file, format!("{}attach \"exec\"\n", fs::read_to_string(&file).unwrap())).unwrap();
    // Nobody finds its relay any more.
    fs::rename(shared(&world, container), world.root().join("away")).unwrap();
    let screen = pick(&host);
    screen.type_text(&ours(&world, "'/api"));
    wait_for_names(&screen, &["api main"]);
    say("first");
    wait_until("the first word", || screen.text().contains("heard first"));
    let ways = || processes(container, "relay --stdio");
    let one = wait_for("one way in", || Some(ways()).filter(|ways| ways.len() == 1));
    say("second");
    wait_until("the second word", || screen.text().contains("heard second"));
    assert_eq!(ways(), one);
    // Of another project there is nothing to show that it could serve for.
    screen.press(&["C-u"]);
    screen.type_text(&ours(&world, "'/web"));
    wait_for_names(&screen, &["web"]);
    wait_until("its end", || ways().is_empty());
}
