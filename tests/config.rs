//! R60, R61, R62: what is written down counts, and who may write it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{BUSYBOX, World, binary, wait_until};

/// A project with this configuration.
pub fn configured(world: &World, text: &str) -> PathBuf {
    let project = world.project("api");
    fs::write(project.join("wharf.kdl"), text).unwrap();
    project
}

pub fn write_global(world: &World, text: &str) -> PathBuf {
    let directory = world.root().join("home/.config/wharf");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("config.kdl"), text).unwrap();
    directory.join("config.kdl")
}

#[test]
fn check_tells_all_errors_of_both_files() {
    let world = World::new();
    let global = write_global(&world, "prot 80\n");
    let project = configured(&world, "image 4\nattach \"exce\"\n");
    let told = world.wharf(["config", "check"]).current_dir(&project).failure();
    let file = project.join("wharf.kdl");
    let places: Vec<&str> = told.lines().filter_map(|line| line.trim_start().strip_prefix("--> ")).collect();
    let expected = [(&global, "1:1"), (&file, "1:7"), (&file, "2:8")];
    assert_eq!(places, expected.map(|(file, place)| format!("{}:{place}", file.display())));
    assert!(told.contains("did you mean `port`?") && told.contains("did you mean \"exec\"?"), "{told}");
    assert!(!told.contains('\u{1b}'), "{told}");
    let missing = world.wharf(["config", "check", "/nowhere/wharf.kdl"]).failure();
    assert_eq!(missing, "error: there is no `/nowhere/wharf.kdl`\n");
    fs::write(&global, "port 80\n").unwrap();
    fs::write(&file, b"image \"\xff\"\n").unwrap();
    let told = world.wharf(["config", "check"]).current_dir(&project).failure();
    assert!(told.starts_with("error: these bytes are not UTF-8\n") && told.contains("wharf.kdl:1:8"), "{told}");
}

#[test]
fn show_says_where_each_value_comes_from() {
    let world = World::new();
    let global = write_global(&world, "limits cpus=2\nprojects \"~/src\"\n");
    let project = configured(&world, "\nimage \"debian:12\"\nsession \"logs\" { command \"tail\" \"-f\" \"log\"; }\n");
    let shown = world.wharf(["config", "show", "--workspace", "/work"]).arg(&project).success();
    let (global, file) = (global.display(), project.join("wharf.kdl"));
    let file = file.display();
    let expected = format!(
        "image \"debian:12\"  // project {file}:2\n\
         user \"host\"  // default\n\
         workspace \"/work\"  // flag --workspace\n\
         session \"logs\" {{ command \"tail\" \"-f\" \"log\"; }}  // project {file}:3\n\
         limits cpus=2  // global {global}:1\n\
         on-exit \"keep\"  // default\n\
         attach \"relay\"  // default\n\
         profile \"agent\" {{  // default\n    limits memory=\"4GiB\" \\  // default\n           cpus=2  // default\n}}\n\
         projects \"~/src\"  // global {global}:2"
    );
    assert_eq!(shown, expected);
    let json = world.wharf(["config", "show", "--json", "--profile", "agent"]).arg(&project).success();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["limits"]["memory"]["value"], 4_u64 << 30);
    assert_eq!(json["image"]["from"], format!("project {file}:2"));
    let unknown = world.wharf(["config", "show", "--profile", "agnt"]).arg(&project).failure();
    assert_eq!(unknown, "error: there is no profile `agnt`\nhint: did you mean `agent`?\n");
    assert_eq!(world.wharf(["config", "path"]).arg(&project).success(), format!("{global}\n{file}"));
}

/// The values of a project's effective configuration that come from its own file, and what is said of the others.
fn from_project(world: &World, project: &Path) -> (Vec<String>, String) {
    let outcome = world.wharf(["config", "show"]).arg(project).run();
    let own = outcome.stdout.lines().filter(|line| line.contains("// project "));
    (own.map(|line| line.split("  //").next().unwrap().to_owned()).collect(), outcome.stderr)
}

