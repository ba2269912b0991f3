//! R13, R18, R19: a new container in the place of an old one.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::support::{BAD_SLEEP, BUSYBOX, DEBIAN, Docker, OWN, Tag, World, binary, output_of, wait_until};

fn id(container: &str) -> String {
    Docker::inspect(container, "{{.Id}}")
}

/// What the engine has of a project, whatever its name.
fn containers(container: &str) -> Vec<String> {
    Docker::names_of("container", &format!("name={container}"))
}

#[test]
fn open_fresh_recreates_the_container_and_keeps_its_home() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["open", "--detach", "--workspace", "/work", "--read-only"]).arg(&project).success();
    let container = world.container_of(&project);
    let before = id(&container);
    Docker::shell(&container, "echo precious >~/marker; touch /tmp/gone");
    Docker::inner_tmux(&container, &["kill-server"]);

    world.wharf(["open", "--fresh", "--detach"]).arg(&project).success();
    assert_ne!(id(&container), before);
    assert_eq!(Docker::shell(&container, "cat ~/marker; ls /tmp; pwd"), "precious\n/work");
    // Made as it was: what a person has narrowed stays so.
    assert_eq!(Docker::inspect(&container, "{{.HostConfig.ReadonlyRootfs}}"), "true");
    assert_eq!(Docker::inner_tmux(&container, &["list-sessions", "-F", "#{session_name}"]), "main");
    assert_eq!(containers(&container), [container.as_str()]);

    // Where there is none, it is `open`.
    Docker::run(["rm", "-f", &container]);
    world.wharf(["open", "--fresh", "--detach"]).arg(&project).success();
    assert_eq!(Docker::shell(&container, "cat ~/marker"), "precious");
}

#[test]
fn open_fresh_with_live_sessions_has_to_be_forced() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let before = id(&container);
    let fresh = || world.wharf(["open", "--fresh", "--detach"]).arg(&project);
    let refusal = format!(
        "error: container `{container}` has live sessions: main\nhint: `wharf open --fresh --force {container}` ends them\n"
    );
    assert_eq!(fresh().failure(), refusal);
    Docker::run(["pause", &container]);
    let refusal = format!(
        "error: container `{container}` is paused, so nobody can say whether sessions live in it\n\
         hint: `wharf open --fresh --force {container}` recreates it all the same\n"
    );
    assert_eq!(fresh().failure(), refusal);
    assert_eq!(id(&container), before);
    fresh().arg("--force").success();
    assert_ne!(id(&container), before);
}

#[test]
fn open_fresh_asks_on_a_terminal() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let before = id(&container);
    let host = world.host();
    let screen = host.attach("main");
    let open = format!("'{}' open --fresh '{}'", binary().display(), project.display());
    screen.type_line(&open);
    screen.wait_for_text("has live sessions (main). Recreate its container and end them? [y/N]");
    screen.type_line("n");
    screen.wait_for_text("error: cancelled");
    assert_eq!(id(&container), before);
    screen.type_line(&format!("clear; {open}"));
    screen.wait_for_text("[y/N]");
    screen.type_line("y");
    screen.wait_for_prompt();
    assert_ne!(id(&container), before);
    assert_eq!(host.windows("#{window_name}"), ["api"]);
}

/// As people see an image's digest.
fn short_id(image: &str) -> String {
    Docker::inspect(image, "{{.Id}}").trim_start_matches("sha256:").chars().take(12).collect()
}

fn drift(world: &World, project: &Path) -> serde_json::Value {
    let rows: serde_json::Value = serde_json::from_str(&world.wharf(["list", "--json"]).success()).unwrap();
    let rows = rows.as_array().unwrap();
    rows.iter().find(|row| row["project"] == project.to_str().unwrap()).unwrap()["drift"].clone()
}

#[test]
fn an_image_that_has_changed_is_told_of_and_applied_by_rebuild() {
    let world = World::new();
    let project = world.project("api");
    let tag = Tag::of(&world, BUSYBOX);
    let image = ["--image", tag.0.as_str()];
    let open = || world.wharf(["open", "--detach"]).args(image).arg(&project);
    assert_eq!(open().run().stderr, "");
    let container = world.container_of(&project);
    let before = id(&container);
    Docker::shell(&container, "echo precious >~/marker");
    assert_eq!(drift(&world, &project), serde_json::json!([]));
    let dry_run = || world.wharf(["rebuild", "--dry-run"]).arg(&project).success();
    let first = format!("would rebuild {container}\n");
    let end = "  would end live sessions: main";
    assert_eq!(dry_run(), format!("{first}  as it is: nothing has changed since it was made\n{end}"));

    tag.set(OWN);
    let (old, new) = (short_id(BUSYBOX), short_id(OWN));
    let line = format!("image `{}` has changed ({old} → {new})", tag.0);
    assert_eq!(drift(&world, &project), serde_json::json!([line]));
    let listed = world.wharf(["list"]).success();
    assert!(listed.contains(&format!("{} (changed)", tag.0)), "{listed}");
    let opened = open().run();
    assert_eq!((opened.code, opened.stdout), (Some(0), format!("{container} runs session main\n")));
    assert_eq!(opened.stderr, format!("note: {line}; `wharf rebuild` applies it\n"));
    assert_eq!(dry_run(), format!("{first}  image id: {old} → {new}\n{end}"));
    assert_eq!(id(&container), before);

    let refusal =
        format!("error: container `{container}` has live sessions: main\nhint: `wharf rebuild --force {container}` ends them\n");
    assert_eq!(world.wharf(["rebuild"]).arg(&project).failure(), refusal);
    assert_eq!(world.wharf(["rebuild", "--force"]).arg(&project).success(), format!("rebuilt {container}"));
    assert_ne!(id(&container), before);
    assert_eq!(Docker::inspect(&container, "{{.Image}}"), Docker::inspect(OWN, "{{.Id}}"));
    assert_eq!(Docker::shell(&container, "cat ~/marker"), "precious");
    assert_eq!(drift(&world, &project), serde_json::json!([]));
    assert_eq!(open().run().stderr, "");
    // The volume has its container, and nothing is left of the old one.
    assert_eq!(containers(&container), [container.as_str()]);
}

