//! What a new container gets before it runs for the first time: the host user's entries in passwd and group, and a home
//! directory that is theirs. Needs no program in the image.

mod users;

use std::fs;
use std::io;
use std::path::Path;

use crate::engine::{Archive, Engine, Image};
use crate::error::{Error, Result};
use crate::lifecycle::Wanted;
use crate::project::{ContainerName, Project};
use crate::session::identity::HostUser;
use crate::session::{LIFE_DIR, LIFE_PARENT};
use crate::spec;
use users::ImageUsers;

pub struct Preparation<'a> {
    pub engine: &'a Engine,
    pub project: &'a Project,
    pub name: ContainerName,
    pub wanted: &'a Wanted<'a>,
}

/// The content of passwd(5) and group(5) with the host's user; `None` where the image's is as it should be.
struct Entries {
    passwd: Option<String>,
    group: Option<String>,
}

impl Preparation<'_> {
    /// Puts everything into a container that was created and has not run yet. Can be done twice.
    pub async fn put(&self, image_id: Option<&str>) -> Result<()> {
        let name = self.name.as_str();
        let failed = |source| Error::io(format!("prepare files for container `{name}`"), source);
        let users = self.users(name, image_id).await?;
        let user = self.wanted.login.map(|login| users.user(login, self.wanted.image.name)).transpose()?;
        let wanted = self.wanted.run_as(user.as_ref());
        match self.files(&wanted, &entries(wanted.user, &users)).map_err(failed)? {
            Some(files) => match self.engine.put(name, "/", files).await {
                // Everything else is mounted: see `put_beside`.
                Err(error) if error.says_read_only() && self.wanted.throw_away => Ok(()),
                Err(error) if error.says_read_only() => self.put_life(wanted.user).await,
                put => put,
            },
            None => Ok(()),
        }
    }

    /// The directory that lives as long as the container, into the volume that it is in where all else is read-only.
    async fn put_life(&self, user: &HostUser) -> Result<()> {
        let mut archive = Archive::new();
        let name = LIFE_DIR.rsplit('/').next().unwrap_or_default();
        let made = archive.directory(name, 0o700, user.uid, user.gid);
        made.map_err(|source| Error::io(format!("prepare files for container `{}`", self.name), source))?;
        self.engine.put(self.name.as_str(), LIFE_PARENT, archive).await
    }

    /// The same for a container whose root file system is to be read-only, into which nothing can be put: writes the entries
    /// as files to mount into `directory`, and prepares the volumes by way of another container.
    pub async fn put_beside(&self, image: &Image, directory: &Path) -> Result<()> {
        let user = self.wanted.user;
        let mut volumes: Vec<(String, String)> =
            self.wanted.outfit.volumes(user).map(|(name, target)| (self.project.volume(name), target)).collect();
        if !self.wanted.throw_away {
            volumes.push((self.name.home_volume(), user.home()));
        }
        let volumes: Vec<(&str, String)> = volumes.iter().map(|(name, target)| (name.as_str(), target.clone())).collect();
        let helper = self.create_helper(image, &volumes).await?;
        let put = self.put_by_way_of(&helper, image, directory).await;
        let removed = self.engine.remove_filler(&helper, None).await;
        put.and(removed)
    }

    /// The user of the image that things are run as; `None` where they are run as another.
    pub async fn user_of(&self, image: &Image) -> Result<Option<HostUser>> {
        let Some(login) = self.wanted.login else { return Ok(None) };
        if let Some(users) = ImageUsers::kept(self.wanted.cache_dir, Some(&image.id)) {
            return users.user(login, &image.name).map(Some);
        }
        let helper = self.create_helper(image, &[]).await?;
        let users = self.users(&helper, Some(&image.id)).await;
        self.engine.remove_filler(&helper, None).await?;
        users?.user(login, &image.name).map(Some)
    }

    async fn create_helper(&self, image: &Image, volumes: &[(&str, String)]) -> Result<String> {
        // Its name is the lock.
        let helper = format!("{}-helper", self.name);
        self.engine.create_filler(&helper, &image.name, volumes, spec::labels(self.project, &self.name, self.wanted, None)).await
    }

    async fn users(&self, container: &str, image_id: Option<&str>) -> Result<ImageUsers> {
        let cache_dir = self.wanted.cache_dir;
        if let Some(users) = ImageUsers::kept(cache_dir, image_id) {
            return Ok(users);
        }
        let users = ImageUsers::read(self.engine, container).await?;
        users.keep(cache_dir, image_id);
        Ok(users)
    }

    async fn put_by_way_of(&self, helper: &str, image: &Image, directory: &Path) -> Result<()> {
        let users = self.users(helper, Some(&image.id)).await?;
        let entries = entries(self.wanted.user, &users);
        let files = [("passwd", entries.passwd.or(users.passwd)), ("group", entries.group.or(users.group))];
        for (name, content) in files {
            let file = directory.join(name);
            fs::write(&file, content.unwrap_or_default())
                .map_err(|source| Error::io(format!("write `{}`", file.display()), source))?;
        }
        let directories = self.files(self.wanted, &Entries { passwd: None, group: None });
        match directories.map_err(|source| Error::io(format!("prepare the volumes of `{}`", self.name), source))? {
            Some(files) => self.engine.put(helper, "/", files).await,
            None => Ok(()),
        }
    }

    /// `None` where there is nothing to write.
    fn files(&self, wanted: &Wanted, entries: &Entries) -> io::Result<Option<Archive>> {
        let user = wanted.user;
        let mut archive = Archive::new();
        let mut is_empty = true;
        let mut directories = user.directories_towards(Path::new(&spec::workspace(self.project, wanted)));
        for target in wanted.outfit.targets(user) {
            directories.extend(user.directories_towards(Path::new(&target)));
        }
        for (_, target) in wanted.outfit.volumes(user) {
            directories.extend(user.directories_towards(Path::new(&target)));
            // A new volume is root's.
            directories.push(target);
        }
        // root's is as the image has it.
        if user.uid != 0 {
            directories.insert(0, user.home());
        }
        let life = (user.uid != 0 && !wanted.throw_away).then_some((LIFE_DIR.to_owned(), 0o700));
        for (directory, mode) in directories.into_iter().map(|directory| (directory, 0o755)).chain(life) {
            archive.directory(&directory, mode, user.uid, user.gid)?;
            is_empty = false;
        }
        for (path, content) in [("etc/passwd", &entries.passwd), ("etc/group", &entries.group)] {
            if let Some(content) = content {
                archive.file(path, 0o644, content.as_bytes())?;
                is_empty = false;
            }
        }
        Ok((!is_empty).then_some(archive))
    }
}

fn entries(user: &HostUser, image: &ImageUsers) -> Entries {
    let shell = if image.has_bash { "/bin/bash" } else { "/bin/sh" };
    Entries { passwd: user.passwd(image.passwd.as_deref(), shell), group: user.group(image.group.as_deref()) }
}
