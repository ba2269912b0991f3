//! What a project's container is created as. Pure.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use crate::config::{DEFAULT_STOP_TIMEOUT, OnExit};
use crate::container::machine;
use crate::container::wanted::Wanted;
use crate::digest::short_sha256;
use crate::engine::{ContainerSpec, Features, Image, Membership, Mount, PortBinding, Tmpfs, label};
use crate::error::Result;
use crate::guest::delivery::Tools;
use crate::model::ContainerName;
use crate::paths;
use crate::project::{Masked, Project, outside_git_directory};
use crate::protocol::{HOST_DIR, LIFE_PARENT, PROJECT_VARIABLE, RUNTIME_DIR, TOOLS_DIR, sshd};

/// What the disk says of what a container gets from it.
pub struct OnDisk {
    /// What of the project it is not to see.
    pub masked: Vec<Masked>,
    /// The canonical paths of what is configured to be mounted.
    pub sources: Vec<PathBuf>,
    /// What of git lies outside the project.
    pub git_directory: Option<PathBuf>,
    /// The groups by which the person may use the devices.
    pub groups: Vec<u32>,
}

impl OnDisk {
    pub fn look(project: &Project, wanted: &Wanted) -> Result<Self> {
        Ok(Self {
            masked: wanted.resources.masked(project),
            sources: wanted.resources.sources(project)?,
            git_directory: outside_git_directory(project.path()),
            groups: machine::groups(&wanted.resources.machine),
        })
    }
}

/// What is there for a container to be made of.
pub struct Given<'a> {
    pub image: &'a Image,
    pub tools: &'a Tools,
    pub on_disk: &'a OnDisk,
    /// The volumes that were in use before.
    pub kept: &'a [String],
    /// What the engine can do.
    pub features: &'a Features,
}

/// The container of a project: the project read-write at its own path and as the working directory, run as the host's
/// user with a home that persists.
pub fn container(project: &Project, name: ContainerName, wanted: &Wanted, given: &Given) -> ContainerSpec {
    let &Given { image, tools, on_disk, features, .. } = given;
    let user = wanted.user;
    // First of all, since a volume that is made now is not to be older: see `Engine::new_volumes`.
    let mut own_labels = labels(project, &name, wanted, Some(image));
    let (mounts, tmpfs) = file_systems(project, &name, wanted, given);
    own_labels.extend(masked_label(&on_disk.masked));
    own_labels.insert(label::EFFECTIVE.to_owned(), wanted.recorded.to_label());
    own_labels.insert(label::TOOLS.to_owned(), tools.launch().to_string());
    let mut command = tools.launch().guest();
    if !features.has_init {
        command.push("init".to_owned());
        command.extend(tools.launch().guest());
    }
    let stop_timeout = wanted.resources.stop_timeout.unwrap_or(DEFAULT_STOP_TIMEOUT);
    command.extend(["hold".to_owned(), format!("--stop-timeout={}", stop_timeout.as_millis())]);
    let on_exit = if wanted.throw_away { OnExit::Keep } else { wanted.resources.on_exit };
    if wanted.throw_away {
        command.push("--once".to_owned());
        own_labels.insert(label::THROW_AWAY.to_owned(), "true".to_owned());
    } else if on_exit != OnExit::Keep {
        command.push("--until-last-session".to_owned());
        own_labels.insert(label::ON_EXIT.to_owned(), if on_exit == OnExit::Stop { "stop" } else { "remove" }.to_owned());
    }
    let network = wanted.resources.network.clone().map(|network| Membership {
        network,
        // Beside the container's name, which the engine adds. One to throw away is not who others look for.
        aliases: if wanted.throw_away { Vec::new() } else { vec![name.hostname().to_owned()] },
    });
    own_labels.extend(network.iter().map(|of| (label::NETWORK.to_owned(), of.network.clone())));
    let ssh_port = wanted.ssh_port.filter(|_| !wanted.throw_away);
    own_labels.extend(ssh_port.map(|port| (label::SSH_PORT.to_owned(), port.to_string())));
    ContainerSpec {
        image: image.name.clone(),
        labels: own_labels,
        command,
        has_own_init: !features.has_init,
        environment: environment(project, wanted, ssh_port),
        user: user.id_pair(),
        user_namespace: features.user_namespace(user.uid, user.gid),
        working_dir: workspace(project, wanted),
        mounts,
        read_only: wanted.read_only,
        auto_remove: wanted.throw_away || on_exit == OnExit::Remove,
        tmpfs,
        // The project's own container has them.
        ports: if wanted.throw_away { Vec::new() } else { ports(wanted) },
        capabilities: capabilities(wanted, ssh_port),
        gains_rights: wanted.has_sudo(),
        machine: machine::for_engine(&wanted.resources.machine, &on_disk.groups),
        limits: wanted.resources.limits.kept_by(features.cgroups).0,
        stop_timeout,
        network,
        name,
    }
}

