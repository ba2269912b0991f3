//! What a project's container is created as. Pure.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::digest::sha256_hex;
use crate::engine::{ContainerSpec, Image, Mount, label};
use crate::lifecycle::Wanted;
use crate::project::{ContainerName, Project, outside_git_directory};
use crate::session::{HOST_DIR, RUNTIME_DIR};

/// The container of a project: the project read-write at its own path and as the working directory, run as the host's
/// user with a home that persists.
pub fn container(project: &Project, image: &Image, wanted: &Wanted) -> ContainerSpec {
    let name = project.container_name();
    let user = wanted.user;
    let workspace = workspace(project, wanted);
    let mut mounts = vec![
        Mount::Volume { name: name.home_volume(), target: user.home(), labels: labels(project, wanted, None) },
        Mount::Bind { source: project.to_string(), target: workspace.clone() },
        Mount::Bind { source: host_dir(&name, wanted.state_dir).to_string_lossy().into_owned(), target: HOST_DIR.to_owned() },
    ];
    let git = outside_git_directory(project.path()).and_then(|directory| directory.into_os_string().into_string().ok());
    mounts.extend(git.map(|directory| Mount::Bind { target: directory.clone(), source: directory }));
    let runtime = format!("uid={},gid={},mode=0700,size=16m", user.uid, user.gid);
    ContainerSpec {
        image: image.name.clone(),
        labels: labels(project, wanted, Some(&image.id)),
        environment: vec![format!("HOME={}", user.home()), format!("USER={}", user.name), format!("LOGNAME={}", user.name)],
        user: user.id_pair(),
        working_dir: workspace,
        mounts,
        tmpfs: HashMap::from([(RUNTIME_DIR.to_owned(), runtime)]),
        name,
    }
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
pub fn labels(project: &Project, wanted: &Wanted, image_id: Option<&str>) -> HashMap<String, String> {
    let mut labels = HashMap::from([
        (label::WHARF, "true".to_owned()),
        (label::PROJECT, project.to_string()),
        (label::NAME, project.container_name().to_string()),
        (label::CREATED_AT, jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        (label::CONFIG, config_hash(wanted)),
        (label::IMAGE, wanted.image.name.to_owned()),
    ]);
    labels.extend(image_id.map(|id| (label::IMAGE_ID, id.to_owned())));
    labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The host's side of [`HOST_DIR`]: one directory for each container, of this user only.
pub fn host_dir(container: &ContainerName, state_dir: &Path) -> PathBuf {
    state_dir.join("containers").join(container.as_str())
}

/// The first 12 hex digits of the SHA-256 of the effective configuration.
fn config_hash(wanted: &Wanted) -> String {
    let effective = serde_json::json!({
        "image": wanted.image.name,
        "user": wanted.user.id_pair(),
        "workspace": wanted.workspace,
    });
    sha256_hex(&effective.to_string())[..12].to_owned()
}
