//! docker's own client: a second opinion on what the engine holds.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

pub struct Docker;

impl Docker {
    pub fn output<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
        Command::new("docker").args(arguments).output().unwrap()
    }

    /// Expects success; gives standard output without its last newline.
    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> String {
        let output = Self::output(arguments);
        assert!(output.status.success(), "docker: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
    }

    #[track_caller]
    pub fn inspect(name: &str, format: &str) -> String {
        Self::run(["inspect", "--format", format, name])
    }

    #[track_caller]
    pub fn state(container: &str) -> String {
        Self::inspect(container, "{{.State.Status}}")
    }

    /// What a shell line prints in the container.
    #[track_caller]
    pub fn shell(container: &str, line: &str) -> String {
        Self::run(["exec", container, "sh", "-c", line])
    }

    /// What the tmux inside says. The wharf under test asks it in the same way.
    #[track_caller]
    pub fn inner_tmux(container: &str, arguments: &[&str]) -> String {
        let client = ["exec", container, "tmux", "-u", "-S", "/run/wharf/tmux.sock"];
        Self::run(client.iter().chain(arguments))
    }

    pub fn inner_clients(container: &str) -> Vec<String> {
        let listed =
            Self::output(["exec", container, "tmux", "-S", "/run/wharf/tmux.sock", "list-clients", "-F", "#{client_termname}"]);
        String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    pub fn names_of(kind: &str, filter: &str) -> Vec<String> {
        let arguments = match kind {
            "container" => vec!["ps", "-a", "--filter", filter, "--format", "{{.Names}}"],
            "image" => vec!["image", "ls", "--filter", filter, "--format", "{{.ID}}"],
            _ => vec!["volume", "ls", "--filter", filter, "--format", "{{.Name}}"],
        };
        Self::run(arguments).lines().map(str::to_owned).collect()
    }

    /// The containers, volumes or images whose project lies below a directory.
    pub fn below(kind: &str, root: &Path) -> Vec<String> {
        let is_below = |name: &String| {
            let format = if kind == "volume" { "{{json .Labels}}" } else { "{{json .Config.Labels}}" };
            let labels = Self::output([kind, "inspect", "--format", format, name]).stdout;
            let labels: Option<serde_json::Value> = serde_json::from_slice(&labels).ok();
            let project = labels.as_ref().and_then(|labels| labels["wharf.project"].as_str()).map(Path::new);
            project.is_some_and(|project| project.starts_with(root))
        };
        Self::names_of(kind, "label=wharf=true").into_iter().filter(is_below).collect()
    }

    pub fn remove_all_below(root: &Path) {
        for container in Self::below("container", root) {
            Self::output(["rm", "-f", "-v", &container]);
        }
        for volume in Self::below("volume", root) {
            Self::output(["volume", "rm", &volume]);
        }
        // What builds that other tests run have in common stays, since engine 20.10 fails them where it goes meanwhile.
        for image in Self::below("image", root) {
            Self::output(["image", "rm", "--force", "--no-prune", &image]);
        }
    }
}
