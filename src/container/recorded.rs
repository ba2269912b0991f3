//! The configuration that a container was made with, as it is kept on the container: to say later what has changed.

use serde::{Deserialize, Serialize};

use crate::cli::Creation;
use crate::config::{AUTO, Choice, Config, Gpus, Image, Machine, OnExit, SessionVariable, Source, User, Variable, Volume};
use crate::digest::short_sha256;
use crate::quote;

/// What of the command line counted when a container was made. It stays so: a flag that is not there the next time is no change.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flags {
    #[serde(skip_serializing_if = "is_not")]
    pub image: bool,
    #[serde(skip_serializing_if = "is_not")]
    pub workspace: bool,
    #[serde(skip_serializing_if = "is_not")]
    pub read_only: bool,
    #[serde(skip_serializing_if = "is_not")]
    pub on_exit: bool,
    #[serde(skip_serializing_if = "is_not")]
    pub ssh_port: bool,
    #[serde(skip_serializing_if = "is_not")]
    pub auto_ports: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Which devcontainer.json was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
}

impl Flags {
    pub fn choice(&self) -> Choice<'_> {
        Choice { profile: self.profile.as_deref(), devcontainer: self.config.as_deref() }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it")]
fn is_not(flag: &bool) -> bool {
    !flag
}

/// What counts of a configuration for a container, each key with its value. Where a value was written does not change it, and
/// neither does what an inherited variable holds, which is nobody's to read here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedConfig {
    #[serde(default)]
    pub flags: Flags,
    #[serde(default)]
    keys: Vec<(String, String)>,
}

