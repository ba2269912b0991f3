//! R17: `prune`, which looks at everything that wharf has on an engine.

use std::fs;
use std::path::PathBuf;

use super::{projects_volumes, start};
use crate::support::{BUSYBOX, PrivateEngine, World, binary};

#[test]
fn prune_removes_what_no_container_needs() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    let container = start(&engine, &project);
    let gone = world.root().join("state/wharf/containers/wharf-gone-0123456789ab");
    fs::create_dir_all(&gone).unwrap();
    let create = ["volume", "create", "--label", "wharf=true", "--label", "wharf.tools=static", "wharf-tools-unused"];
    engine.docker(&create);
    engine.docker(&["volume", "create", "--label", "wharf.tools=static", "foreign"]);
    let lines = |verb: &str| format!("{verb} volume wharf-tools-unused\n{verb} directory {}", gone.display());

    assert_eq!(engine.wharf(["prune", "--dry-run"]).success(), lines("would remove"));
    assert!(gone.exists());

    assert_eq!(engine.wharf(["prune"]).success(), lines("removed"));
    assert!(!gone.exists());
    assert_eq!(engine.wharf(["prune"]).success(), "nothing to prune");
    // What is in use stays, and what is not wharf's.
    let left = engine.docker(&["volume", "ls", "--quiet"]);
    let left: Vec<&str> = left.lines().collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert_eq!(left[..2], ["foreign", format!("{container}-home").as_str()]);
    assert!(engine.inspect(&container, "{{json .Mounts}}").contains(left[2]));
    assert_eq!(engine.wharf(["exec", "--", "echo", "hi"]).current_dir(&project).success(), "hi");
}

/// A project with a container whose directory is gone, one whose container is stopped, and one whose container runs.
struct Three {
    orphaned: String,
    gone: PathBuf,
    stopped: String,
    running: String,
}

impl Three {
    fn make(world: &World, engine: &PrivateEngine) -> Self {
        let [gone, kept, used] = ["gone", "kept", "used"].map(|name| world.project(name));
        let [orphaned, stopped, running] = [&gone, &kept, &used].map(|project| start(engine, project));
        engine.wharf(["stop"]).arg(&kept).success();
        fs::remove_dir_all(&gone).unwrap();
        Self { orphaned, gone, stopped, running }
    }

    fn all(&self) -> String {
        sorted([&self.orphaned, &self.stopped, &self.running])
    }

    /// What goes without a flag, and without being asked for anything else.
    fn orphans(&self, verb: &str) -> String {
        format!("{verb} container {0}\n{verb} volume {0}-home", self.orphaned)
    }
}

fn sorted<const N: usize>(names: [&String; N]) -> String {
    let mut names = names.map(String::as_str);
    names.sort_unstable();
    names.join("\n")
}

fn containers(engine: &PrivateEngine) -> String {
    let listed = engine.docker(&["ps", "--all", "--format", "{{.Names}}"]);
    let mut names: Vec<&str> = listed.lines().collect();
    names.sort_unstable();
    names.join("\n")
}

#[test]
fn prune_removes_what_is_orphaned_and_only_when_told() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let three = Three::make(&world, &engine);
    let volumes = projects_volumes(&engine);
    assert_eq!(volumes.lines().count(), 3);
    // Not wharf's, though it names a project that is gone.
    let label = format!("--label=wharf.project={}", three.gone.display());
    engine.docker(&["create", "--name", "foreign", &label, BUSYBOX, "true"]);
    engine.docker(&["volume", "create", &label, "foreign"]);
    let all = format!("foreign\n{}", three.all());

    assert_eq!(engine.wharf(["prune", "--dry-run"]).success(), three.orphans("would remove"));
    let refusal = format!(
        "error: nobody can be asked whether to remove container {0}, volume {0}-home\n\
         hint: `wharf prune --force` removes them, `--dry-run` only lists them\n",
        three.orphaned
    );
    assert_eq!(engine.wharf(["prune"]).failure(), refusal);
    assert_eq!(containers(&engine), all);

    assert_eq!(engine.wharf(["prune", "--force"]).success(), three.orphans("removed"));
    assert_eq!(containers(&engine), format!("foreign\n{}", sorted([&three.stopped, &three.running])));
    assert_eq!(engine.docker(&["volume", "ls", "--quiet", "--filter", "name=foreign"]), "foreign");
    assert!(!projects_volumes(&engine).contains(&three.orphaned));
    assert!(!world.root().join("state/wharf/containers").join(&three.orphaned).exists());
    assert_eq!(engine.inspect(&three.running, "{{.State.Status}}"), "running");
    assert_eq!(engine.wharf(["prune"]).success(), "nothing to prune");

    // A volume that has outlived its container.
    engine.docker(&["volume", "create", "--label=wharf=true", &label, "left"]);
    assert_eq!(engine.wharf(["prune", "--force"]).success(), "removed volume left");
}

