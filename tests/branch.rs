//! R102: a worktree, a container and a session for a branch, and nothing left of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use crate::support::{Docker, World, wait_until};

/// A repository with a commit.
fn repository(world: &World) -> PathBuf {
    let project = world.project("repo");
    world.git(&project, &["init", "--quiet", "--initial-branch", "main"]);
    fs::write(project.join("file"), "one\n").unwrap();
    world.git(&project, &["add", "."]);
    commit(world, &project, "first");
    project
}

fn commit(world: &World, directory: &Path, message: &str) {
    let who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
    world.git(directory, &[&who[..], &["commit", "--quiet", "--all", "--message", message]].concat());
}

fn left(root: &Path) -> Vec<String> {
    ["container", "volume"].iter().flat_map(|kind| Docker::below(kind, root)).collect()
}

#[test]
fn a_branch_has_a_worktree_a_container_and_a_session_until_it_is_done() {
    let world = World::new();
    let repo = repository(&world);
    fs::write(repo.join("wharf.kdl"), "port 7777\nenv { inherit \"SECRET\"; }\n").unwrap();
    world.git(&repo, &["add", "."]);
    commit(&world, &repo, "configure");
    world.wharf(["trust"]).arg(&repo).success();
    let prompt = world.root().join("prompt");
    fs::write(&prompt, "fix it; it's \"broken\"\n").unwrap();
    let branch = |arguments: &[&str]| world.wharf(["branch"]).args(arguments).current_dir(&repo);
    let line = "printf '%s' \"$1\" >prompt.txt; git commit --quiet --allow-empty --message x; exec sleep 1000";
    let opened = branch(&["fix/one", "--prompt", prompt.to_str().unwrap(), "--", "sh", "-c", line, "sh"]).run();
    assert_eq!(opened.code, Some(0), "{}", opened.stderr);
    let tree = repo.with_file_name("repo-fix-one");
    wait_until("the prompt", || tree.join("prompt.txt").exists());
    assert_eq!(fs::read_to_string(tree.join("prompt.txt")).unwrap(), "fix it; it's \"broken\"");
    // The port is one that is free, and what is trusted in the repository is trusted here.
    let ports = world.wharf(["ports", "--json"]).arg(&tree).success();
    let ports: serde_json::Value = serde_json::from_str(&ports).unwrap();
    assert_eq!(ports[0]["container_port"], 7777);
    assert_ne!(ports[0]["host_port"], 7777);

    let listed =
        || serde_json::from_str::<serde_json::Value>(&world.wharf(["branches", "--json"]).current_dir(&repo).success()).unwrap();
    let row = &listed()[0];
    assert_eq!((row["branch"].as_str(), row["state"].as_str()), (Some("fix/one"), Some("running")), "{row}");
    assert_eq!((row["ahead"].as_u64(), row["behind"].as_u64(), row["dirty"].as_bool()), (Some(0), Some(0), Some(true)), "{row}");
    assert_eq!(row["sessions"][0]["name"], "main");

    let refused = branch(&["--done", "fix/one"]).failure();
    assert_eq!(
        refused,
        "error: branch `fix/one` has work that is nowhere else\n  uncommitted: ?? prompt.txt\n\
         hint: commit it, and merge or push the branch; then try again\n"
    );
    world.git(&tree, &["add", "."]);
    commit(&world, &tree, "done by an agent");
    let refused = branch(&["--done", "fix/one"]).failure();
    assert!(refused.contains("\n  unmerged: ") && refused.contains(" done by an agent\n"), "{refused}");
    world.git(&repo, &["merge", "--quiet", "--ff-only", "fix/one"]);
    branch(&["--done", "fix/one"]).success();
    assert!(!tree.exists());
    assert_eq!(left(&tree), [] as [String; 0]);
    assert_eq!(listed(), serde_json::json!([]));
    assert_eq!(
        branch(&["--done", "fix/one"]).failure(),
        "error: branch `fix/one` has no worktree\nhint: `wharf branches` shows which have one\n"
    );
}

#[test]
fn of_ten_branches_at_once_nothing_is_left() {
    let world = World::new();
    let repo = repository(&world);
    let names: Vec<String> = (0..10).map(|number| format!("agent-{number}")).collect();
    let at_once = |arguments: &(dyn Fn(&str) -> Vec<String> + Sync)| {
        thread::scope(|scope| {
            let runs: Vec<_> =
                names.iter().map(|name| scope.spawn(|| world.wharf(arguments(name)).current_dir(&repo).run())).collect();
            for run in runs {
                let outcome = run.join().unwrap();
                assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            }
        });
    };
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    at_once(&|name| words(&["branch", name, "--detach", "--", "sh", "-c", "echo $$ >/tmp/pid; exec sleep 1000"]));
    let listed: serde_json::Value =
        serde_json::from_str(&world.wharf(["branches", "--json"]).current_dir(&repo).success()).unwrap();
    assert_eq!(listed.as_array().unwrap().iter().filter(|row| row["state"] == "running").count(), 10);
    at_once(&|name| words(&["branch", "--done", name]));
    assert_eq!(left(world.root()), [] as [String; 0]);
    assert_eq!(world.git(&repo, &["worktree", "list"]).lines().count(), 1);
    assert_eq!(fs::read_dir(repo.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_branch_that_cannot_have_a_container_leaves_no_worktree() {
    let world = World::new();
    let repo = repository(&world);
    let failed = world.wharf(["branch", "x", "--detach", "--image", "no-such/image:1"]).current_dir(&repo).run();
    assert_eq!(failed.code, Some(1), "{}", failed.stdout);
    assert_eq!(world.git(&repo, &["worktree", "list"]).lines().count(), 1);
    assert_eq!(world.git(&repo, &["branch", "--list", "x"]), "");
    let outside = world.project("plain");
    let refused = world.wharf(["branch", "x"]).current_dir(&outside).failure();
    assert_eq!(refused, format!("error: `{}` is in no git repository\nhint: `git init` makes one\n", outside.display()));
}