impl RecordedConfig {
    /// Of what flags say there is no key.
    pub fn of(config: &Config, flags: Flags) -> Self {
        let mut keys: Vec<(String, String)> = Vec::new();
        let mut say = |key: &str, value: String| keys.push((key.to_owned(), value));
        match &config.image.value {
            _ if flags.image => {}
            Image::Named(name) => say("image", name.clone()),
            Image::Built(build) => {
                say("build", build.path.clone());
                build.context.iter().for_each(|context| say("build context", context.clone()));
                build.target.iter().for_each(|target| say("build target", target.clone()));
                build.arguments.iter().for_each(|(name, value)| say(&format!("build arg {name}"), value.clone()));
                build.cache_from.iter().for_each(|image| say(&format!("build cache-from {image}"), "used".to_owned()));
            }
        }
        for feature in &config.features {
            let options = feature.options.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            say(&format!("feature {}", feature.id), if options.is_empty() { "installed".to_owned() } else { options.join(" ") });
        }
        if let Some(workspace) = config.workspace.as_ref().filter(|_| !flags.workspace) {
            say("workspace", workspace.value.clone());
        }
        config.directory.iter().for_each(|directory| say("directory", directory.value.clone()));
        say(
            "user",
            match &config.user.value {
                User::Host => "host".to_owned(),
                User::Root => "root".to_owned(),
                User::Named(name) => name.clone(),
                User::Mapped(name) => format!("{name} (with the host's ids)"),
                User::Image { is_mapped: false } => "the image's".to_owned(),
                User::Image { is_mapped: true } => "the image's (with the host's ids)".to_owned(),
            },
        );
        if config.sudo.value {
            say("sudo", "works".to_owned());
        }
        if let Some(shell) = &config.shell {
            say("shell", shell.value.clone());
        }
        for Variable { name, value, written } in config.env.iter().map(|variable| &variable.value) {
            let value = written.clone().or_else(|| value.clone()).unwrap_or_else(|| "inherited".to_owned());
            say(&format!("env {name}"), value);
        }
        for SessionVariable { name, value, written } in config.session_env.iter().map(|variable| &variable.value) {
            let value = written.clone().or_else(|| value.clone()).unwrap_or_else(|| "unset".to_owned());
            say(&format!("session-env {name}"), value);
        }
        for mount in &config.mounts {
            let read_only = if mount.readonly { " (read-only)" } else { "" };
            say(&format!("mount {}", mount.target), format!("{}{read_only}", mount.source));
        }
        config.volumes.iter().for_each(|volume| say(&format!("volume {}", volume.target), volume_name(volume)));
        for port in &config.ports {
            let host = if port.host == AUTO || flags.auto_ports { "auto".to_owned() } else { port.host.to_string() };
            say(&format!("port {}", port.container), format!("{}:{host}", port.address));
        }
        if let Some(ssh) = &config.ssh {
            say("ssh", ssh.port.map_or_else(|| "any port".to_owned(), |port| port.to_string()));
        }
        if !flags.on_exit {
            say(
                "on-exit",
                match config.on_exit.value {
                    OnExit::Keep => "keep",
                    OnExit::Stop => "stop",
                    OnExit::Remove => "remove",
                }
                .to_owned(),
            );
        }
        if let Some(network) = &config.network {
            say("network", network.value.clone());
        }
        if config.privileged.as_ref().is_some_and(|privileged| privileged.value) {
            say("privileged", "yes".to_owned());
        }
        config.security.iter().for_each(|option| say(&format!("security-opt {}", option.0), "there".to_owned()));
        if let Some(limit) = &config.stop_timeout {
            say("stop-timeout", limit.value.to_string());
        }
        config.masks.iter().for_each(|mask| say(&format!("mask {}", mask.0), "hidden".to_owned()));
        let limits = &config.limits;
        let size = |bytes: u64| bytesize::ByteSize(bytes).display().iec().to_string();
        let values = [
            ("memory", limits.memory.as_ref().map(|memory| size(memory.value))),
            ("cpus", limits.cpus.as_ref().map(|cpus| cpus.value.to_string())),
            ("pids", limits.pids.as_ref().map(|pids| pids.value.to_string())),
            ("shm", limits.shm.as_ref().map(|shm| size(shm.value))),
            (
                "gpus",
                limits.gpus.as_ref().map(|gpus| match gpus.value {
                    Gpus::All => "all".to_owned(),
                    Gpus::Count(count) => count.to_string(),
                    Gpus::Optional => "optional".to_owned(),
                }),
            ),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                say(&format!("limits {name}"), value);
            }
        }
        keys.extend(of_machine(&config.machine));
        Self { flags, keys }
    }

    /// What the command line says that made this configuration.
    pub fn flags_of(config: &Config, creation: &Creation) -> Flags {
        let is_flag = |from: &Source| matches!(from, Source::Flag(_));
        Flags {
            image: is_flag(&config.image.from),
            workspace: config.workspace.as_ref().is_some_and(|workspace| is_flag(&workspace.from)),
            read_only: creation.read_only,
            on_exit: is_flag(&config.on_exit.from),
            ssh_port: creation.ssh_port.is_some(),
            auto_ports: creation.auto_ports,
            profile: creation.profile.clone(),
            config: creation.config.clone(),
        }
    }

    /// As a label holds it.
    pub fn to_label(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn from_label(label: &str) -> Option<Self> {
        serde_json::from_str(label).ok()
    }

    /// The first 12 hex digits of its SHA-256.
    pub fn hash(&self) -> String {
        short_sha256(&self.to_label())
    }

    /// What is different in another one, key by key; not of the keys `but`.
    pub fn differences(&self, new: &Self, but: &[&str]) -> Vec<String> {
        let find = |of: &Self, key: &str| of.keys.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
        let removed = self.keys.iter().filter(|(key, _)| find(new, key).is_none());
        let all = new.keys.iter().chain(removed).filter(|(key, _)| !but.contains(&key.as_str()));
        let line = |(key, _): &(String, String)| {
            let change = match (find(self, key), find(new, key)) {
                (Some(old), Some(new)) if old == new => return None,
                (Some(old), Some(new)) => format!("{old} → {new}"),
                (None, Some(new)) => format!("added ({new})"),
                _ => "removed".to_owned(),
            };
            Some(quote::printable(&format!("{key}: {change}")))
        };
        all.filter_map(line).collect()
    }
}

fn volume_name(volume: &Volume) -> String {
    format!("{}{}", volume.name, if volume.is_shared { " (shared)" } else { "" })
}

