//! What a new container gets before it runs for the first time: the host user's entries in passwd and group, and a home
//! directory that is theirs. Needs no program in the image.

mod users;

use std::collections::HashMap;
use std::io;
use std::path::Path;

use futures_util::future::try_join_all;

use crate::container::resources::KeptVolume;
use crate::container::spec;
use crate::container::wanted::Wanted;
use crate::engine::{Archive, Engine, Image, Mount, Owner};
use crate::error::{Error, Result};
use crate::model::ContainerName;
use crate::paths;
use crate::project::Project;
use crate::project::host_user::HostUser;
use crate::protocol::{LIFE_DIR, LIFE_PARENT};
use users::ImageUsers;
pub use users::login_of;

pub struct Preparation<'a> {
    pub engine: &'a Engine,
    pub project: &'a Project,
    pub name: ContainerName,
    pub wanted: &'a Wanted<'a>,
}

/// The content of passwd(5) and group(5) with the host's user; `None` where the image's is as it should be.
#[derive(Default)]
struct Entries {
    passwd: Option<String>,
    group: Option<String>,
    /// A file of sudoers(5).
    sudoers: Option<String>,
}

impl Preparation<'_> {
    /// Puts everything into a container that was created and has not run yet. Can be done twice.
    pub async fn put(&self, image_id: Option<&str>) -> Result<()> {
        let name = self.name.as_str();
        let failed = |source| Error::io(format!("prepare files for container `{name}`"), source);
        let users = self.users(name, image_id).await?;
        let user = self.wanted.login.map(|login| users.user(login, self.wanted.image.name, self.wanted.user)).transpose()?;
        let wanted = self.wanted.run_as(user.as_ref());
        self.give_home(name, wanted.user).await?;
        let directories = self.directories(name, &wanted).await?;
        match archive(&directories, wanted.user, &Entries { sudoers: sudoers(&wanted), ..entries(wanted.user, &users) })
            .map_err(failed)?
        {
            Some(files) => match self.engine.put(name, "/", files).await {
                // Everything else is mounted: see `put_beside`.
                Err(error) if error.says_read_only() && self.wanted.throw_away => Ok(()),
                Err(error) if error.says_read_only() => self.put_life(wanted.user).await,
                put => put,
            },
            None => Ok(()),
        }
    }

    /// What the image has in the home of a user that has other ids here becomes theirs.
    async fn give_home(&self, container: &str, user: &HostUser) -> Result<()> {
        let Some(was) = user.ids_in_image() else { return Ok(()) };
        let (old, new) = (Owner { uid: was.uid, gid: was.gid }, Owner { uid: user.uid, gid: user.gid });
        self.engine.give(container, &user.home(), old, new, self.wanted.cache_dir).await
    }

    /// The directory that lives as long as the container, into the volume that it is in where all else is read-only.
    async fn put_life(&self, user: &HostUser) -> Result<()> {
        let mut archive = Archive::new();
        let name = LIFE_DIR.rsplit('/').next().unwrap_or_default();
        let made = archive.directory(name, 0o700, user.uid, user.gid);
        made.map_err(|source| Error::io(format!("prepare files for container `{}`", self.name), source))?;
        self.engine.put(self.name.as_str(), LIFE_PARENT, archive).await
    }

    /// Prepares a container whose root file system is to be read-only, into which nothing can be put: writes the entries as files
    /// to mount into `directory`, and prepares the volumes by way of another container.
    pub async fn put_beside(&self, image: &Image, directory: &Path, kept: &[String]) -> Result<()> {
        let user = self.wanted.user;
        let mut volumes = self.wanted.resources.volumes(self.project, user);
        if !self.wanted.throw_away {
            volumes.push(KeptVolume { name: self.name.home_volume(), target: user.home(), cache: None });
        }
        let labels = self.labels();
        let mount = |volume: KeptVolume| Mount::Volume {
            is_kept: kept.contains(&volume.name),
            labels: spec::volume_labels(self.project, &volume, self.wanted),
            name: volume.name,
            target: volume.target,
        };
        let mounts = volumes.into_iter().map(mount).collect();
        let helper = self.create_helper(image, mounts, labels.clone()).await?;
        let put = self.put_by_way_of(&helper, image, directory).await;
        let removed = self.engine.remove_filler(&helper).await;
        put.and(removed)
    }

    /// The user of the image that things are run as; `None` where they are run as another.
    pub async fn user_of(&self, image: &Image) -> Result<Option<HostUser>> {
        let Some(login) = self.wanted.login else { return Ok(None) };
        if let Some(users) = ImageUsers::kept(self.wanted.cache_dir, Some(&image.id)) {
            return users.user(login, &image.name, self.wanted.user).map(Some);
        }
        let helper = self.create_helper(image, Vec::new(), self.labels()).await?;
        let users = self.users(&helper, Some(&image.id)).await;
        self.engine.remove_filler(&helper).await?;
        users?.user(login, &image.name, self.wanted.user).map(Some)
    }

    fn labels(&self) -> HashMap<String, String> {
        spec::labels(self.project, &self.name, self.wanted, None)
    }

    async fn create_helper(&self, image: &Image, mounts: Vec<Mount>, labels: HashMap<String, String>) -> Result<String> {
        // Its name is the lock.
        let helper = format!("{}-helper", self.name);
        // What is put into volumes is to be the container's user's there as well.
        let user = self.wanted.user;
        let namespace = self.engine.features().await?.user_namespace(user.uid, user.gid);
        let created = self.engine.create_filler(&helper, &image.name, mounts, labels, namespace).await;
        if created.as_ref().is_err_and(|error| error.is_status(409))
            && let Some(abandoned) = self.engine.abandoned_filler(&helper).await?
        {
            // Makes room for the next try.
            self.engine.remove_filler(&abandoned).await?;
        }
        created
    }

    async fn users(&self, container: &str, image_id: Option<&str>) -> Result<ImageUsers> {
        let cache_dir = self.wanted.cache_dir;
        if let Some(users) = ImageUsers::kept(cache_dir, image_id) {
            return Ok(users);
        }
        let image = self.engine.image(image_id.unwrap_or(self.wanted.image.name)).await?;
        let users = ImageUsers::read(self.engine, container, image.as_ref()).await?;
        users.keep(cache_dir, image_id);
        Ok(users)
    }

    async fn put_by_way_of(&self, helper: &str, image: &Image, directory: &Path) -> Result<()> {
        let users = self.users(helper, Some(&image.id)).await?;
        let entries = entries(self.wanted.user, &users);
        let files = [("passwd", entries.passwd.or(users.passwd)), ("group", entries.group.or(users.group))];
        for (name, content) in files {
            paths::put(&directory.join(name), &content.unwrap_or_default())?;
        }
        self.give_home(helper, self.wanted.user).await?;
        let directories = self.directories(helper, self.wanted).await?;
        let archive = archive(&directories, self.wanted.user, &Entries::default());
        match archive.map_err(|source| Error::io(format!("prepare the volumes of `{}`", self.name), source))? {
            Some(files) => self.engine.put(helper, "/", files).await,
            None => Ok(()),
        }
    }

    /// The directories that are to be the user's, with their modes: what is there keeps its own. What root uses is as the image
    /// and the engine make it.
    async fn directories(&self, container: &str, wanted: &Wanted<'_>) -> Result<Vec<(String, u32)>> {
        let user = wanted.user;
        if user.uid == 0 {
            return Ok(Vec::new());
        }
        let mut paths = vec![user.home()];
        paths.extend(user.directories_towards(Path::new(&spec::workspace(self.project, wanted))));
        for target in wanted.resources.targets(user) {
            paths.extend(user.directories_towards(Path::new(&target)));
        }
        paths.extend(self.volume_directories(container, wanted).await?);
        let looked_at = paths.into_iter().map(async |path| {
            let mode = self.engine.directory_mode(container, &path).await?;
            Ok::<_, Error>((path, mode.unwrap_or(0o755)))
        });
        let mut directories = try_join_all(looked_at).await?;
        directories.extend((!wanted.throw_away).then_some((LIFE_DIR.to_owned(), 0o700)));
        Ok(directories)
    }

    /// A volume that was there before belongs to whoever it was given to since: a server may take no other owner for its data.
    async fn volume_directories(&self, container: &str, wanted: &Wanted<'_>) -> Result<Vec<String>> {
        let volumes = wanted.resources.volumes(self.project, wanted.user);
        let new = if volumes.is_empty() { Vec::new() } else { self.engine.new_volumes(container).await? };
        let mut paths = Vec::new();
        for KeptVolume { name, target, .. } in volumes {
            paths.extend(wanted.user.directories_towards(Path::new(&target)));
            paths.extend(new.contains(&name).then_some(target));
        }
        Ok(paths)
    }
}

