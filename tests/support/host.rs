//! The host's tmux as a person has it: a private server with the plugin loaded, and a client that a second private server
//! shows, so that keys can be pressed and the whole screen read back.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::{printed_by, run};
use super::world::{World, binary};
use super::{wait_for, wait_until};

pub struct Host<'a> {
    world: &'a World,
    socket: PathBuf,
    screens: PathBuf,
}

/// One client's terminal.
pub struct Screen<'a> {
    host: &'a Host<'a>,
    pane: String,
}

impl<'a> Host<'a> {
    /// With the plugin's keys.
    pub fn start(world: &'a World) -> Self {
        let host = Self::bare(world);
        host.tmux(["run-shell", &format!("'{}' setup", binary().display())]);
        host
    }

    /// Without the plugin.
    pub fn bare(world: &'a World) -> Self {
        let host = Self { world, socket: world.root().join("host.sock"), screens: world.root().join("screens.sock") };
        host.start_server("main", &world.project("elsewhere"));
        host
    }

    /// A new session, and with it the server where none runs.
    #[track_caller]
    pub fn start_server(&self, session: &str, directory: &Path) {
        let mut tmux = self.command(&self.socket);
        // A window's name is what the test gave it; a shell with no files of its own starts at once.
        let config = "set -g default-shell /bin/sh; set -g status-interval 0; set -g escape-time 0; set -s exit-empty off";
        let file = self.world.root().join("host.conf");
        std::fs::write(&file, config.replace("; ", "\n")).unwrap();
        tmux.arg("-f").arg(file).args(["new-session", "-d", "-s", session, "-x", "100", "-y", "24", "-c"]).arg(directory);
        printed_by(&mut tmux);
    }

    fn command(&self, socket: &Path) -> Command {
        let mut command = self.world.command("tmux");
        command.arg("-u").arg("-S").arg(socket);
        command
    }

    /// Runs a command of the host's tmux; gives what it printed.
    #[track_caller]
    pub fn tmux<S: AsRef<std::ffi::OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        printed_by(self.command(&self.socket).args(arguments)).trim_end_matches('\n').to_owned()
    }

    /// A new window with a shell in this directory, whatever the directory's name is.
    #[track_caller]
    pub fn open_shell_in(&self, directory: &Path) {
        let shell = ["new-window", "-t", "main:", "env", "-C"].map(std::ffi::OsStr::new);
        self.tmux(shell.into_iter().chain([directory.as_os_str(), "sh".as_ref()]));
        wait_until("the shell's directory", || {
            self.tmux(["display-message", "-p", "#{pane_current_path}"]) == directory.to_str().unwrap()
        });
    }

    /// The `TMUX` variable, for a wharf that is to run in this server.
    pub fn variable(&self) -> String {
        self.tmux(["display-message", "-p", "#{socket_path},#{pid},0"])
    }

    /// A client attached to a session, 100 by 24 cells.
    #[track_caller]
    pub fn attach(&'a self, session: &str) -> Screen<'a> {
        let attach = ["tmux", "-u", "-S", self.socket.to_str().unwrap(), "attach-session", "-t", session];
        let exists = run(self.command(&self.screens).args(["has-session", "-t", "screens"])).status.success();
        let open: &[&str] = if exists {
            &["new-window", "-P", "-F", "#{pane_id}", "-t", "screens:", "--"]
        } else {
            &["-f", "/dev/null", "new-session", "-d", "-s", "screens", "-x", "100", "-y", "24", "-P", "-F", "#{pane_id}", "--"]
        };
        let pane = printed_by(self.command(&self.screens).args(open).args(["env", "-u", "TMUX"]).args(attach)).trim().to_owned();
        let screen = Screen { host: self, pane };
        screen.wait_for_text(&format!("[{session}]"));
        screen
    }

    /// Ends the server as a crash or a logout would.
    pub fn kill_server(&self) {
        run(self.command(&self.socket).arg("kill-server"));
        wait_until("the server's end", || !run(self.command(&self.socket).arg("list-sessions")).status.success());
    }

    /// `format` of each window that belongs to a project, in the order of sessions and windows.
    pub fn windows(&self, format: &str) -> Vec<String> {
        let format = format!("#{{?#{{@wharf_project}},yes,no}} {format}");
        let listed = self.tmux(["list-windows", "-a", "-F", &format]);
        listed.lines().filter_map(|line| line.strip_prefix("yes ")).map(str::to_owned).collect()
    }
}

