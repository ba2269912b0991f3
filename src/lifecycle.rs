//! Look, plan, act: a project's container, from what the engine says to what was asked for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::engine::{Archive, Container, Engine, Image, State};
use crate::error::{Error, Result};
use crate::plan::{self, Seen, Step, WantedImage};
use crate::progress;
use crate::project::{ContainerName, Project};
use crate::session::identity::HostUser;
use crate::session::{CONFIG, CONFIG_PATH, RUNTIME_DIR, agent};
use crate::spec;

/// How often to look again when other launches change what was seen, and how long to wait in between.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(25);
/// How long a started container may take until its first process runs.
const READY: Duration = Duration::from_secs(5);
/// How much of a dead container's log to show.
const LOG_LINES: usize = 10;

/// What a container gets from the host and from the person that asks for it.
#[derive(Debug)]
pub struct Wanted<'a> {
    pub image: WantedImage<'a>,
    /// Where the project is mounted; at its own path where `None`.
    pub workspace: Option<&'a str>,
    pub user: &'a HostUser,
    /// The directory for what is shared with containers.
    pub state_dir: &'a Path,
}

/// A container that runs.
#[derive(Debug)]
pub struct Up {
    pub container: Container,
    /// Whether this call has started it.
    pub started: bool,
}

/// What a launch has made, in case that it has to be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    HomeVolume,
    Container,
}

pub struct Lifecycle<'a> {
    pub engine: &'a Engine,
    pub project: &'a Project,
}

