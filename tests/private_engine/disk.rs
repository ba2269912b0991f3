//! R75: a disk that hangs, as a network's does when the network is gone, holds up nobody but who asks for what is on it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::relay::{ends, timed};
use crate::support::{BUSYBOX, PrivateEngine, World, wait_until};

/// A file system whose server answers nothing, over a project's directory.
struct Hanging<'a> {
    directory: &'a Path,
    server: Child,
}

impl<'a> Hanging<'a> {
    fn mount(world: &World, directory: &'a Path) -> Self {
        // Whoever has it open would have to answer.
        let serve = "exec 9<>/dev/fuse; mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 none \"$1\" && exec cat";
        let mut shell = world.command("bash");
        let server = shell.args(["-c", serve, "bash"]).arg(directory).stdin(Stdio::piped()).spawn().unwrap();
        let mounts = || std::fs::read_to_string("/proc/self/mounts").unwrap();
        wait_until("the mount", || mounts().contains(directory.to_str().unwrap()));
        Self { directory, server }
    }
}

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        // What waits for an answer gets an error.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.directory).status();
    }
}

#[test]
fn a_disk_that_hangs_holds_up_nobody_else() {
    let world = World::new();
    let engine = PrivateEngine::start(&world);
    let [fine, hung] = ["a-fine", "b-hung"].map(|name| world.project(name));
    let more = ["one", "two", "three", "four"].map(|name| world.project(&format!("b-hung/more/{name}")));
    let start = |project: &PathBuf| engine.wharf(["start", "--image", BUSYBOX]).arg(project).success();
    let [in_fine, in_hung] = [&fine, &hung].map(start);
    let in_more = more.each_ref().map(start);
    let host = world.host();
    host.tmux(["set-environment", "-g", "DOCKER_HOST", &engine.host()]);
    let screen = host.attach("main");
    let hanging = Hanging::mount(&world, &hung);

    let outcome = ends(engine.wharf(["list", "--json"]));
    let rows: Vec<serde_json::Value> = serde_json::from_str(&outcome.stdout).unwrap();
    let seen: BTreeSet<_> = rows.iter().map(|row| row["container"].as_str().unwrap()).collect();
    assert_eq!(seen, [&in_fine, &in_hung].into_iter().chain(&in_more).map(String::as_str).collect());
    // The containers run, and their relays are asked whatever is on the disk.
    let unknown = |row: &&serde_json::Value| row["orphaned"] != false || !row["sessions"].is_array();
    assert_eq!(rows.iter().find(unknown), None);
    let note = format!("note: the disk of `{}` does not answer; ", hung.display());
    assert!(outcome.code == Some(0) && outcome.stderr.starts_with(&note), "{outcome:?}");

    // The preview of the one that hangs keeps no key waiting.
    screen.press(&["C-b", "W"]);
    screen.wait_for_text("b-hung");
    screen.type_text("b-hung");
    screen.wait_for_text(&in_hung);
    screen.press(&["C-u"]);
    screen.type_text("a-fine");
    screen.wait_for_text(&in_fine);
    screen.press(&["Escape"]);
    wait_until("the end of the popup", || !screen.text().contains("keys"));

    // By its name, what is not on the disk is done.
    let (outcome, _) = timed(engine.wharf(["prune", "--dry-run", "--force"]));
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "nothing to prune\n"), "{}", outcome.stderr);
    for line in [["status", &in_hung], ["logs", &in_hung], ["stop", &in_hung]] {
        let (outcome, took) = timed(engine.wharf(line));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{line:?}");
        assert!(took < Duration::from_secs(10), "{line:?}: {took:?}");
    }
    // And what is, is an error that says so.
    let outcome = ends(engine.wharf(["start"]).arg(&hung));
    let error = format!("error: could not look at `{}`: its disk does not answer\n", hung.display());
    assert_eq!((outcome.code, outcome.stderr), (Some(1), error));
    drop(hanging);
    assert_eq!(engine.wharf(["start"]).arg(&hung).success(), in_hung);
}
