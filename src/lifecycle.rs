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

/// A container that runs, and what it took.
#[derive(Debug)]
pub struct Up {
    pub container: Container,
    /// Undone where the container turns out not to work.
    made: Vec<Made>,
    started: bool,
}

impl Up {
    /// A container that ran before.
    pub fn already(container: Container) -> Self {
        Self { container, made: Vec::new(), started: false }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Made {
    HomeVolume(String),
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
    pub async fn up(&self, wanted: &Wanted<'_>) -> Result<Up> {
        let mut up = None;
        let mut made = Vec::new();
        let mut started = false;
        for _ in 0..ATTEMPTS {
            let seen = self.look(Some(wanted.image.name)).await?;
            let steps = plan::up(self.project, &seen, wanted.image)?;
            if let (true, Some(container)) = (steps.is_empty(), seen.container) {
                up = Some(container);
                break;
            }
            for step in steps {
                match self.act(&step, Some(wanted)).await {
                    Ok(()) => {
                        started |= step == Step::Start;
                        made.extend(self.made_by(&step));
                    }
                    Err(error) if is_lost_race(&error) => {
                        tokio::time::sleep(PAUSE).await;
                        break;
                    }
                    Err(error) => {
                        self.undo(&made).await;
                        return Err(error);
                    }
                }
            }
            // A container that ends at once would be started for ever.
            if started {
                let container = self.engine.container(&self.name()).await?;
                match container {
                    Some(container) if container.state.can_attach() => {
                        up = Some(container);
                        break;
                    }
                    Some(container) if container.state == State::Exited => {
                        let died = self.death_of(&container).await;
                        self.undo(&made).await;
                        return Err(died);
                    }
                    _ => {}
                }
            }
        }
        match up {
            Some(container) => Ok(Up { container, made, started }),
            None => Err(Error::EngineSlow { action: format!("bring up container `{}`", self.name()), within: PAUSE * ATTEMPTS }),
        }
    }

    /// Waits until the container's first process runs, where this call has started it.
    pub async fn settle(&self, up: &Up) -> Result<()> {
        if !up.started {
            return Ok(());
        }
        let ready = async {
            loop {
                match self.engine.runs_its_command(&self.name()).await {
                    Ok(true) => return Ok(()),
                    Ok(false) => tokio::time::sleep(Duration::from_millis(10)).await,
                    Err(_) => return self.failure_of(up).await.map_or(Ok(()), Err),
                }
            }
        };
        match tokio::time::timeout(READY, ready).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::EngineSlow { action: format!("bring up container `{}`", self.name()), within: READY }),
        }
    }

    /// Why nothing works in a container that was up: it is gone, or it has ended. `None` where it runs. What this call
    /// has made is removed again, since nobody got to use it.
    pub async fn failure_of(&self, up: &Up) -> Option<Error> {
        let container = match self.engine.container(&self.name()).await {
            Ok(Some(container)) => container,
            Ok(None) => return Some(Error::Gone { container: self.name() }),
            Err(error) => return Some(error),
        };
        if container.state.can_attach() {
            // A program that fails right after the first process did can be heard of first.
            let ends = self.engine.stops_within(&self.name(), Duration::from_millis(100)).await;
            if !ends {
                return None;
            }
        }
        let container = self.engine.container(&self.name()).await.ok().flatten().unwrap_or(container);
        let died = self.death_of(&container).await;
        self.undo(&up.made).await;
        Some(died)
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

    fn made_by(&self, step: &Step) -> Option<Made> {
        match step {
            Step::CreateHomeVolume => Some(Made::HomeVolume(self.name().home_volume())),
            Step::Create { .. } => Some(Made::Container),
            _ => None,
        }
    }

    /// Leaves nothing half-made behind. The error that led here is what people should see, so this one's are dropped.
    async fn undo(&self, made: &[Made]) {
        for made in made.iter().rev() {
            let _ = match made {
                Made::Container => self.engine.remove_container(&self.name()).await,
                Made::HomeVolume(name) => self.engine.remove_volume(&self.name(), name).await,
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