#[test]
fn prune_all_removes_what_is_stopped_and_keeps_its_home() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let three = Three::make(&world, &engine);
    let prune = |age: &str| engine.wharf(["prune", "--all", "--force", "--older-than", age]).success();
    assert_eq!(prune("1h"), "nothing to prune");
    assert_eq!(containers(&engine), three.all());

    let pruned = prune("0s");
    let mut lines: Vec<&str> = pruned.lines().collect();
    lines.sort_unstable();
    let mut expected = vec![format!("removed container {}", three.stopped)];
    expected.extend(three.orphans("removed").lines().map(str::to_owned));
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert_eq!(containers(&engine), three.running);
    assert!(projects_volumes(&engine).contains(&format!("{}-home", three.stopped)));
}

#[test]
fn what_cannot_be_removed_keeps_nothing_else_and_all_that_has_gone_is_told() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let [one, two] = ["one", "two"].map(|name| {
        let project = world.project(name);
        let container = start(&engine, &project);
        fs::remove_dir_all(project).unwrap();
        container
    });
    let mount = format!("{one}-home:/home");
    engine.docker(&["create", "--name", "foreign", "--volume", &mount, BUSYBOX, "true"]);
    let outcome = engine.wharf(["prune", "--force"]).run();
    assert_eq!(outcome.stdout, format!("removed container {one}\nremoved container {two}\nremoved volume {two}-home\n"));
    let error = format!("error: could not remove volume `{one}-home` of `{one}`: ");
    assert!(outcome.stderr.starts_with(&error) && outcome.stderr.contains("in use"), "{}", outcome.stderr);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(projects_volumes(&engine), format!("{one}-home"));
}

#[test]
fn prune_asks_on_a_terminal() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let three = Three::make(&world, &engine);
    let host = world.host();
    let screen = host.attach("main");
    let prune = format!("DOCKER_HOST='{}' '{}' prune", engine.host(), binary().display());
    screen.type_line(&format!("clear; {prune}"));
    let shown = screen.wait_for_text("Remove all of this? [y/N]");
    let flat = shown.replace('\n', "");
    let list =
        format!("`{}` is gone (running):  container {}  volume {}-home", three.gone.display(), three.orphaned, three.orphaned);
    assert!(flat.replace("  ", "").contains(&list.replace("  ", "")), "{shown}");
    assert!(!shown.contains(&three.stopped), "{shown}");
    screen.type_line("n");
    screen.wait_for_text("error: cancelled");
    assert_eq!(containers(&engine), three.all());
    screen.type_line(&format!("clear; {prune}"));
    screen.wait_for_text("[y/N]");
    screen.type_line("y");
    screen.wait_for_text(&format!("removed volume {}-home", three.orphaned));
    assert_eq!(containers(&engine), sorted([&three.stopped, &three.running]));
}

#[test]
fn prune_removes_what_a_killed_rebuild_has_left() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let container = start(&engine, &world.project("api"));
    let other = start(&engine, &world.project("other"));
    let label = |name: &str| {
        let project = world.project(name);
        format!("--label=wharf.project={}", project.display())
    };
    let create =
        |name: String, of: &str| engine.docker(&["create", "--label=wharf=true", &label(of), "--name", &name, BUSYBOX, "true"]);
    create(format!("{container}-next"), "api");
    create(format!("{container}-aside"), "api");
    // All that its project has.
    engine.docker(&["stop", "--time", "1", &other]);
    engine.docker(&["rename", &other, &format!("{other}-aside")]);
    let pruned = engine.wharf(["prune"]).success();
    let mut lines: Vec<&str> = pruned.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, [format!("removed container {container}-aside"), format!("removed container {container}-next")]);
    assert_eq!(start(&engine, &world.project("other")), other);
    assert_eq!(engine.inspect(&container, "{{.State.Status}}"), "running");
}

#[test]
fn an_age_is_understood_or_refused() {
    let world = World::new();
    for (age, why) in [("30", "an age, as in `30d` or `12h`"), ("1mo", "say it in days, as in `30d`")] {
        let outcome = world.wharf(["prune", "--older-than", age]).run();
        assert_eq!(outcome.code, Some(2));
        assert!(outcome.stderr.contains(why), "{}", outcome.stderr);
    }
}

#[test]
fn prune_removes_networks_that_no_container_is_in() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let project = world.project("api");
    fs::write(project.join("wharf.kdl"), "network \"used\"\n").unwrap();
    world.wharf(["trust"]).arg(&project).success();
    start(&engine, &project);
    engine.wharf(["stop"]).arg(&project).success();
    let labels = ["--label", "wharf=true", "--label", "wharf.network=empty"];
    for name in ["wharf-empty", "foreign"] {
        engine.docker(&[&["network", "create"], &labels[..], &[name]].concat());
    }
    engine.docker(&["network", "create", "--label", "wharf.network=other", "wharf-other"]);
    assert_eq!(engine.wharf(["prune", "--dry-run"]).success(), "would remove network wharf-empty");
    assert_eq!(engine.wharf(["prune"]).success(), "removed network wharf-empty");
    let left = engine.docker(&["network", "ls", "--format", "{{.Name}}", "--filter", "driver=bridge"]);
    assert_eq!(left, "foreign\nwharf-other\nwharf-used");
    // With the container goes its network.
    let pruned = engine.wharf(["prune", "--all", "--force", "--dry-run"]).success();
    assert!(pruned.ends_with("\nwould remove network wharf-used"), "{pruned}");
    let pruned = engine.wharf(["prune", "--all", "--force"]).success();
    assert!(pruned.contains("\nremoved network wharf-used"), "{pruned}");
}
