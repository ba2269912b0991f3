//! What may never be configured, and why.

use std::path::{Path, PathBuf};

use super::wrong::Wrong;
use crate::project;

pub const NETWORK: &str = "a container in the host's network reaches every service that the host keeps to itself";
pub const ENGINES_OWN: &str = "it is one of the engine's own, in which no container has a name";
pub const ENGINE: &str = "who reaches the engine's socket is root on the host";
const HOST: &str = "with it, a container is no boundary between what runs in it and the host";

/// Keys that other tools have, and wharf never will.
const KEYS: [(&str, &str); 9] = [
    ("privileged", HOST),
    ("pid", HOST),
    ("ipc", HOST),
    ("userns", HOST),
    ("uts", HOST),
    ("cgroupns", HOST),
    ("security-opt", HOST),
    ("runtime", HOST),
    ("docker-args", HOST),
];

/// Capabilities with which the kernel itself is within reach, and with it the host.
const CAPABILITIES: [&str; 9] =
    ["ALL", "BPF", "DAC_READ_SEARCH", "MAC_ADMIN", "MAC_OVERRIDE", "SYS_ADMIN", "SYS_BOOT", "SYS_MODULE", "SYS_RAWIO"];

/// The file names of engines' sockets, wherever they are.
const SOCKETS: [&str; 4] = ["docker.sock", "podman.sock", "containerd.sock", "crio.sock"];
/// Where they are.
const USUAL: [&str; 4] =
    ["/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock"];

pub fn because(what: &str, reason: &str) -> Wrong {
    Wrong::new(format!("`{what}` can't be configured: {reason}"), "remove it; nothing makes wharf do this")
}

pub fn key(name: &str) -> Option<Wrong> {
    KEYS.iter().find(|(key, _)| *key == name).map(|(key, reason)| because(key, reason))
}

pub fn device(path: &str) -> Option<Wrong> {
    ["/dev/mem", "/dev/kmem", "/dev/port"].contains(&path).then(|| because(&format!("device \"{path}\""), HOST))
}

pub fn capability(name: &str) -> Option<Wrong> {
    CAPABILITIES.contains(&name).then(|| because(&format!("capability \"{name}\""), HOST))
}

/// Whether a path of the host, mounted, would lead to an engine's socket. `sockets` are those in use. Symbolic links are not
/// followed here: see `resources`.
pub fn mount(source: &Path, sockets: &[PathBuf]) -> Option<Wrong> {
    leads_to_engine(source, sockets).then(|| because(&format!("mount \"{}\"", source.display()), ENGINE))
}

pub fn leads_to_engine(source: &Path, sockets: &[PathBuf]) -> bool {
    let path = without_old_names(source);
    let is_named = path.file_name().is_some_and(|name| SOCKETS.iter().any(|socket| name == *socket));
    let leads_to = |socket: &Path| socket.starts_with(&path) && path.is_absolute();
    let leads = USUAL.iter().any(|socket| leads_to(Path::new(socket)))
        || sockets.iter().any(|socket| leads_to(&without_old_names(socket)));
    is_named || leads
}

/// Without `.`, `..` and the old name of `/run`.
fn without_old_names(path: &Path) -> PathBuf {
    let normal = project::normal(path);
    match normal.strip_prefix("/var/run") {
        Ok(rest) => Path::new("/run").join(rest),
        Err(_) => normal,
    }
}
