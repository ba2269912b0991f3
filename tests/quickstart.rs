//! The way that a newcomer goes: `scripts/quickstart` on source code, and again after the server died.

use std::process::Output;

use crate::support::{Docker, World, printed_by, run, wait_until};

fn quickstart(world: &World, directory: &std::path::Path) -> Output {
    let installed = world.installed();
    let mut quickstart = world.command(installed.join("scripts/quickstart"));
    quickstart.arg(directory).env("WHARF_QUICKSTART_BIN", installed.join("bin/wharf")).stdin(std::process::Stdio::null());
    run(&mut quickstart)
}

/// The default server of a world, which ends with the test.
struct Server<'a>(&'a World);

impl Server<'_> {
    fn end(&self) {
        run(self.0.command("tmux").arg("kill-server"));
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn quickstart_opens_a_directory_and_finds_it_again_after_the_server_died() {
    let world = World::new();
    let project = world.project("real source");
    // A repository with a log long enough for a pager.
    let script = "git init -q && for i in $(seq 60); do git -c user.name=T -c user.email=t@example.invalid commit -q --allow-empty -m \"change $i\"; done";
    assert!(world.command("sh").args(["-c", script]).current_dir(&project).status().unwrap().success());
    let tmux = |arguments: &[&str]| printed_by(world.command("tmux").arg("-u").args(arguments));
    let server = Server(&world);

    let first = quickstart(&world, &project);
    let shown = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(first.status.success(), "{shown}{}", String::from_utf8_lossy(&first.stderr));
    assert!(shown.contains("real-source:"), "{shown}");
    assert!(tmux(&["list-keys", "-N", "-T", "prefix"]).contains("container"));

    let window = || tmux(&["list-windows", "-a", "-F", "#{?#{@wharf_project},#{window_id},}"]).trim().to_owned();
    tmux(&["send-keys", "-t", &window(), "git log --format=%s", "Enter"]);
    wait_until("the log in its pager", || tmux(&["capture-pane", "-p", "-t", &window()]).lines().any(|line| line == "change 60"));
    let container = world.container_of(&project);
    let pager = || Docker::shell(&container, "pgrep -x 'pager|less'");
    let before = pager();
    server.end();
    wait_until("no client to be left", || Docker::inner_clients(&container).is_empty());

    let second = quickstart(&world, &project);
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    wait_until("the log again", || tmux(&["capture-pane", "-p", "-t", &window()]).lines().any(|line| line == "change 60"));
    assert_eq!(pager(), before);
}
