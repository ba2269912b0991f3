//! R19: what has changed since a container was made is told, and `wharf rebuild` applies it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::config::write_global;
use crate::support::{BUSYBOX, Docker, OWN, World, wait_for_equal};

fn unique(world: &World) -> String {
    let name = world.root().file_name().unwrap().to_str().unwrap();
    format!("{}-{}", name.to_lowercase(), std::process::id())
}

/// A project of a name of its own with this configuration, which is trusted.
fn project(world: &World, text: &str) -> PathBuf {
    let project = world.project(&unique(world));
    configure(world, &project, text);
    project
}

fn configure(world: &World, project: &Path, text: &str) {
    fs::write(project.join("wharf.kdl"), text).unwrap();
    world.wharf(["trust"]).arg(project).success();
}

fn listed(world: &World, project: &Path) -> serde_json::Value {
    let rows: serde_json::Value = serde_json::from_str(&world.wharf(["list", "--json"]).success()).unwrap();
    rows.as_array().unwrap().iter().find(|row| row["project"] == project.to_str().unwrap()).unwrap()["drift"].clone()
}

/// What `open` notes, once the engine answers at once.
#[track_caller]
fn assert_open_says(world: &World, project: &Path, line: &str) {
    let expected = if line.is_empty() { String::new() } else { format!("note: {line}; `wharf rebuild` applies it\n") };
    let open = || world.wharf(["open", "--detach"]).arg(project).run().stderr;
    wait_for_equal("what `open` says", &expected, open);
}

/// What a rebuild would change.
fn dry_run(world: &World, project: &Path) -> Vec<String> {
    let shown = world.wharf(["rebuild", "--dry-run"]).arg(project).success();
    let changes = shown.lines().skip(1).filter(|line| !line.starts_with("  would end live sessions"));
    changes.map(|line| line.trim().to_owned()).collect()
}

const UNCHANGED: &str = "as it is: nothing has changed since it was made";

#[test]
fn a_configuration_that_has_changed_is_told_key_by_key_and_applied_by_rebuild() {
    let world = World::new();
    let before = "env { RUST_LOG \"debug\"; GONE \"1\"; }\nlimits pids=100\n";
    let project = project(&world, &format!("image \"{BUSYBOX}\"\n{before}"));
    world.wharf(["start"]).arg(&project).success();
    let container = world.container_of(&project);
    let id = || Docker::inspect(&container, "{{.Id}}");
    let made = id();
    assert_eq!(listed(&world, &project), serde_json::json!([]));
    assert_open_says(&world, &project, "");
    assert_eq!(dry_run(&world, &project), [UNCHANGED]);

    // Said in another place, it is the same.
    configure(&world, &project, &format!("// a comment\n{before}image \"{BUSYBOX}\"\n"));
    assert_eq!(listed(&world, &project), serde_json::json!([]));
    let after = format!(
        "image \"{BUSYBOX}\"\nenv {{ RUST_LOG \"info\\u{{1b}}[31m\"; }}\nlimits memory=\"64MiB\" pids=100\nuser \"root\"\n"
    );
    configure(&world, &project, &after);
    assert_eq!(listed(&world, &project), serde_json::json!(["configuration has changed"]));
    let table = world.wharf(["list"]).success();
    let row = table.lines().find(|line| line.contains(project.to_str().unwrap())).unwrap();
    assert!(row.contains(&format!("{BUSYBOX} (changed)")), "{row}");
    assert_open_says(&world, &project, "configuration has changed");
    let inspected = world.wharf(["inspect"]).arg(&project).success();
    assert!(inspected.contains("configuration has changed; `wharf rebuild` applies it"), "{inspected}");
    let changes = dry_run(&world, &project);
    let of_keys: Vec<&str> = changes.iter().map(String::as_str).filter(|line| !line.starts_with("user:")).collect();
    assert_eq!(of_keys, ["env RUST_LOG: debug → info [31m", "limits memory: added (64.0 MiB)", "env GONE: removed"]);
    // Nothing is recreated behind anybody's back.
    assert_eq!(id(), made);
    world.wharf(["rebuild", "--force"]).arg(&project).success();
    assert_ne!(id(), made);
    assert_eq!(Docker::inspect(&container, "{{.HostConfig.Memory}} {{.Config.User}}"), format!("{} 0:0", 64 << 20));
    assert_eq!(dry_run(&world, &project), [UNCHANGED]);
    assert_eq!(listed(&world, &project), serde_json::json!([]));
}