/// Beyond what every container has.
fn capabilities(wanted: &Wanted, ssh_port: Option<u16>) -> Vec<String> {
    let of_sshd = ssh_port.filter(|_| wanted.user.uid == 0).map(|_| sshd::CAPABILITIES);
    // sudo tells the audit log of each call, and complains where it can't.
    let of_sudo = wanted.has_sudo().then_some("AUDIT_WRITE");
    let configured = wanted.resources.machine.capabilities.iter().map(|capability| capability.name);
    let mut names: Vec<&str> = of_sshd.into_iter().flatten().chain(of_sudo).chain(configured).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(str::to_owned).collect()
}

/// What is mounted, and which paths are in memory with which options.
fn file_systems(project: &Project, name: &ContainerName, wanted: &Wanted, given: &Given) -> (Vec<Mount>, HashMap<String, Tmpfs>) {
    let &Given { image, tools, on_disk, kept, .. } = given;
    let user = wanted.user;
    let workspace = workspace(project, wanted);
    // A helper has filled the others, where the container is to be read-only.
    let is_kept = |volume: &String| wanted.read_only || kept.contains(volume);
    let mut mounts = vec![
        Mount::Bind { source: project.to_string(), target: workspace.clone() },
        Mount::Bind { source: paths::shared(name, wanted.state_dir).to_string_lossy().into_owned(), target: HOST_DIR.to_owned() },
        Mount::ReadOnlyVolume { name: tools.volume().to_owned(), target: TOOLS_DIR.to_owned() },
    ];
    let runtime = Tmpfs { is_users: true, mode: Some(0o700), size: Some(16 << 20), ..Tmpfs::default() };
    let mut tmpfs = HashMap::from([(RUNTIME_DIR.to_owned(), runtime)]);
    match (wanted.throw_away, wanted.read_only) {
        (false, _) => {
            let labels = labels(project, name, wanted, None);
            let volume = name.home_volume();
            mounts.push(Mount::Volume { is_kept: is_kept(&volume), name: volume, target: user.home(), labels });
        }
        (true, false) => mounts.push(Mount::AnonymousVolume { target: user.home() }),
        // Nobody could make the volume the user's.
        (true, true) => {
            let home = Tmpfs { is_users: true, mode: Some(0o755), exec: true, ..Tmpfs::default() };
            tmpfs.insert(user.home(), home);
        }
    }
    if wanted.read_only && !wanted.throw_away {
        // Nothing else of its own is there to be written to that lives as long as it does.
        mounts.push(Mount::AnonymousVolume { target: LIFE_PARENT.to_owned() });
    }
    if wanted.read_only {
        mounts.extend(entries(&entries_directory(name, image, wanted)));
        tmpfs.insert("/tmp".to_owned(), Tmpfs { mode: Some(0o1777), ..Tmpfs::default() });
    }
    let empty = paths::empty(name, wanted.state_dir).to_string_lossy().into_owned();
    for Masked { path, is_directory } in &on_disk.masked {
        let target = Path::new(&workspace).join(path).to_string_lossy().into_owned();
        if *is_directory {
            let mask = Tmpfs { read_only: true, mode: Some(0o555), size: Some(4096), ..Tmpfs::default() };
            tmpfs.insert(target, mask);
        } else {
            mounts.push(Mount::ReadOnlyBind { source: empty.clone(), target });
        }
    }
    for (target, size) in wanted.resources.tmpfs(user) {
        tmpfs.insert(target, Tmpfs { is_users: true, mode: Some(0o755), size, exec: true, ..Tmpfs::default() });
    }
    mounts.extend(wanted.resources.mounts(&on_disk.sources, user));
    mounts.extend(wanted.resources.volumes(user).map(|(volume, target)| Mount::Volume {
        is_kept: is_kept(&project.volume(volume)),
        // Not the throw-away container's: what a volume keeps is the project's.
        name: project.volume(volume),
        target,
        labels: labels(project, &project.container_name(), wanted, None),
    }));
    let git = on_disk.git_directory.as_ref().and_then(|directory| directory.to_str()).map(str::to_owned);
    mounts.extend(git.map(|directory| Mount::Bind { target: directory.clone(), source: directory }));
    (mounts, tmpfs)
}

