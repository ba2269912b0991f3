//! What an image says of users.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::engine::Engine;
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
}

impl ImageUsers {
    /// What an earlier launch has read.
    pub fn kept(cache_dir: &Path, image_id: Option<&str>) -> Option<Self> {
        serde_json::from_slice(&fs::read(file(cache_dir, image_id)?).ok()?).ok()
    }

    pub async fn read(engine: &Engine, container: &str) -> Result<Self> {
        let text = |file: Option<Vec<u8>>| file.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Self {
            passwd: text(engine.get_file(container, "/etc/passwd").await?),
            group: text(engine.get_file(container, "/etc/group").await?),
            has_bash: engine.path_exists(container, "/bin/bash").await?,
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

    pub fn user(&self, name: &str, image: &str) -> Result<HostUser> {
        let passwd = self.passwd.as_deref().unwrap_or_default();
        HostUser::of_image(name, passwd).ok_or_else(|| Error::NoUser {
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
