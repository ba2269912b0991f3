//! R43: the ssh agent of whoever attached last is the one that an old session finds.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::support::{Host, SSHD, World, binary, wait_until};

/// A real agent with one key, whose comment says which it is. Gone when dropped, as after a logout.
struct Login {
    agent: Child,
    socket: PathBuf,
}

impl Login {
    fn start(world: &World, name: &str) -> Self {
        let socket = world.root().join(format!("{name}.sock"));
        let mut agent = world.command("ssh-agent");
        let agent = agent.args(["-D", "-a"]).arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        let login = Self { agent, socket };
        wait_until("the agent", || login.socket.exists());
        let key = world.root().join(name);
        let made = world.command("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        let added = world.command("ssh-add").arg("-q").arg(&key).env("SSH_AUTH_SOCK", &login.socket).status();
        assert!(added.unwrap().success());
        login
    }

    /// A window of this login's, attached to the project's session.
    fn attach(&self, host: &Host, project: &Path, way: &str) -> String {
        let variables = format!("WHARF_ATTACH={way} SSH_AUTH_SOCK='{}'", self.socket.display());
        let create = format!("attach --create --image {SSHD} '{}'", project.display());
        let attach = format!("exec env {variables} '{}' {create}", binary().display());
        host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", &attach])
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let _ = self.agent.kill();
        let _ = self.agent.wait();
        let _ = std::fs::remove_file(&self.socket);
    }
}

#[test]
fn an_old_session_finds_the_agent_of_a_new_login() {
    let world = World::new();
    let host = world.host();
    let screen = host.attach("main");
    for way in ["relay", "exec"] {
        let project = world.project(way);
        let [first, second] = ["first", "second"].map(|name| Login::start(&world, &format!("{way}-{name}")));
        let window = first.attach(&host, &project, way);
        screen.wait_for_prompt();
        screen.type_line("ssh-add -l");
        screen.wait_for_text(&format!(" {way}-first (ED25519)"));
        host.tmux(["kill-pane", "-t", &window]);
        drop(first);
        let window = second.attach(&host, &project, way);
        // The same session, and in it the same shell.
        screen.wait_for_text(&format!(" {way}-first (ED25519)"));
        screen.type_line("ssh-add -l");
        screen.wait_for_text(&format!(" {way}-second (ED25519)"));
        host.tmux(["kill-pane", "-t", &window]);
    }
}