fn environment(project: &Project, wanted: &Wanted, ssh_port: Option<u16>) -> Vec<String> {
    let user = wanted.user;
    let mut environment = vec![
        format!("HOME={}", user.home()),
        format!("USER={}", user.name),
        format!("LOGNAME={}", user.name),
        format!("{PROJECT_VARIABLE}={project}"),
        // Whoever owns it: the project was mounted to be worked on.
        "GIT_CONFIG_COUNT=1".to_owned(),
        "GIT_CONFIG_KEY_0=safe.directory".to_owned(),
        format!("GIT_CONFIG_VALUE_0={}", workspace(project, wanted)),
    ];
    environment.extend(ssh_port.map(|port| format!("{}={port}", sshd::PORT_VARIABLE)));
    environment.extend(wanted.resources.environment.iter().cloned());
    environment
}

/// Where the files of a container are that it reads as `/etc/passwd` and `/etc/group`. One whose place it takes may have other
/// entries, and reads them for as long as it may be put back.
pub fn entries_directory(name: &ContainerName, image: &Image, wanted: &Wanted) -> PathBuf {
    let user = wanted.user;
    let of = format!("{} {} {} {}", image.id, user.id_pair(), user.name, user.home());
    paths::files(name, wanted.state_dir).join(short_sha256(&of))
}

/// What has to be there for a mask to lie over it, at each start.
fn masked_label(masked: &[Masked]) -> Option<(String, String)> {
    let paths: Vec<&Path> = masked.iter().map(|masked| masked.path.as_path()).collect();
    (!paths.is_empty()).then(|| (label::MASKED.to_owned(), serde_json::json!(paths).to_string()))
}

fn entries(directory: &Path) -> [Mount; 2] {
    [("passwd", "/etc/passwd"), ("group", "/etc/group")].map(|(file, target)| Mount::ReadOnlyBind {
        source: directory.join(file).to_string_lossy().into_owned(),
        target: target.to_owned(),
    })
}

fn ports(wanted: &Wanted) -> Vec<PortBinding> {
    let ssh = wanted.ssh_port.map(|port| PortBinding { container: port, host: port, address: Ipv4Addr::LOCALHOST.into() });
    wanted.resources.ports.iter().copied().chain(ssh).collect()
}

/// The longest name of a directory that every storage driver can make: fuse-overlayfs keeps four of 255 bytes to itself.
const MAX_NAME: usize = 251;

/// Where the project is in the container: at its own path, unless somebody wants it elsewhere, or no mount point of that
/// path can be made.
pub fn workspace(project: &Project, wanted: &Wanted) -> String {
    if let Some(workspace) = wanted.workspace {
        workspace.to_owned()
    } else if project.as_str().split('/').all(|name| name.len() <= MAX_NAME) {
        project.to_string()
    } else {
        format!("/workspace/{}", project.container_name().hostname())
    }
}

/// What proves that a container or volume is the project's.
pub fn labels(project: &Project, name: &ContainerName, wanted: &Wanted, image: Option<&Image>) -> HashMap<String, String> {
    let mut labels = HashMap::from([
        (label::WHARF, "true".to_owned()),
        (label::PROJECT, project.to_string()),
        (label::NAME, name.to_string()),
        (label::USER, wanted.owner.to_string()),
        (label::CREATED_AT, jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        (label::CONFIG, wanted.recorded.hash()),
        (label::IMAGE, image.map_or(wanted.image.name, |image| &image.name).to_owned()),
    ]);
    labels.extend(image.map(|image| (label::IMAGE_ID, image.id.clone())));
    labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