impl Lifecycle<'_> {
    /// What the engine has for the project, ready for a plan that may have to create it.
    pub async fn look(&self, image: Option<&str>) -> Result<Seen> {
        let name = self.name();
        let container = self.engine.container(&name).await?;
        let (Some(image), None) = (image, &container) else {
            return Ok(Seen { container, image: None, has_home_volume: false });
        };
        let home = name.home_volume();
        let (image, home) = tokio::join!(self.engine.image(image), self.engine.volume_exists(&home));
        Ok(Seen { container, image: image?, has_home_volume: home? })
    }

    /// Brings the container up. Any number of launches can do this at once: what another one did first is seen and used.
    /// Where it fails, nothing that this call has made is left.
    pub async fn up(&self, wanted: &Wanted<'_>) -> Result<Up> {
        let mut made = Vec::new();
        let up = self.bring_up(wanted, &mut made).await;
        if up.is_err() {
            self.undo(&made).await;
        }
        up
    }

    async fn bring_up(&self, wanted: &Wanted<'_>, made: &mut Vec<Made>) -> Result<Up> {
        for _ in 0..ATTEMPTS {
            let seen = self.look(Some(wanted.image.name)).await?;
            let steps = plan::up(self.project, &seen, wanted.image)?;
            if let (true, Some(container)) = (steps.is_empty(), seen.container) {
                return Ok(Up { container, started: false });
            }
            match self.take_noting(&steps, wanted, made).await {
                Err(error) if is_lost_race(&error) => tokio::time::sleep(PAUSE).await,
                Err(error) => return Err(error),
                Ok(()) if steps.contains(&Step::Start) => {
                    // Whether the image can run at all is found out now, while there is nothing in it to lose.
                    if made.contains(&Made::Container) {
                        self.settle().await?;
                    }
                    match self.engine.container(&self.name()).await? {
                        Some(container) if container.state.can_attach() => return Ok(Up { container, started: true }),
                        Some(container) if container.state == State::Exited => return Err(self.death_of(&container).await),
                        _ => {}
                    }
                }
                Ok(()) => {}
            }
        }
        Err(Error::EngineSlow { action: format!("bring up container `{}`", self.name()), within: PAUSE * ATTEMPTS })
    }

    async fn take_noting(&self, steps: &[Step], wanted: &Wanted<'_>, made: &mut Vec<Made>) -> Result<()> {
        for step in steps {
            self.act(step, Some(wanted)).await?;
            match step {
                Step::CreateHomeVolume => made.push(Made::HomeVolume),
                Step::Create { .. } => made.push(Made::Container),
                _ => {}
            }
        }
        Ok(())
    }

    /// Waits until the first process of a container that was just started runs.
    pub async fn settle(&self) -> Result<()> {
        let ready = async {
            loop {
                match self.engine.runs_its_command(&self.name()).await {
                    Ok(true) => return Ok(()),
                    Ok(false) => tokio::time::sleep(Duration::from_millis(10)).await,
                    Err(_) => return self.failure().await.map_or(Ok(()), Err),
                }
            }
        };
        match tokio::time::timeout(READY, ready).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::EngineSlow { action: format!("bring up container `{}`", self.name()), within: READY }),
        }
    }

    /// Why nothing works in a container that was up: it is gone, or it has ended. `None` where it runs.
    pub async fn failure(&self) -> Option<Error> {
        // A program in the container ends with it, and can be heard of first.
        self.engine.stops_within(&self.name(), Duration::from_millis(100)).await;
        match self.engine.container(&self.name()).await {
            Ok(Some(container)) if container.state.can_attach() => None,
            Ok(Some(container)) => Some(self.death_of(&container).await),
            Ok(None) => Some(Error::Gone { container: self.name() }),
            Err(error) => Some(error),
        }
    }

    /// Takes the steps of a plan that has no race to lose.
    pub async fn take(&self, steps: &[Step]) -> Result<()> {
        for step in steps {
            self.act(step, None).await?;
        }
        Ok(())
    }

    async fn act(&self, step: &Step, wanted: Option<&Wanted<'_>>) -> Result<()> {
        let name = self.name();
        progress::say(step, &name);
        match (step, wanted) {
            (Step::CreateHomeVolume, Some(wanted)) => {
                let labels = spec::labels(self.project, wanted, None);
                self.engine.create_volume(&name.home_volume(), labels).await
            }
            (Step::Create { image }, Some(wanted)) => self.create(image, wanted).await,
            (Step::Prepare, Some(wanted)) => self.prepare(wanted).await,
            (Step::Start, _) => {
                self.ensure_host_dir().await?;
                self.engine.start_container(&name).await
            }
            (Step::Unpause, _) => self.engine.unpause_container(&name).await,
            (Step::Stop, _) => self.engine.stop_container(&name).await,
            (Step::RemoveContainer, _) => self.engine.remove_container(&name).await,
            (Step::RemoveVolumes, _) => {
                for volume in self.engine.volumes_of(self.project).await? {
                    self.engine.remove_volume(&name, &volume).await?;
                }
                Ok(())
            }
            (Step::LookAgain, _) => {
                tokio::time::sleep(PAUSE).await;
                Ok(())
            }
            (Step::CreateHomeVolume | Step::Create { .. } | Step::Prepare, None) => {
                unreachable!("only `up` plans a creation, and it knows what is wanted")
            }
        }
    }

    async fn create(&self, image: &Image, wanted: &Wanted<'_>) -> Result<()> {
        let spec = spec::container(self.project, image, wanted);
        let shared = spec::host_dir(&self.name(), wanted.state_dir);
        agent::create_directory(&shared).map_err(|source| Error::io(format!("create `{}`", shared.display()), source))?;
        self.engine.create_container(spec).await
    }

    /// The mounted directory may have been cleaned away while the container was stopped; the engine would not start it.
    async fn ensure_host_dir(&self) -> Result<()> {
        let shared: Option<PathBuf> = self.engine.container(&self.name()).await?.and_then(|container| container.host_dir);
        match shared {
            Some(shared) => {
                agent::create_directory(&shared).map_err(|source| Error::io(format!("create `{}`", shared.display()), source))
            }
            None => Ok(()),
        }
    }

    /// Writes the user's entries, the home directory's owner and the session's configuration. Needs no program in the
    /// image, and can be done twice.
    async fn prepare(&self, wanted: &Wanted<'_>) -> Result<()> {
        let name = self.name();
        let user = wanted.user;
        let (passwd, group, bash) = tokio::join!(
            self.engine.get_file(&name, "/etc/passwd"),
            self.engine.get_file(&name, "/etc/group"),
            self.engine.path_exists(&name, "/bin/bash"),
        );
        let shell = if bash? { "/bin/bash" } else { "/bin/sh" };
        let text = |file: Option<Vec<u8>>| file.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let passwd = user.passwd(text(passwd?).as_deref(), shell);
        let group = user.group(text(group?).as_deref());
        let archive = files(user, &spec::workspace(self.project, wanted), passwd.as_deref(), group.as_deref());
        let archive = archive.map_err(|source| Error::io(format!("prepare files for container `{name}`"), source))?;
        self.engine.put(&name, archive).await
    }

    async fn death_of(&self, container: &Container) -> Error {
        let log = self.engine.last_log_lines(&container.name, LOG_LINES).await.unwrap_or_else(|error| vec![error.to_string()]);
        Error::Died {
            container: container.name.clone(),
            exit_code: container.exit_code,
            out_of_memory: container.out_of_memory,
            log,
        }
    }

    /// Leaves nothing half-made behind. The error that led here is what people should see, so this one's are dropped. A
    /// container that runs after all, since another launch got it to, refuses to be removed.
    async fn undo(&self, made: &[Made]) {
        for made in made.iter().rev() {
            let _ = match made {
                Made::Container => self.engine.remove_stopped_container(&self.name()).await,
                Made::HomeVolume => self.engine.remove_volume(&self.name(), &self.name().home_volume()).await,
            };
        }
    }

    fn name(&self) -> ContainerName {
        self.project.container_name()
    }
}

/// Whether another launch was first: the name is taken, or the container is gone or has changed since it was seen.
fn is_lost_race(error: &Error) -> bool {
    error.is_status(404) || error.is_status(409)
}

fn files(user: &HostUser, workspace: &str, passwd: Option<&str>, group: Option<&str>) -> std::io::Result<Archive> {
    let mut archive = Archive::new();
    let entries = [("etc/passwd", passwd), ("etc/group", group)];
    for (path, content) in entries {
        if let Some(content) = content {
            archive.file(path, 0o644, content.as_bytes())?;
        }
    }
    archive.file(CONFIG_PATH, 0o644, CONFIG)?;
    // The directory in memory that is mounted here at each start takes its mode from this one.
    archive.directory(RUNTIME_DIR, 0o700, user.uid, user.gid)?;
    let home_mode = if user.uid == 0 { 0o700 } else { 0o755 };
    archive.directory(&user.home(), home_mode, user.uid, user.gid)?;
    for directory in user.directories_towards(Path::new(workspace)) {
        archive.directory(&directory, 0o755, user.uid, user.gid)?;
    }
    Ok(archive)
}
