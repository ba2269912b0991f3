//! R42: who commits in a container, and what git trusts there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Docker, World, wait_until};

/// The host's git, in this world's home.
fn git(world: &World, directory: &Path, arguments: &[&str]) -> String {
    let output = world.command("git").current_dir(directory).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn repository(world: &World, name: &str) -> PathBuf {
    let project = world.project(name);
    git(world, &project, &["init", "--quiet"]);
    project
}

/// Who has made the last commit, and what it says.
fn last(world: &World, project: &Path) -> String {
    git(world, project, &["log", "-1", "--format=%an <%ae> %s"])
}

fn introduce(world: &World) {
    git(world, world.root(), &["config", "--global", "user.name", "Ada \"L\" # Lovelace"]);
    git(world, world.root(), &["config", "--global", "user.email", "ada@example.org"]);
}

const COMMIT: [&str; 6] = ["exec", "--", "git", "commit", "--quiet", "--allow-empty"];

#[test]
fn git_commit_inside_is_by_whoever_commits_on_the_host() {
    let world = World::new();
    introduce(&world);
    let project = repository(&world, "api");
    let container = world.open_detached(&project);
    let before = fs::read_to_string(project.join(".git/config")).unwrap();
    world.wharf(COMMIT).args(["--message", "by exec"]).current_dir(&project).success();
    assert_eq!(last(&world, &project), "Ada \"L\" # Lovelace <ada@example.org> by exec");
    world.wharf(["send", container.as_str(), "git commit -q --allow-empty -m 'in a session'", "--enter"]).success();
    wait_until("the commit", || last(&world, &project) == "Ada \"L\" # Lovelace <ada@example.org> in a session");
    world
        .wharf(["run", "--", "git", "commit", "--quiet", "--allow-empty", "--message", "by run"])
        .current_dir(&project)
        .success();
    assert_eq!(last(&world, &project), "Ada \"L\" # Lovelace <ada@example.org> by run");
    // Nothing was written where it would stay.
    assert_eq!(fs::read_to_string(project.join(".git/config")).unwrap(), before);
    assert_eq!(Docker::shell(&container, "ls -A ~ | grep -i git; true"), "");
    assert!(!Docker::inspect(&container, "{{json .Config.Env}}").contains("example.org"));
}

#[test]
fn git_commit_works_in_a_worktree() {
    let world = World::new();
    introduce(&world);
    let main = repository(&world, "main");
    git(&world, &main, &["commit", "--quiet", "--allow-empty", "--message", "first"]);
    git(&world, &main, &["worktree", "add", "--quiet", "-b", "topic", "../topic"]);
    let topic = world.project("topic");
    world.open_detached(&topic);
    world.wharf(COMMIT).args(["--message", "in a worktree"]).current_dir(&topic).success();
    assert_eq!(last(&world, &topic), "Ada \"L\" # Lovelace <ada@example.org> in a worktree");
}

#[test]
fn what_is_said_nearer_counts_more() {
    let world = World::new();
    introduce(&world);
    // Of the host's own, what is meant for this directory.
    let project = repository(&world, "api");
    fs::write(world.root().join("home/work"), "[user]\n\tname = Ada at work\n").unwrap();
    let condition = format!("includeIf.gitdir:{}/.path", world.root().join("src").display());
    git(&world, world.root(), &["config", "--global", &condition, "~/work"]);
    let container = world.open_detached(&project);
    let commit = |message: &str| {
        world.wharf(COMMIT).args(["--message", message]).current_dir(&project).success();
        last(&world, &project)
    };
    assert_eq!(commit("1"), "Ada at work <ada@example.org> 1");
    // The image's.
    Docker::run(["exec", "--user", "0", &container, "git", "config", "--system", "user.name", "Image"]);
    Docker::run(["exec", "--user", "0", &container, "git", "config", "--system", "core.abbrev", "11"]);
    assert_eq!(commit("2"), "Ada at work <ada@example.org> 2");
    let read = ["exec", "--", "git", "config", "core.abbrev"];
    assert_eq!(world.wharf(read).current_dir(&project).success(), "11");
    // What people have set in the container.
    Docker::shell(&container, "git config --global user.name Inside");
    assert_eq!(commit("3"), "Inside <ada@example.org> 3");
    git(&world, &project, &["config", "user.name", "Project"]);
    assert_eq!(commit("4"), "Project <ada@example.org> 4");
}

#[test]
fn a_host_without_an_identity_gives_none() {
    let world = World::new();
    let project = repository(&world, "api");
    let container = world.open_detached(&project);
    let given = world.wharf(["exec", "--", "sh", "-c", "env | grep GIT_CONFIG_SYSTEM; true"]).current_dir(&project).success();
    assert_eq!(given, "");
    assert_eq!(Docker::shell(&container, "ls -A /run/wharf/host | grep git; true"), "");
}

#[test]
fn git_trusts_the_project_whoever_owns_it_and_nothing_else() {
    let world = World::new();
    let project = repository(&world, "api");
    let container = world.open_detached(&project);
    let stranger = if rustix::process::getuid().is_root() { "12345:12345" } else { "0:0" };
    let as_stranger = |line: &str| Docker::output(["exec", "--user", stranger, &container, "sh", "-c", line]);
    let status = as_stranger("git status --short --branch");
    assert_eq!(String::from_utf8_lossy(&status.stdout).lines().count(), 1, "{}", String::from_utf8_lossy(&status.stderr));
    Docker::shell(&container, "git init --quiet /tmp/other && chmod 755 /tmp/other");
    let refused = as_stranger("cd /tmp/other && git status");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("dubious ownership"));
}

#[test]
fn a_project_that_holds_up_git_does_not_hold_up_wharf() {
    let world = World::new();
    introduce(&world);
    let project = repository(&world, "api");
    world.wharf(["open", "--detach"]).arg(&project).success();
    // As a program in the container may do: whoever reads it waits for somebody to write.
    assert!(world.command("mkfifo").arg(project.join("fifo")).status().unwrap().success());
    git(&world, &project, &["config", "include.path", "../fifo"]);
    assert_eq!(world.wharf(["exec", "--", "echo", "hi"]).current_dir(&project).success(), "hi");
}