fn of_machine(machine: &Machine) -> Vec<(String, String)> {
    let there = || "there".to_owned();
    let ulimits = machine.ulimits.iter().map(|it| (format!("ulimit {}", it.name), format!("{}:{}", it.soft, it.hard)));
    let tmpfs = machine.tmpfs.iter().map(|it| {
        let size = it.size.map(|size| bytesize::ByteSize(size).display().iec().to_string());
        (format!("tmpfs {}", it.target), size.unwrap_or_else(there))
    });
    let devices = machine.devices.iter().map(|it| (format!("device {}", it.path), there()));
    let capabilities = machine.capabilities.iter().map(|it| (format!("capability {}", it.name), there()));
    let hosts = machine.hosts.iter().map(|it| (format!("host {}", it.name), it.address.to_string()));
    let dns = machine.dns.iter().map(|it| (format!("dns {}", it.address), there()));
    let hostname = machine.hostname.iter().map(|it| ("hostname".to_owned(), it.value.clone()));
    let access = machine.host_access.iter().filter(|it| it.value).map(|_| ("host-access".to_owned(), there()));
    ulimits.chain(tmpfs).chain(devices).chain(capabilities).chain(hosts).chain(dns).chain(hostname).chain(access).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::part_of;

    fn effective(text: &str) -> RecordedConfig {
        RecordedConfig::of(&crate::config::merge([part_of(text)]), Flags::default())
    }

    #[test]
    fn each_key_that_differs_is_a_line() {
        let old = "image \"debian\"\nenv { RUST_LOG \"debug\"; GONE \"1\"; inherit \"TOKEN\"; }\nlimits memory=\"4GiB\" cpus=2";
        for (new, lines) in [
            (old, &[][..]),
            (
                "image \"alpine\"\nenv { RUST_LOG \"info\"; TOKEN \"x\"; }\nport 3000\nlimits memory=\"8GiB\" cpus=2",
                &[
                    "image: debian → alpine",
                    "env RUST_LOG: debug → info",
                    "env TOKEN: inherited → x",
                    "port 3000: added (127.0.0.1:3000)",
                    "limits memory: 4.0 GiB → 8.0 GiB",
                    "env GONE: removed",
                ],
            ),
            (
                "build \"ci\" { target \"dev\"; arg \"A\" \"\\u{1b}[1m\"; }\nuser \"root\"\nmount \"d\" \"/d\" readonly=#true\n\
                 env { RUST_LOG \"debug\"; GONE \"1\"; inherit \"TOKEN\"; }\nvolume \"v\" \"/v\"\nlimits pids=9 gpus=\"all\"",
                &[
                    "build: added (ci)",
                    "build target: added (dev)",
                    "build arg A: added ( [1m)",
                    "user: host → root",
                    "mount /d: added (d (read-only))",
                    "volume /v: added (v)",
                    "limits pids: added (9)",
                    "limits gpus: added (all)",
                    "image: removed",
                    "limits memory: removed",
                    "limits cpus: removed",
                ],
            ),
        ] {
            let (old, new) = (effective(old), effective(new));
            assert_eq!(old.differences(&new, &[]), lines);
            assert_eq!(old.hash() == new.hash(), lines.is_empty());
            assert_eq!(RecordedConfig::from_label(&new.to_label()), Some(new));
        }
    }

    #[test]
    fn what_flags_have_said_is_no_key() {
        let config = crate::config::merge([part_of("image \"debian\"\nworkspace \"/work\"")]);
        let flags = Flags { image: true, workspace: true, on_exit: true, ..Flags::default() };
        assert_eq!(
            RecordedConfig::of(&config, flags).to_label(),
            r#"{"flags":{"image":true,"workspace":true,"on_exit":true},"keys":[["user","host"]]}"#
        );
    }

    #[test]
    fn what_is_inherited_stays_where_it_is() {
        let label = effective("env { inherit \"TOKEN\"; }").to_label();
        assert!(label.contains(r#"["env TOKEN","inherited"]"#), "{label}");
    }
}