#[test]
fn what_a_container_was_made_with_by_flags_is_no_change() {
    let world = World::new();
    let configuration = |image: &str| format!("image \"{image}\"\nprofile \"small\" {{ limits pids=100; }}\n");
    let project = project(&world, &configuration(BUSYBOX));
    let flags = ["--image", OWN, "--workspace", "/work", "--read-only", "--profile", "small"];
    world.wharf(["start"]).args(flags).arg(&project).success();
    let container = world.container_of(&project);
    let unchanged = || {
        assert_eq!(listed(&world, &project), serde_json::json!([]));
        assert_open_says(&world, &project, "");
        assert_eq!(dry_run(&world, &project), [UNCHANGED]);
    };
    unchanged();
    // Another image in the configuration is none of this container's either.
    configure(&world, &project, &configuration("127.0.0.1:1/other"));
    unchanged();
    world.wharf(["rebuild", "--force"]).arg(&project).success();
    let made = "{{.Config.Image}} {{.Config.WorkingDir}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.PidsLimit}}";
    assert_eq!(Docker::inspect(&container, made), format!("{OWN} /work true 100"));
    unchanged();
    // What the profile says now is.
    configure(&world, &project, &configuration(BUSYBOX).replace("100", "200"));
    assert_eq!(dry_run(&world, &project), ["limits pids: 100 → 200"]);
    assert_open_says(&world, &project, "configuration has changed");
}

#[test]
fn what_is_inherited_is_in_no_label() {
    let world = World::new();
    let project = project(&world, &format!("image \"{BUSYBOX}\"\nenv {{ inherit \"SECRET\"; }}\n"));
    world.wharf(["start"]).arg(&project).env("SECRET", "s3cret").success();
    let labels = Docker::inspect(&world.container_of(&project), "{{json .Config.Labels}}");
    assert!(labels.contains("env SECRET") && !labels.contains("s3cret"), "{labels}");
    // Another value is another terminal's, and no change.
    assert_eq!(listed(&world, &project), serde_json::json!([]));
}

#[test]
fn a_dockerfile_and_its_context_that_have_changed_are_told_and_built_by_rebuild() {
    let world = World::new();
    let of = |word: &str| {
        let run = std::env::var("WHARF_TEST_RUN").unwrap_or_default();
        format!("FROM {BUSYBOX}\nLABEL wharf.test=\"{run}\"\nCOPY file /file\nRUN echo {word} >/word\n")
    };
    let project = project(&world, "build \"ci\"\n");
    fs::create_dir(project.join("ci")).unwrap();
    fs::write(project.join("ci/Dockerfile"), of("one")).unwrap();
    fs::write(project.join("ci/file"), "one").unwrap();
    assert_eq!(world.wharf(["start"]).arg(&project).run().code, Some(0));
    let container = world.container_of(&project);
    assert_eq!(listed(&world, &project), serde_json::json!([]));
    assert_open_says(&world, &project, "");
    assert_eq!(dry_run(&world, &project), [UNCHANGED]);

    fs::write(project.join("ci/file"), "two").unwrap();
    assert_open_says(&world, &project, "Dockerfile has changed");
    // A list reads no context, nor does what a status line may ask for all the time.
    assert_eq!(listed(&world, &project), serde_json::json!([]));
    let inspected = || world.wharf(["inspect"]).arg(&project).success();
    assert!(!inspected().contains("Dockerfile has changed"), "{}", inspected());
    fs::write(project.join("ci/Dockerfile"), of("two")).unwrap();
    assert_eq!(listed(&world, &project), serde_json::json!(["Dockerfile has changed"]));
    assert!(inspected().contains("Dockerfile has changed"), "{}", inspected());
    configure(&world, &project, "build \"ci\"\nenv { A \"1\"; }\n");
    assert_open_says(&world, &project, "configuration and Dockerfile have changed");
    let changes = dry_run(&world, &project);
    assert_eq!(changes[1..], ["env A: added (1)", "Dockerfile: its image would be built"]);
    assert!(changes[0].starts_with("image id: ") && changes[0].ends_with(" → unknown"), "{changes:?}");
    assert_eq!(Docker::shell(&container, "cat /word /file"), "one\none");

    let rebuilt = world.wharf(["rebuild", "--force"]).arg(&project).run();
    assert_eq!((rebuilt.code, rebuilt.stdout), (Some(0), format!("rebuilt {container}\n")), "{}", rebuilt.stderr);
    assert_eq!(Docker::shell(&container, "cat /word /file; echo $A"), "two\ntwo1");
    assert_open_says(&world, &project, "");
    assert_eq!(listed(&world, &project), serde_json::json!([]));
}

