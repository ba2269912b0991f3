//! What an image says of users.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::User;
use crate::engine::{Engine, Image};
use crate::error::{Error, Result};
use crate::project::host_user::HostUser;

/// It is read from a container, which takes the engine 50 ms a file, and is as constant as the image's id; so it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageUsers {
    /// The content of passwd(5).
    pub passwd: Option<String>,
    /// The content of group(5).
    pub group: Option<String>,
    pub has_bash: bool,
    /// Who the image is for: a name or a uid.
    pub login: String,
}

/// What the label of a development container's image says of users.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    remote_user: Option<String>,
    container_user: Option<String>,
}

/// Who an image is for: a name or a uid. Its label can hold one entry or several, of which the last counts.
pub fn login_of(image: Option<&Image>) -> String {
    let metadata = image.and_then(|image| image.metadata.as_deref()).unwrap_or_default();
    let one = || serde_json::from_str::<Entry>(metadata).map(|entry| vec![entry]);
    let entries: Vec<Entry> = serde_json::from_str(metadata).or_else(|_| one()).unwrap_or_default();
    let last = |of: fn(&Entry) -> Option<&String>| entries.iter().rev().find_map(of).cloned();
    let said = last(|entry| entry.remote_user.as_ref()).or_else(|| last(|entry| entry.container_user.as_ref()));
    let user = said.or_else(|| image?.user.clone()).filter(|user| !user.is_empty());
    let user = user.as_deref().unwrap_or("root");
    user.split(':').next().unwrap_or(user).to_owned()
}

impl ImageUsers {
    /// What an earlier launch has read.
    pub fn kept(cache_dir: &Path, image_id: Option<&str>) -> Option<Self> {
        serde_json::from_slice(&fs::read(file(cache_dir, image_id)?).ok()?).ok()
    }

    pub async fn read(engine: &Engine, container: &str, image: Option<&Image>) -> Result<Self> {
        let text = |file: Option<Vec<u8>>| file.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Self {
            passwd: text(engine.get_file(container, "/etc/passwd").await?),
            group: text(engine.get_file(container, "/etc/group").await?),
            has_bash: engine.path_exists(container, "/bin/bash").await?,
            login: login_of(image),
        })
    }

    /// Only the next launch would gain from it, so nothing fails where it can't be.
    pub fn keep(&self, cache_dir: &Path, image_id: Option<&str>) {
        if let Some(file) = file(cache_dir, image_id) {
            let _ = self.write(&file);
        }
    }

    /// In one step: another launch may read it just now.
    fn write(&self, file: &Path) -> io::Result<()> {
        let directory = file.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(directory)?;
        let new = directory.join(format!(".{}", std::process::id()));
        fs::write(&new, serde_json::to_vec(self)?)?;
        fs::rename(new, file)
    }

    /// A user of the image, as `who` says; `host` is whose uid and gid they may get.
    pub fn user(&self, who: &User, image: &str, host: &HostUser) -> Result<HostUser> {
        let passwd = self.passwd.as_deref().unwrap_or_default();
        let (name, is_mapped) = match who {
            User::Host => return Ok(host.clone()),
            User::Root => return Ok(HostUser::new(0, 0, None)),
            User::Named(name) => (name, false),
            User::Mapped(name) => (name, true),
            User::Image { is_mapped } => (&self.login, *is_mapped),
        };
        let user = HostUser::of_image(name, passwd).or_else(|| match who {
            // An image may say an id that it has no name for, and root needs none.
            User::Image { .. } if name == "root" => Some(HostUser::new(0, 0, None)),
            User::Image { .. } => name.parse().ok().map(|uid| HostUser::new(uid, uid, None)),
            _ => None,
        });
        let user = user.map(|user| if is_mapped { user.with_ids_of(host) } else { user });
        user.ok_or_else(|| Error::NoUser {
            image: image.to_owned(),
            name: name.to_owned(),
            users: passwd.lines().filter_map(|line| line.split(':').next()).map(crate::quote::printable).collect(),
        })
    }
}

fn file(cache_dir: &Path, image_id: Option<&str>) -> Option<PathBuf> {
    // Ids are hexadecimal behind `sha256:`.
    let is_safe = |id: &&str| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':');
    image_id.filter(is_safe).map(|id| cache_dir.join("images").join(format!("{id}.json")))
}
