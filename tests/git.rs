//! R42: who commits in a container, and what git trusts there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Docker, World, binary, wait_until};

fn repository(world: &World, name: &str) -> PathBuf {
    let project = world.project(name);
    world.git(&project, &["init", "--quiet"]);
    project
}

/// Who has made the last commit, and what it says.
fn last(world: &World, project: &Path) -> String {
    world.git(project, &["log", "-1", "--format=%an <%ae> %s"])
}

fn introduce(world: &World) {
    world.git(world.root(), &["config", "--global", "user.name", "Ada \"L\" # Lovelace"]);
    world.git(world.root(), &["config", "--global", "user.email", "ada@example.org"]);
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
    let (_, topic) = world.worktree();
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
    world.git(world.root(), &["config", "--global", &condition, "~/work"]);
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
    world.git(&project, &["config", "user.name", "Project"]);
    assert_eq!(commit("4"), "Project <ada@example.org> 4");
}

#[test]
fn a_host_without_an_identity_gives_none_until_it_has_one() {
    let world = World::new();
    let project = repository(&world, "api");
    let container = world.open_detached(&project);
    let commit = |message: &str| world.wharf(COMMIT).args(["--message", message]).current_dir(&project).run();
    let refused = commit("1");
    assert!(refused.code == Some(128) && refused.stderr.contains("Please tell me who you are"), "{}", refused.stderr);
    introduce(&world);
    assert_eq!(commit("2").code, Some(0));
    assert_eq!(last(&world, &project), "Ada \"L\" # Lovelace <ada@example.org> 2");
    // The session that was there before knows it, too.
    world.wharf(["send", container.as_str(), "git commit -q --allow-empty -m 3", "--enter"]).success();
    wait_until("the commit", || last(&world, &project) == "Ada \"L\" # Lovelace <ada@example.org> 3");
}

#[test]
fn an_attach_finds_out_who_commits_while_it_lasts() {
    let world = World::new();
    let project = repository(&world, "api");
    let container = world.open_detached(&project);
    introduce(&world);
    let host = world.host();
    let attach = format!("exec '{}' attach '{}'", binary().display(), project.display());
    host.tmux(["new-window", "-t", "main:", &attach]);
    wait_until("the host's identity", || Docker::shell(&container, "cat /run/wharf/host/gitconfig").contains("Lovelace"));
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
    world.git(&project, &["config", "include.path", "../fifo"]);
    assert_eq!(world.wharf(["exec", "--", "echo", "hi"]).current_dir(&project).success(), "hi");
}

#[test]
fn a_pipe_in_the_place_of_the_repository_holds_nobody_up() {
    let world = World::new();
    let project = world.project("api");
    assert!(world.command("mkfifo").arg(project.join(".git")).status().unwrap().success());
    world.open_detached(&project);
}