#[test]
fn an_image_that_has_changed_is_told_of_where_the_key_was_pressed() {
    let world = World::new();
    let project = world.project("api");
    assert!(world.command("git").args(["init", "--quiet"]).arg(&project).status().unwrap().success());
    let tag = Tag::of(&world, BUSYBOX);
    world.wharf(["start", "--image", tag.0.as_str()]).arg(&project).success();
    tag.set(OWN);
    let host = world.host();
    host.tmux(["new-window", "-t", "main:", "-c", project.to_str().unwrap()]);
    let screen = host.attach("main");
    screen.press(&["C-b", "O"]);
    screen.wait_for_text(&format!("wharf: image `{}` has changed", tag.0));
    // It is attached all the same.
    wait_until("the window", || host.windows("#{window_name}") == ["api"]);
}

#[test]
fn a_window_goes_on_in_the_new_container_when_told() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    world.wharf(["open"]).arg(&project).env("TMUX", host.variable()).success();
    screen.wait_for_prompt();
    screen.type_line("echo $((6 * 7)) in the old one");
    screen.wait_for_line("42 in the old one");
    let before = id(&world.container_of(&project));
    world.wharf(["rebuild", "--force"]).arg(&project).success();
    screen.wait_for_text("Enter starts it again");
    screen.press(&["Enter"]);
    screen.wait_for_prompt();
    screen.type_line("echo $((6 * 7)) in the new one");
    screen.wait_for_line("42 in the new one");
    assert_ne!(id(&world.container_of(&project)), before);
    assert_eq!(host.windows("#{window_name}"), ["api"]);
}

#[test]
fn a_rebuild_changes_what_it_is_told_and_nothing_else() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let container = world.container_of(&project);
    let options = ["--image", OWN, "--workspace", "/work", "--read-only"];
    let (old, new) = (short_id(BUSYBOX), short_id(OWN));
    let expected = format!(
        "would rebuild {container}\n  image: {BUSYBOX} → {OWN}\n  image id: {old} → {new}\n  workspace: {} → /work\n  \
         read-only: no → yes",
        project.display()
    );
    assert_eq!(world.wharf(["rebuild", "--dry-run"]).args(options).arg(&project).success(), expected);
    world.wharf(["rebuild"]).args(options).arg(&project).success();
    let made = || Docker::inspect(&container, "{{.Config.Image}} {{.Config.WorkingDir}} {{.HostConfig.ReadonlyRootfs}}");
    assert_eq!(made(), format!("{OWN} /work true"));
    // From then on it is as it is.
    world.wharf(["rebuild"]).arg(&project).success();
    assert_eq!(made(), format!("{OWN} /work true"));

    let nothing = world.project("nothing");
    let refusal = format!("error: `{}` has no container\nhint: `wharf open` makes one\n", nothing.display());
    assert_eq!(world.wharf(["rebuild"]).arg(&nothing).failure(), refusal);
    assert!(Docker::below("container", &nothing).is_empty());
}

#[test]
fn a_rebuild_that_cannot_start_puts_the_old_container_back() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let before = id(&container);
    Docker::shell(&container, "echo kept >/tmp/kept; echo precious >~/marker");
    let failure = world.wharf(["rebuild", "--force", "--image", BAD_SLEEP]).arg(&project).failure();
    assert!(failure.starts_with(&format!("error: container `{container}` ended with exit code 126\n")), "{failure}");
    assert_eq!(Docker::inspect(&container, "{{.Id}} {{.State.Status}}"), format!("{before} running"));
    assert_eq!(containers(&container), [container.as_str()]);
    assert_eq!(
        world.wharf(["exec", "--", "sh", "-c", "cat /tmp/kept ~/marker"]).current_dir(&project).success(),
        "kept\nprecious"
    );
}