/// Which of an image's users this one hides, as far as an earlier launch has read them.
pub fn hidden_users(user: &HostUser, cache_dir: &Path, image_id: &str) -> Vec<String> {
    let users = ImageUsers::kept(cache_dir, Some(image_id)).and_then(|users| users.passwd);
    users.map(|passwd| user.hidden(&passwd)).unwrap_or_default()
}

/// `None` where there is nothing to write.
fn archive(directories: &[(String, u32)], user: &HostUser, entries: &Entries) -> io::Result<Option<Archive>> {
    let mut archive = Archive::new();
    for (directory, mode) in directories {
        archive.directory(directory, *mode, user.uid, user.gid)?;
    }
    let files = [
        ("etc/passwd", 0o644, &entries.passwd),
        ("etc/group", 0o644, &entries.group),
        ("etc/sudoers.d/wharf", 0o440, &entries.sudoers),
    ];
    let files = files.into_iter().filter_map(|(path, mode, content)| Some((path, mode, content.as_ref()?)));
    let mut is_empty = directories.is_empty();
    for (path, mode, content) in files {
        archive.file(path, mode, content.as_bytes())?;
        is_empty = false;
    }
    Ok((!is_empty).then_some(archive))
}

fn entries(user: &HostUser, image: &ImageUsers) -> Entries {
    let shell = if image.has_bash { "/bin/bash" } else { "/bin/sh" };
    Entries { passwd: user.passwd(image.passwd.as_deref(), shell), group: user.group(image.group.as_deref()), sudoers: None }
}

/// Who may become root without a password, also where sudo is yet to be installed. By the number: a name may mean something there.
fn sudoers(wanted: &Wanted) -> Option<String> {
    wanted.has_sudo().then(|| format!("#{} ALL=(ALL:ALL) NOPASSWD: ALL\n", wanted.user.uid))
}
