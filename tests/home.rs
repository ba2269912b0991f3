//! R92: being at home in a container: one's own files, shell and skeleton; and what trust is about.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::configured::trusted;
use crate::support::{BUSYBOX, DEBIAN, World, wait_until};

fn global(world: &World, text: &str) {
    let directory = world.root().join("home/.config/wharf");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("config.kdl"), text).unwrap();
}

/// Own files with something that installs them, which says each time that it runs.
fn dotfiles(directory: &Path) {
    fs::create_dir_all(directory.join("deep")).unwrap();
    fs::write(directory.join("deep/vimrc"), "set number\n").unwrap();
    let script = "#!/bin/sh\necho ran >>~/runs\nln -sf \"$PWD/deep/vimrc\" ~/.vimrc\n";
    fs::write(directory.join("install.sh"), script).unwrap();
    fs::set_permissions(directory.join("install.sh"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn dotfiles_are_installed_once_in_each_home() {
    let world = World::new();
    dotfiles(&world.root().join("home/dotfiles"));
    global(&world, "dotfiles \"~/dotfiles\" { install \"./install.sh\"; }\n");
    let project = world.project("api");
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).run();
    let seen = || world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", "cat ~/.vimrc ~/runs"]).success();
    assert_eq!(seen(), "set number\nran");
    // Not with each start or container: the home stays.
    world.wharf(["stop"]).arg(&project).success();
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    world.wharf(["rebuild"]).arg(&project).success();
    assert_eq!(seen(), "set number\nran");
    // A new home, and a repository in place of a directory.
    let source = world.root().join("home/dotfiles");
    world.git(&source, &["init", "--quiet"]);
    world.git(&source, &["add", "."]);
    world.git(&source, &["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message", "first"]);
    global(&world, &format!("dotfiles \"file://{}\" {{ install \"./install.sh\"; }}\n", source.display()));
    world.wharf(["rm", "--volumes", "--force"]).arg(&project).success();
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).run();
    assert_eq!(seen(), "set number\nran");
}

#[test]
fn dotfiles_that_fail_keep_nobody_out_and_are_tried_again() {
    let world = World::new();
    let directory = world.root().join("home/dotfiles");
    dotfiles(&directory);
    global(&world, "dotfiles \"~/dotfiles\" { install \"./nothing.sh\"; }\n");
    let project = world.project("api");
    let started = world.wharf(["start", "--image", BUSYBOX]).arg(&project).run();
    assert_eq!(started.code, Some(0), "{started:?}");
    assert!(started.stderr.contains("the dotfiles are not installed: "), "{started:?}");
    global(&world, "dotfiles \"~/dotfiles\" { install \"./install.sh\"; }\n");
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).run();
    assert_eq!(world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", "cat ~/runs"]).success(), "ran");
    // A project has none of its own.
    fs::write(project.join("wharf.kdl"), "dotfiles \"~/dotfiles\"\n").unwrap();
    let refusal = world.wharf(["config", "check"]).current_dir(&project).failure();
    assert!(refusal.contains("`dotfiles` is for the global file"), "{refusal}");
}

#[test]
fn a_new_home_has_what_the_image_has_for_one() {
    let world = World::new();
    let project = trusted(&world, "user \"www-data\"\n");
    world.wharf(["start"]).arg(&project).success();
    let exec = |line: &str| world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", line]).success();
    assert_eq!(
        exec("cmp /etc/skel/.profile ~/.profile && stat -c %U ~/.profile && id -un").lines().collect::<Vec<_>>()[0],
        exec("id -un")
    );
    // What people make of it stays.
    exec("echo mine >~/.profile; rm ~/.bash_logout");
    world.wharf(["rebuild", "--force"]).arg(&project).success();
    assert_eq!(exec("cat ~/.profile; ls -A ~ | grep -c bash_logout; true"), "mine\n0");
}

#[test]
fn files_are_shared_at_the_same_place_as_far_as_they_are_there() {
    let world = World::new();
    let home = world.root().join("home");
    fs::create_dir_all(home.join(".config/nvim")).unwrap();
    fs::write(home.join(".config/nvim/init.lua"), "-- mine\n").unwrap();
    fs::write(home.join(".gitconfig"), "[alias]\n\tco = checkout\n").unwrap();
    let text = "share \"~/.config/nvim\" \"~/.gitconfig\" \"~/.not-there\"\nmount \"/nowhere\" \"/opt/x\" optional=#true\n";
    let project = trusted(&world, &format!("image \"{BUSYBOX}\"\n{text}"));
    world.wharf(["start"]).arg(&project).success();
    let exec = |line: &str| world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", line]).run();
    assert_eq!(exec("cat ~/.config/nvim/init.lua ~/.gitconfig").stdout, "-- mine\n[alias]\n\tco = checkout\n");
    assert_ne!(exec("echo x >>~/.gitconfig").code, Some(0));
    assert_ne!(exec("ls ~/.not-there /opt/x").code, Some(0));
    assert_eq!(exec("touch ~/.config/other").code, Some(0));
}

#[test]
fn sessions_have_the_shell_that_is_configured() {
    let world = World::new();
    let project = world.project("api");
    for (shell, expected) in [("sh", "sh"), ("/bin/dash", "dash"), ("fish", "bash")] {
        fs::write(project.join("wharf.kdl"), format!("image \"{DEBIAN}\"\nshell \"{shell}\"\n")).unwrap();
        world.wharf(["open", "--detach", "--fresh", "--force"]).arg(&project).run();
        world.wharf(["send", "--enter"]).arg(&project).arg("ps -o comm= -p $$; echo \"$SHELL\"").success();
        let shows = || world.wharf(["capture"]).arg(&project).success();
        wait_until(expected, || {
            shows().lines().any(|line| line == expected) && shows().lines().any(|line| line.ends_with(&format!("/{expected}")))
        });
    }
}

#[test]
fn an_edit_that_reaches_nothing_keeps_the_trust() {
    let world = World::new();
    let text = "image \"debian:12\"\nsession \"web\" { directory \"a\"; }\nport 3000\n";
    let project = trusted(&world, text);
    let waits = |text: &str| {
        fs::write(project.join("wharf.kdl"), text).unwrap();
        world.wharf(["config", "show"]).arg(&project).run().stderr.contains("is not trusted")
    };
    assert!(!waits("image \"debian:12\"\n\n// moved\nport 3000\nsession \"web\" { directory \"b\"; }\nlimits pids=100\n"));
    assert!(waits("image \"debian:12\"\nport 3001\n"));
    assert!(waits("image \"debian:12\"\nport 3000\non-create \"make\"\n"));
    // Who gets what is trusted.
    assert!(waits("image \"debian:13\"\nport 3000\n"));
    assert!(!waits(text));
}

#[test]
fn a_worktree_of_a_trusted_repository_is_trusted_with_the_same_file() {
    let world = World::new();
    let (main, topic) = world.worktree();
    for directory in [&main, &topic] {
        fs::write(directory.join("wharf.kdl"), "port 3000\n").unwrap();
    }
    let waits = |project: &Path| world.wharf(["config", "show"]).arg(project).run().stderr.contains("is not trusted");
    world.wharf(["trust"]).arg(&main).success();
    assert!(!waits(&topic));
    fs::write(topic.join("wharf.kdl"), "port 3001\n").unwrap();
    assert!(waits(&topic));
    fs::write(topic.join("wharf.kdl"), "port 3000\n").unwrap();
    // One that only says that it is a work tree of it.
    let evil = world.project("evil");
    fs::write(evil.join("wharf.kdl"), "port 3000\n").unwrap();
    fs::write(evil.join(".git"), format!("gitdir: {}/.git/worktrees/topic\n", main.display())).unwrap();
    assert!(waits(&evil));
    world.wharf(["trust", "--revoke"]).arg(&main).success();
    assert!(waits(&topic) && waits(&main));
}