#[test]
fn a_rebuild_that_cannot_create_ends_no_session() {
    let world = World::new();
    let (_, project) = world.worktree();
    let container = world.open_detached(&project);
    let before = Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}");
    let created = || Docker::inner_tmux(&container, &["list-sessions", "-F", "#{session_name} #{session_created}"]);
    let sessions = created();

    let failure = world.wharf(["rebuild", "--force", "--image", "127.0.0.1:1/no-such:latest"]).arg(&project).failure();
    assert!(failure.starts_with("pulling image 127.0.0.1:1/no-such:latest\nerror: could not pull image "), "{failure}");
    // Two mounts at one place: the engine refuses to create that.
    let workspace = ["--workspace", "/run/wharf/host"];
    let failure = world.wharf(["rebuild", "--force"]).args(workspace).arg(&project).failure();
    assert!(failure.starts_with(&format!("error: could not create container `{container}`: ")), "{failure}");
    assert_eq!(Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}"), before);
    assert_eq!(created(), sessions);
    assert_eq!(containers(&container), [container.as_str()]);
}

#[test]
fn a_rebuild_that_fails_leaves_the_users_of_a_read_only_container_alone() {
    let world = World::new();
    let project = world.project("api");
    let container = world.wharf(["start", "--read-only", "--image", BUSYBOX]).arg(&project).success();
    let users = || Docker::shell(&container, "cat /etc/passwd /etc/group");
    let before = users();
    // The engine refuses to create two mounts at one place when the users of the other image are known.
    let other = ["--image", DEBIAN, "--workspace", "/run/wharf/host"];
    let refused = world.wharf(["rebuild"]).args(other).arg(&project).failure();
    assert!(refused.starts_with("error: could not create container"), "{refused}");
    assert_eq!(users(), before);
    world.wharf(["stop"]).arg(&project).success();
    world.wharf(["start", &container]).success();
    assert_eq!(users(), before);
}

#[test]
fn a_rebuild_is_seen_as_one_container_by_whoever_looks() {
    let world = World::new();
    let project = world.project("api");
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let spawn = |verb: &[&str]| {
        let mut command = world.wharf(verb).arg(&project).into_command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut at_once: Vec<_> = (0..3).map(|_| spawn(&["rebuild", "--force"])).collect();
    at_once.extend((0..5).map(|_| spawn(&["start", "--image", DEBIAN])));
    while at_once.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        let rows: serde_json::Value = serde_json::from_str(&world.wharf(["list", "--json"]).success()).unwrap();
        let of_project = |row: &&serde_json::Value| row["project"] == project.to_str().unwrap();
        assert!(rows.as_array().unwrap().iter().filter(of_project).count() <= 1, "{rows}");
    }
    for child in at_once {
        let output = output_of(child);
        assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
    }
    assert_eq!(containers(&container), [container.as_str()]);
    // No start has made one of its own.
    assert_eq!(Docker::inspect(&container, "{{.Config.Image}} {{.State.Status}}"), format!("{BUSYBOX} running"));
}

#[test]
fn what_a_killed_rebuild_has_left_is_put_back_or_removed() {
    let world = World::new();
    let project = world.project("api");
    let start = || world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let container = start();
    let before = id(&container);
    // Killed before the new one had the name.
    Docker::run(["rename", &container, &format!("{container}-aside")]);
    start();
    assert_eq!(Docker::inspect(&container, "{{.Id}} {{.State.Status}}"), format!("{before} running"));
    // Killed after that.
    Docker::run(["rename", &container, &format!("{container}-aside")]);
    let labels = ["--label=wharf=true".to_owned(), format!("--label=wharf.project={}", project.display())];
    Docker::run(["create", &labels[0], &labels[1], "--name", &format!("{container}-next"), BUSYBOX, "true"]);
    Docker::run(["create", &labels[0], &labels[1], "--name", &container, BUSYBOX, "true"]);
    world.wharf(["rebuild", "--image", BUSYBOX]).arg(&project).success();
    assert_eq!(containers(&container), [container.as_str()]);
    // And by `rm`.
    Docker::run(["rename", &container, &format!("{container}-aside")]);
    world.wharf(["rm", "--volumes"]).arg(&project).success();
    assert!(containers(&container).is_empty());
    assert!(Docker::below("volume", &project).is_empty());
    assert!(!fs::exists(world.root().join("state/wharf/containers").join(&container)).unwrap());
}

#[test]
fn a_dry_run_says_that_the_configuration_has_changed_and_a_rebuild_applies_it() {
    let world = World::new();
    let project = world.project("api");
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let dry_run = || world.wharf(["rebuild", "--dry-run"]).arg(&project).success();
    assert_eq!(dry_run().lines().nth(1), Some("  as it is: nothing has changed since it was made"));
    fs::write(project.join("wharf.kdl"), "env { GREETING \"hello\" }\n").unwrap();
    assert_eq!(dry_run().lines().nth(1), Some("  env GREETING: added (hello)"));
    world.wharf(["rebuild"]).arg(&project).success();
    assert_eq!(Docker::shell(&container, "echo $GREETING"), "hello");
    assert_eq!(dry_run().lines().nth(1), Some("  as it is: nothing has changed since it was made"));
}
