//! What of a machine a container gets beside files and ports: devices, capabilities, resource limits, names and addresses.

use std::net::IpAddr;

use kdl::KdlValue;
use serde::Serialize;

use super::fields::{Fields, add, sourced};
use super::forbidden;
use super::keyed::keyed;

use super::source::{Source, Sourced};
use super::value::{self, Read};
use super::wrong::Wrong;
use crate::nearest::nearest;

/// The keys that are read here.
pub const KEYS: [&str; 8] = ["ulimit", "tmpfs", "device", "capability", "host", "dns", "hostname", "host-access"];

/// What getrlimit(2) knows and engines take.
const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// What capabilities(7) knows.
const CAPABILITIES: [&str; 31] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_CHROOT",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RESOURCE",
    "SYS_TTY_CONFIG",
];

const UNLIMITED: i64 = -1;

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Machine {
    pub ulimits: Vec<Sourced<Ulimit>>,
    pub tmpfs: Vec<Sourced<Tmpfs>>,
    pub devices: Vec<Sourced<Device>>,
    pub capabilities: Vec<Sourced<Capability>>,
    pub hosts: Vec<Sourced<Host>>,
    pub dns: Vec<Sourced<Dns>>,
    pub hostname: Option<Sourced<String>>,
    pub host_access: Option<Sourced<bool>>,
}

/// A resource limit of each process (setrlimit(2)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ulimit {
    pub name: &'static str,
    /// -1 for none.
    pub soft: i64,
    pub hard: i64,
}

/// An empty directory in memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tmpfs {
    pub target: String,
    /// In bytes; half of the machine's memory where `None`.
    pub size: Option<u64>,
}

/// A device of the host, at the same path in the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Device {
    pub path: String,
}

/// Of capabilities(7), without `CAP_`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capability {
    pub name: &'static str,
}

/// An entry of the container's hosts(5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Host {
    pub name: String,
    pub address: IpAddr,
}

/// A server that names are asked of, in place of the engine's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dns {
    pub address: IpAddr,
}

keyed! {
    Ulimit: name;
    Tmpfs: target;
    Device: path;
    Capability: name;
    Host: name;
    Dns: address;
}

impl Machine {
    /// Reads one of [`KEYS`].
    pub fn read(&mut self, key: &str, fields: &mut Fields, source: &Source) {
        match key {
            "ulimit" => {
                let ulimit = ulimit(fields);
                add(&mut self.ulimits, ulimit, source, fields);
            }
            "tmpfs" => {
                let target = fields.argument("a path", value::container_path);
                let size = fields.property("size", value::bytes);
                add(&mut self.tmpfs, target.map(|target| Tmpfs { target, size }), source, fields);
            }
            "device" => {
                let path = fields.argument("the path of a device", device_path);
                add(&mut self.devices, path.map(|path| Device { path }), source, fields);
            }
            "capability" => {
                let name = fields.argument("the name of a capability", capability);
                add(&mut self.capabilities, name.map(|name| Capability { name }), source, fields);
            }
            "host" => {
                let host = fields.argument("a name", host_name).zip(fields.argument("an address", address));
                add(&mut self.hosts, host.map(|(name, address)| Host { name, address }), source, fields);
            }
            "dns" => {
                for address in fields.arguments("the address of a server", address).unwrap_or_default() {
                    add(&mut self.dns, Some(Dns { address }), source, fields);
                }
            }
            "hostname" => {
                let name = fields.argument("a name", own_name);
                fields.set(&mut self.hostname, sourced(name, source));
            }
            _ => {
                let access = fields.argument("`#true` or `#false`", value::boolean);
                fields.set(&mut self.host_access, sourced(access, source));
            }
        }
    }

    /// What of this stays inside the container. `waits` hears of what does not: devices and the rights to use them, limits that
    /// a whole machine shares, and the host's own services.
    pub fn inside_only(self, waits: &mut impl FnMut(&Source)) -> Self {
        self.ulimits.iter().for_each(|it| waits(&it.from));
        self.devices.iter().for_each(|it| waits(&it.from));
        self.capabilities.iter().for_each(|it| waits(&it.from));
        self.host_access.iter().for_each(|it| waits(&it.from));
        Self { tmpfs: self.tmpfs, hosts: self.hosts, dns: self.dns, hostname: self.hostname, ..Self::default() }
    }
}

fn ulimit(fields: &mut Fields) -> Option<Ulimit> {
    let names = ULIMITS.map(|name| (name, name));
    let name = fields.argument("the name of a limit", |value| value::one_of(value, &names));
    let soft = fields.argument("a number", limit);
    let hard = fields.property("hard", limit);
    let (name, soft) = name.zip(soft)?;
    let hard = hard.unwrap_or(soft);
    if hard != UNLIMITED && (soft > hard || soft == UNLIMITED) {
        fields.wrong_node(Wrong::new("the limit is above `hard`, which it can't be", "write `hard` as large, or leave it out"));
    }
    Some(Ulimit { name, soft, hard })
}

fn limit(value: &KdlValue) -> Read<i64> {
    if value.as_string() == Some("unlimited") {
        return Ok(UNLIMITED);
    }
    let limit = value.as_integer().and_then(|limit| i64::try_from(limit).ok()).filter(|&limit| limit >= 0);
    limit.ok_or_else(|| Wrong::new(format!("{value} is not a limit"), "write a number from 0, or \"unlimited\""))
}

fn device_path(value: &KdlValue) -> Read<String> {
    let path = value::container_path(value)?;
    if let Some(wrong) = forbidden::device(&path) {
        Err(wrong)
    } else if path.starts_with("/dev/") {
        Ok(path)
    } else {
        Err(Wrong::new(format!("`{path}` is not the path of a device"), "devices are below `/dev`, as \"/dev/kvm\""))
    }
}

fn capability(value: &KdlValue) -> Read<&'static str> {
    let text = value::text(value)?;
    let name = text.strip_prefix("CAP_").unwrap_or(&text);
    if let Some(wrong) = forbidden::capability(name) {
        return Err(wrong);
    }
    let known = CAPABILITIES.iter().find(|known| **known == name);
    known.copied().ok_or_else(|| {
        let nearest = nearest(name, CAPABILITIES.iter().copied());
        let hint = nearest.map_or_else(|| "see capabilities(7)".to_owned(), |nearest| format!("did you mean \"{nearest}\"?"));
        Wrong::new(format!("`{text}` is not a capability"), hint)
    })
}

/// A name that other machines may have.
fn host_name(value: &KdlValue) -> Read<String> {
    let text = value::text(value)?;
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if text.len() <= 253 && text.split('.').all(is_label) {
        Ok(text)
    } else {
        Err(Wrong::new(format!("`{text}` is not the name of a machine"), "use letters, digits, `-` and `.`, as \"db.test\""))
    }
}

/// The container's own.
fn own_name(value: &KdlValue) -> Read<String> {
    let name = host_name(value)?;
    // What the kernel keeps (uname(2)).
    if name.len() <= 64 { Ok(name) } else { Err(Wrong::new("this is too long", "the most is 64 characters")) }
}

fn address(value: &KdlValue) -> Read<IpAddr> {
    let text = value::text(value)?;
    let hint = "write an IP address, as \"10.0.0.5\"; for services of this machine, `host-access #true`";
    text.parse().map_err(|_| Wrong::new(format!("`{text}` is not an address"), hint))
}
