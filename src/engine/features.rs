//! What an engine is and can do. It is asked once, and nothing but this says where engines differ.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Engine;
use crate::error::{Error, Result};

/// What an engine says of itself.
#[expect(clippy::struct_excessive_bools, reason = "each is something that it can do or not")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    pub kind: Kind,
    /// As in `28.3.2`.
    pub version: String,
    /// Whether an ordinary user runs it.
    pub rootless: bool,
    /// How users of a container are users of the machine.
    pub users: Users,
    pub image_store: ImageStore,
    /// Whether it has a program that reaps processes and passes signals on, as a container's first process.
    pub has_init: bool,
    pub cgroups: Cgroups,
    /// Whether what a container mounts needs a label that lets it read that (SELinux).
    pub labels_mounts: bool,
    /// Whether it can hand GPUs to a container.
    pub has_gpus: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Docker,
    Podman,
}

/// How the ids of a container's users are ids of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// They are the same.
    Same,
    /// A container can have the person under their own id, or any other: podman's `keep-id`.
    Kept,
    /// The person is root in a container, and nobody else there is them.
    RootIsPerson,
    /// All of them are others (`userns-remap`).
    Remapped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageStore {
    /// The engine's own.
    Own,
    /// containerd's.
    Containerd,
}

/// What a container's use of the machine can be limited by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cgroups {
    pub memory: bool,
    pub cpus: bool,
    pub pids: bool,
}

/// The answer at `/info`, as far as it counts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Info {
    server_version: String,
    /// Only podman says which library it builds images with.
    buildah_version: Option<String>,
    security_options: Option<Vec<String>>,
    driver_status: Option<Vec<(String, String)>>,
    init_binary: String,
    cgroup_driver: String,
    cgroup_version: String,
    memory_limit: bool,
    cpu_cfs_quota: bool,
    pids_limit: bool,
    runtimes: Option<serde_json::Map<String, serde_json::Value>>,
    /// Where descriptions of devices are, and which devices there are by them (engine 25 and 28).
    #[serde(rename = "CDISpecDirs")]
    spec_dirs: Option<Vec<IgnoredAny>>,
    discovered_devices: Option<Vec<IgnoredAny>>,
}

impl Info {
    fn features(self) -> Features {
        let kind = if self.buildah_version.is_some() { Kind::Podman } else { Kind::Docker };
        let rootless = self.is_secured_by("rootless");
        let is_remapped = self.is_secured_by("userns");
        let has_containerds = self.driver_status.iter().flatten().any(|(name, _)| name == "driver-type");
        // A rootless engine has no cgroups of its own unless systemd has given it some, which takes their version 2. (Podman says
        // of the others that there are limits, and ignores them.)
        let has_cgroups = self.cgroup_driver != "none" && !(rootless && self.cgroup_version == "1");
        Features {
            kind,
            rootless,
            users: match (kind, rootless) {
                (Kind::Podman, true) => Users::Kept,
                (Kind::Docker, true) => Users::RootIsPerson,
                (_, false) if is_remapped => Users::Remapped,
                (_, false) => Users::Same,
            },
            image_store: if has_containerds { ImageStore::Containerd } else { ImageStore::Own },
            // Podman names none, and has one where a package that it only recommends is installed.
            has_init: kind == Kind::Docker && !self.init_binary.is_empty(),
            cgroups: Cgroups {
                memory: has_cgroups && self.memory_limit,
                cpus: has_cgroups && self.cpu_cfs_quota,
                pids: has_cgroups && self.pids_limit,
            },
            labels_mounts: self.is_secured_by("selinux"),
            has_gpus: self.has_gpus(),
            version: self.server_version,
        }
    }

    fn is_secured_by(&self, what: &str) -> bool {
        let named = |option: &String| option.split(',').any(|part| part == format!("name={what}"));
        self.security_options.iter().flatten().any(named)
    }

