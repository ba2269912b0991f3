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

    /// The lines of a list, for who cleans up: what cannot be listed is said and left, since a test that fails already would
    /// take all others with it if it panicked once more.
    pub fn left_over<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Vec<String> {
        let output = Self::output(arguments);
        if !output.status.success() {
            eprintln!("docker does not say what is left: {}", String::from_utf8_lossy(&output.stderr).trim_end());
        }
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    #[track_caller]
    pub fn inspect(name: &str, format: &str) -> String {
        // Podman writes an image's name in full.
        Self::run(["inspect", "--format", format, name]).replace("docker.io/library/", "")
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

    /// The engine's own program for a container's first process; `None` where it has none of its own.
    pub fn init() -> Option<String> {
        Some(Self::run(["info", "--format", "{{.InitBinary}}"])).filter(|init| !init.is_empty())
    }

    /// Whether it is podman that answers: for what that says in other words.
    pub fn is_podman() -> bool {
        Self::run(["version", "--format", "{{(index .Server.Components 0).Name}}"]) == "Podman Engine"
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
        let listed = Self::run(list_of(kind));
        Self::of_those_below(kind, root, listed.lines().map(str::to_owned))
    }

    fn of_those_below(kind: &str, root: &Path, listed: impl Iterator<Item = String>) -> Vec<String> {
        if kind == "image" {
            return listed.filter(|id| image_is_below(id, root)).collect();
        }
        let listed = listed.filter_map(|line| serde_json::from_str::<[String; 2]>(&line).ok());
        let below = listed.filter(|[_, project]| Path::new(project).starts_with(root)).map(|[name, _]| name);
        below.filter(|name| Self::output([kind, "inspect", name]).status.success()).collect()
    }

    pub fn remove_all_below(root: &Path) {
        let left = |kind| Self::of_those_below(kind, root, Self::left_over(list_of(kind)).into_iter());
        for container in left("container") {
            Self::output(["rm", "-f", "-v", &container]);
        }
        for volume in left("volume") {
            Self::output(["volume", "rm", &volume]);
        }
        // What builds that other tests run have in common stays, since engine 20.10 fails them where it goes meanwhile.
        for image in left("image") {
            Self::output(["image", "rm", "--force", "--no-prune", &image]);
        }
    }
}

/// What lists the engine's containers or volumes with their projects, a pair in a line, or its images.
///
/// Of the first two a list has it, which never waits for one of them as `inspect` does. What is just being made is in the
/// list, too, before anybody can do something with it.
fn list_of(kind: &str) -> Vec<&str> {
    let ours = ["ls", "--filter", "label=wharf=true", "--format"];
    let rest: &[&str] = match kind {
        "image" => &["{{.ID}}"],
        "container" => &["[{{json .Names}}, {{json (.Label \"wharf.project\")}}]", "--all"],
        _ => &["[{{json .Name}}, {{json (.Label \"wharf.project\")}}]"],
    };
    [&[kind], &ours[..], rest].concat()
}

fn image_is_below(id: &str, root: &Path) -> bool {
    let label = "{{json (index .Config.Labels \"wharf.project\")}}";
    let project = Docker::output(["image", "inspect", "--format", label, id]);
    serde_json::from_slice::<String>(&project.stdout).is_ok_and(|project| Path::new(&project).starts_with(root))
}
