//! docker's own client: a second opinion on what the engine holds.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use super::program::{printed_by, run};

pub struct Docker;

impl Docker {
    pub fn output<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
        run(Command::new("docker").args(arguments))
    }

    /// Expects success; gives standard output without its last newline.
    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> String {
        printed_by(Command::new("docker").args(arguments)).trim_end_matches('\n').to_owned()
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
    #[track_caller]
    pub fn below(kind: &str, root: &Path) -> Vec<String> {
        // Of containers and volumes a list has it, which never waits for one of them as `inspect` does. What is just being made
        // is in the list, too, before anybody can do something with it.
        let project = match kind {
            "image" => return Self::images_below(root),
            "container" => "[{{json .Names}}, {{json (.Label \"wharf.project\")}}]",
            _ => "[{{json .Name}}, {{json (.Label \"wharf.project\")}}]",
        };
        let all: &[&str] = if kind == "container" { &["--all"] } else { &[] };
        let listed = [kind, "ls", "--filter", "label=wharf=true", "--format", project];
        let listed = Self::run(listed.iter().chain(all));
        let listed = listed.lines().map(|line| serde_json::from_str::<[String; 2]>(line).unwrap());
        let below = listed.filter(|[_, project]| Path::new(project).starts_with(root)).map(|[name, _]| name);
        below.filter(|name| Self::output([kind, "inspect", name]).status.success()).collect()
    }

    fn images_below(root: &Path) -> Vec<String> {
        let is_below = |id: &String| {
            let project = Self::output(["image", "inspect", "--format", "{{json (index .Config.Labels \"wharf.project\")}}", id]);
            serde_json::from_slice::<String>(&project.stdout).is_ok_and(|project| Path::new(&project).starts_with(root))
        };
        Self::names_of("image", "label=wharf=true").into_iter().filter(is_below).collect()
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