#[test]
fn a_file_that_is_wrong_hides_nothing_of_the_list() {
    let world = World::new();
    let project = project(&world, &format!("image \"{BUSYBOX}\"\n"));
    world.wharf(["start"]).arg(&project).success();
    fs::write(project.join("wharf.kdl"), "imge\n").unwrap();
    assert_eq!(listed(&world, &project), serde_json::json!([]));
}

/// The list finds out once what projects without a file of their own come to.
#[test]
fn of_projects_that_were_made_alike_each_has_changed_by_its_own_file() {
    let world = World::new();
    let [plain, other, own] = ["plain", "other", "own"].map(|name| world.project(name));
    for project in [&plain, &other, &own] {
        world.wharf(["start", "--image", BUSYBOX]).arg(project).success();
    }
    fs::write(own.join("wharf.kdl"), "limits pids=100\n").unwrap();
    let (changed, unchanged) = (serde_json::json!(["configuration has changed"]), serde_json::json!([]));
    let drifts = || [&plain, &other, &own].map(|project| listed(&world, project));
    assert_eq!(drifts(), [unchanged.clone(), unchanged.clone(), changed.clone()]);
    write_global(&world, "limits pids=100\n");
    assert_eq!(drifts(), [changed.clone(), changed.clone(), changed.clone()]);
    fs::write(own.join("wharf.kdl"), "limits pids=200\n").unwrap();
    fs::remove_file(world.root().join("home/.config/wharf/config.kdl")).unwrap();
    assert_eq!(drifts(), [unchanged.clone(), unchanged, changed]);
}

#[test]
fn a_directory_that_was_replaced_under_its_container_is_noticed() {
    let world = World::new();
    let project = world.project("api");
    world.open_detached(&project);
    let note =
        "note: the project's directory was replaced, and its container still has the old one; `wharf restart` gets the new one\n";
    let open = || {
        let outcome = world.wharf(["open", "--detach"]).arg(&project).run();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        outcome.stderr
    };
    assert_eq!(open(), "");
    for replace in [|old: &Path| fs::remove_dir_all(old), |old: &Path| fs::rename(old, old.with_extension("old"))] {
        replace(&project).unwrap();
        fs::create_dir(&project).unwrap();
        fs::write(project.join("new"), "").unwrap();
        assert_eq!(open(), note);
        let status = world.wharf(["status", "--json"]).arg(&project).success();
        assert!(status.contains("\"drift\": true"), "{status}");
        let doctor = world.wharf(["doctor"]).current_dir(&project).run().stdout;
        assert!(
            doctor.contains("the project's directory was replaced") && doctor.contains("`wharf restart` gets the new one"),
            "{doctor}"
        );
        world.wharf(["restart", "--force"]).arg(&project).success();
        assert_eq!(open(), "");
        assert_eq!(world.wharf(["exec", "--", "ls"]).current_dir(&project).success(), "new");
    }
}