#[test]
fn a_file_reaches_the_host_only_as_it_was_trusted() {
    let world = World::new();
    let project = configured(&world, "image \"debian:12\"\nport 3000\non-create \"make\"\n");
    let file = project.join("wharf.kdl");
    let note = format!(
        "note: `{}` is not trusted, so these lines of it have no effect:\n  2: port 3000\n  3: on-create \"make\"\n\
         hint: read it, then `wharf trust {}`\n",
        file.display(),
        project.display()
    );
    assert_eq!(from_project(&world, &project), (vec!["image \"debian:12\"".to_owned()], note));

    let told = world.wharf(["trust"]).arg(&project).success();
    assert_eq!(told, format!("`{}` is trusted as it is now\n  2: port 3000\n  3: on-create \"make\"", file.display()));
    let (own, told) = from_project(&world, &project);
    assert_eq!((own.len(), told.as_str()), (3, ""));

    // Another content is another file, another project with the same content is not trusted with it.
    fs::write(&file, "image \"debian:12\"\nport 3001\n").unwrap();
    assert!(from_project(&world, &project).1.contains("2: port 3001\n"));
    let other = world.project("other");
    fs::write(other.join("wharf.kdl"), "image \"debian:12\"\nport 3000\non-create \"make\"\n").unwrap();
    assert!(from_project(&world, &other).1.contains("is not trusted"));

    world.wharf(["trust"]).arg(&project).success();
    assert_eq!(from_project(&world, &project).1, "");
    let told = world.wharf(["trust", "--revoke"]).arg(&project).success();
    assert_eq!(told, format!("`{}` is not trusted any more", file.display()));
    assert!(from_project(&world, &project).1.contains("2: port 3001\n"));
}

#[test]
fn a_file_that_is_wrong_is_not_trusted() {
    let world = World::new();
    let project = configured(&world, "prot 80\n");
    assert!(world.wharf(["trust"]).arg(&project).failure().contains("did you mean `port`?"));
    fs::remove_file(project.join("wharf.kdl")).unwrap();
    let refusal = world.wharf(["trust"]).arg(&project).failure();
    assert_eq!(refusal, format!("error: there is no `{}`\n", project.join("wharf.kdl").display()));
}

#[test]
fn from_a_key_errors_and_waiting_lines_are_messages() {
    let world = World::new();
    let project = configured(&world, &format!("image \"{BUSYBOX}\"\nprot 80\nimage 4\n"));
    let host = world.host();
    let screen = host.attach("main");
    host.tmux(["new-window", "-t", "main:", &format!("cd '{}' && exec sh", project.display())]);
    wait_until("the shell's directory", || {
        host.tmux(["display-message", "-p", "#{pane_current_path}"]) == project.to_str().unwrap()
    });
    let windows = host.tmux(["list-windows", "-a"]);
    screen.press(&["C-b", "O"]);
    // As much of it as a line has room for.
    screen.wait_for_text(&format!("wharf: {}:2:1: there is no key", project.join("wharf.kdl").display()));
    assert_eq!(host.tmux(["list-windows", "-a"]), windows);

    fs::write(project.join("wharf.kdl"), format!("image \"{BUSYBOX}\"\nport 80\n")).unwrap();
    screen.press(&["Enter"]);
    screen.wait_for_text("[main]");
    screen.press(&["C-b", "O"]);
    screen.wait_for_text(&format!("wharf: `{}` is not trusted", project.join("wharf.kdl").display()));
}

#[test]
fn errors_are_coloured_for_terminals_that_want_it() {
    let world = World::new();
    let project = configured(&world, "prot 80\n");
    let host = world.host();
    let coloured = |prefix: &str| {
        let check = format!("{prefix} '{}' config check '{}'; cat", binary().display(), project.join("wharf.kdl").display());
        let pane = host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", &check]);
        let screen = || host.tmux(["capture-pane", "-p", "-e", "-t", &pane]);
        wait_until("the hint", || screen().contains("did you mean"));
        screen().contains('\u{1b}')
    };
    assert!(coloured("env"));
    assert!(!coloured("env NO_COLOR=1"));
}