    fn has_gpus(&self) -> bool {
        let has_some = |list: &Option<Vec<IgnoredAny>>| list.as_ref().is_some_and(|list| !list.is_empty());
        let has_runtime = self.runtimes.as_ref().is_some_and(|runtimes| runtimes.contains_key("nvidia"));
        has_runtime || has_some(&self.spec_dirs) || has_some(&self.discovered_devices)
    }
}

impl Features {
    /// How a container that runs as this user (`uid`, `gid`) has to be given its ids, for the person's files to be that user's.
    pub fn user_namespace(&self, uid: u32, gid: u32) -> Option<String> {
        // Root is the person already.
        (self.users == Users::Kept && uid != 0).then(|| format!("keep-id:uid={uid},gid={gid}"))
    }
}

impl Engine {
    /// What it is and can do; the engine is asked the first time.
    pub async fn features(&self) -> Result<&Features> {
        self.features.get_or_try_init(|| Box::pin(self.ask_for_features())).await
    }

    async fn ask_for_features(&self) -> Result<Features> {
        let action = "ask the engine what it can do";
        // Podman looks at all that it has for this.
        let answer = self.get(super::WORK, action, "/info").await?;
        let info: Info = serde_json::from_slice(&answer).map_err(|error| Error::Engine {
            action: action.to_owned(),
            message: format!("its answer does not read as one: {error}"),
            status: None,
        })?;
        Ok(info.features())
    }
}

impl fmt::Display for Features {
    /// As in `rootless podman 5.4.2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.rootless { "rootless " } else { "" };
        write!(f, "{mode}{} {}", self.kind, self.version)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "Docker",
            Self::Podman => "podman",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(info: &str) -> Features {
        serde_json::from_str::<Info>(info).unwrap().features()
    }

    #[test]
    fn what_engines_say_of_themselves() {
        let docker = features(
            r#"{"ServerVersion":"20.10.24","SecurityOptions":["name=seccomp,profile=default"],"InitBinary":"docker-init",
                "DriverStatus":[["Backing Filesystem","extfs"]],"CgroupDriver":"cgroupfs","MemoryLimit":true,"PidsLimit":true}"#,
        );
        assert_eq!((docker.to_string().as_str(), docker.users, docker.has_init), ("Docker 20.10.24", Users::Same, true));
        assert_eq!(docker.cgroups, Cgroups { memory: true, cpus: false, pids: true });
        let podman = features(
            r#"{"ServerVersion":"5.4.2","BuildahVersion":"1.39.3","SecurityOptions":["name=seccomp,profile=default","name=rootless"],
                "InitBinary":"","CgroupDriver":"cgroupfs","MemoryLimit":true}"#,
        );
        assert_eq!((podman.to_string().as_str(), podman.users, podman.has_init), ("rootless podman 5.4.2", Users::Kept, false));
        let rootless = features(
            r#"{"ServerVersion":"28.5.2","SecurityOptions":["name=rootless","name=selinux"],"CgroupDriver":"none","PidsLimit":true,
                "InitBinary":"docker-init","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]}"#,
        );
        assert_eq!((rootless.users, rootless.image_store), (Users::RootIsPerson, ImageStore::Containerd));
        assert!(rootless.labels_mounts && !rootless.cgroups.pids);
        assert_eq!(features(r#"{"SecurityOptions":["name=userns"]}"#).users, Users::Remapped);
    }

    #[test]
    fn a_runtime_or_descriptions_of_devices_are_a_way_to_gpus() {
        for (info, expected) in [
            ("{}", false),
            (r#"{"Runtimes":{"runc":{"path":"runc"}},"CDISpecDirs":[],"DiscoveredDevices":null}"#, false),
            (r#"{"Runtimes":{"runc":{},"nvidia":{"path":"nvidia-container-runtime"}}}"#, true),
            (r#"{"Runtimes":null,"CDISpecDirs":["/etc/cdi"]}"#, true),
            (r#"{"DiscoveredDevices":[{"Source":"cdi","ID":"nvidia.com/gpu=0"}]}"#, true),
        ] {
            assert_eq!(features(info).has_gpus, expected, "{info}");
        }
    }
}