impl Drop for Host<'_> {
    fn drop(&mut self) {
        for socket in [&self.screens, &self.socket] {
            run(self.command(socket).arg("kill-server"));
        }
    }
}

impl Screen<'_> {
    fn tmux(&self, arguments: &[&str]) -> String {
        printed_by(self.host.command(&self.host.screens).args(arguments))
    }

    /// Presses keys, as `send-keys` names them.
    pub fn press(&self, keys: &[&str]) {
        let mut arguments = vec!["send-keys", "-t", &self.pane];
        arguments.extend(keys);
        self.tmux(&arguments);
    }

    /// Types text and presses Enter.
    pub fn type_line(&self, text: &str) {
        self.tmux(&["send-keys", "-t", &self.pane, "-l", text]);
        self.press(&["Enter"]);
    }

    /// Types text, and leaves it at that.
    pub fn type_text(&self, text: &str) {
        self.tmux(&["send-keys", "-t", &self.pane, "-l", text]);
    }

    /// Clicks on a cell, as a terminal reports it; columns and rows count from 0.
    pub fn click(&self, column: usize, row: usize) {
        self.mouse(0, column, row);
        self.type_text(&format!("\x1b[<0;{};{}m", column + 1, row + 1));
    }

    /// Turns the wheel down above a cell.
    pub fn wheel_down(&self, column: usize, row: usize) {
        self.mouse(65, column, row);
    }

    fn mouse(&self, button: u8, column: usize, row: usize) {
        self.type_text(&format!("\x1b[<{button};{};{}M", column + 1, row + 1));
    }

    /// Gives the client's terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.tmux(&["resize-window", "-t", &self.pane, "-x", &columns.to_string(), "-y", &rows.to_string()]);
        let size = format!("{columns}x{rows}");
        super::wait_until("the client's size", || {
            self.host.tmux(["list-clients", "-F", "#{client_width}x#{client_height}"]).lines().any(|line| line == size)
        });
    }

    /// What is shown, with the sequences that set its colours and styles.
    pub fn colours(&self) -> String {
        self.tmux(&["capture-pane", "-ep", "-t", &self.pane])
    }

    pub fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-t", &self.pane])
    }

    /// Waits for text, which may go on in the next line; gives the whole screen.
    #[track_caller]
    pub fn wait_for_text(&self, text: &str) -> String {
        let mut last = String::new();
        let found = wait_for_or(|| {
            last = self.text();
            (last.contains(text) || last.replace('\n', "").contains(text)).then(|| last.clone())
        });
        found.unwrap_or_else(|| panic!("waited in vain for {text:?} on the screen:\n{last}"))
    }

    /// Waits for the prompt of a shell in a container of the default image.
    #[track_caller]
    pub fn wait_for_prompt(&self) {
        let mut last = String::new();
        let found = wait_for_or(|| {
            last = self.text();
            // A long one goes on in the next line.
            let from = last.lines().skip_while(|line| !line.contains('@'));
            from.take_while(|line| !line.is_empty()).any(|line| line.trim_end().ends_with(['$', '#'])).then_some(())
        });
        assert!(found.is_some(), "waited in vain for a prompt on the screen:\n{last}");
    }

    /// The line that the prompt's answer is on: typed text itself does not count.
    #[track_caller]
    pub fn wait_for_line(&self, line: &str) {
        let mut last = String::new();
        let found = wait_for_or(|| {
            last = self.text();
            last.lines().any(|shown| shown.trim_end() == line).then_some(())
        });
        assert!(found.is_some(), "waited in vain for the line {line:?} on the screen:\n{last}");
    }
}

fn wait_for_or<T>(mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let start = std::time::Instant::now();
    while start.elapsed() < super::DEADLINE {
        if let Some(found) = probe() {
            return Some(found);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    None
}

/// The process that a pane runs.
pub fn pane_process(host: &Host, pane: &str) -> rustix::process::Pid {
    let id = wait_for("the pane's process", || host.tmux(["display-message", "-p", "-t", pane, "#{pane_pid}"]).parse().ok());
    rustix::process::Pid::from_raw(id).unwrap()
}
