//! What a command knows of the world around it, read from the environment once.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::cli::Surface;
use crate::config::{Locations, Part, Surroundings, Way};
use crate::connection::Relays;
use crate::connection::agent::AgentSocket;
use crate::connection::terminal::Terminal;
use crate::engine::{Endpoint, Engine, EngineSettings, Listed};
use crate::error::{Error, Result};
use crate::project::Project;
use crate::project::host_user::HostUser;
use crate::tmux::{ClientName, PaneId, TmuxServer};

#[derive(Debug)]
pub struct Context {
    /// The server that this runs in.
    pub tmux: Option<TmuxServer>,
    /// The pane that this runs in, or that a key was pressed in.
    pub pane: Option<PaneId>,
    /// The client that pressed a key: the surface where its person looks.
    pub client: Option<ClientName>,
    pub home: Option<PathBuf>,
    pub user: HostUser,
    /// Whether what others have made on this engine counts as well: `--everyone`.
    pub everyone: bool,
    /// The directory for what is shared with containers.
    pub state_dir: PathBuf,
    /// The person's own configuration.
    pub config_file: PathBuf,
    /// The directory for what can be found out anew.
    pub cache_dir: PathBuf,
    /// The directory that a tmux to inject can be in.
    pub data_dir: PathBuf,
    /// The file of the program that runs.
    pub program: PathBuf,
    /// The file of the guest, where a person says which: `WHARF_GUEST`.
    pub guest: Option<PathBuf>,
    engine_settings: EngineSettings,
    engine: OnceCell<Engine>,
    variables: HashMap<String, String>,
}

impl Context {
    pub fn from_environment(surface: Surface, everyone: bool) -> Self {
        let variables: HashMap<String, String> =
            env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
        let variable = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        let home = dirs::home_dir();
        let login = variable("USER").or_else(|| variable("LOGNAME"));
        Self {
            tmux: variable("TMUX").and_then(|tmux| TmuxServer::from_variable(&tmux)),
            pane: surface.pane.or_else(|| variable("TMUX_PANE")?.parse().ok()),
            client: surface.client,
            everyone,
            user: HostUser::new(rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw(), login.as_deref()),
            state_dir: dirs::state_dir().unwrap_or_else(|| PathBuf::from("/tmp")).join("wharf"),
            config_file: dirs::config_dir().unwrap_or_else(|| PathBuf::from("/etc")).join("wharf/config.kdl"),
            cache_dir: dirs::cache_dir().unwrap_or_else(|| PathBuf::from("/var/cache")).join("wharf"),
            data_dir: dirs::data_dir().unwrap_or_else(|| PathBuf::from("/usr/local/share")).join("wharf"),
            program: env::current_exe().unwrap_or_else(|_| PathBuf::from("wharf")),
            guest: variable("WHARF_GUEST").map(PathBuf::from),
            engine: OnceCell::new(),
            engine_settings: EngineSettings {
                docker_host: variable("DOCKER_HOST"),
                docker_context: variable("DOCKER_CONTEXT"),
                docker_config: variable("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(".docker"))),
                runtime_dir: variable("XDG_RUNTIME_DIR").map(PathBuf::from),
            },
            home,
            variables,
        }
    }

    pub fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    /// The ways to containers' relays, whosever they are: as [`Self::relays_of`] a project that says nothing itself.
    pub fn relays(&self) -> Relays<'_> {
        self.relays_by(|| self.configuration().way().ok())
    }

    /// The ways to a project's container: `WHARF_ATTACH` counts before its configuration, and either may leave only the
    /// engine's. A configuration that is wrong is not what keeps anybody out of a container that runs.
    pub fn relays_of(&self, project: &Project) -> Relays<'_> {
        self.relays_by(|| {
            let effective = self.configuration().hasty().effective(project, None, Part::default()).ok()?;
            Some(effective.config.attach.value)
        })
    }

    fn relays_by(&self, configured: impl FnOnce() -> Option<Way>) -> Relays<'_> {
        let is_by_exec = match self.variables.get("WHARF_ATTACH") {
            Some(way) => way == "exec",
            None => configured() == Some(Way::Exec),
        };
        Relays { state_dir: (!is_by_exec).then_some(self.state_dir.as_path()) }
    }

    /// Where the configuration is.
    pub fn configuration(&self) -> Locations {
        let surroundings = Surroundings { home: self.home.clone(), sockets: self.engine_settings.sockets() };
        Locations::new(self.config_file.clone(), self.state_dir.clone(), surroundings)
    }

    /// An agent that cannot be served is not a reason not to attach: ssh inside says that it has none.
    pub fn serve_agent(&self, host_dir: &Path) -> Option<AgentSocket> {
        let agent = PathBuf::from(self.variable("SSH_AUTH_SOCK").filter(|path| !path.is_empty())?);
        AgentSocket::serve(host_dir, agent).ok()
    }

    pub fn search_path(&self) -> Option<&OsStr> {
        self.variables.get("PATH").map(OsStr::new)
    }

    /// Where the engine is, if one is there.
    pub fn endpoint(&self) -> Result<Endpoint> {
        Endpoint::find(&self.engine_settings)
    }

    /// The engine, looked for when it is first needed.
    pub fn engine(&self) -> Result<&Engine> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let engine = Engine::find(&self.engine_settings)?;
        Ok(self.engine.get_or_init(|| engine))
    }

    /// Whose things on the engine count; everybody's where `None`.
    pub fn whose(&self) -> Option<u32> {
        (!self.everyone).then_some(self.user.uid)
    }

    /// The projects' containers on the engine that count.
    pub async fn containers(&self) -> Result<Vec<Listed>> {
        let mut containers = self.engine()?.containers().await?;
        containers.retain(|listed| self.whose().is_none_or(|user| listed.is_of(user)));
        Ok(containers)
    }

    /// Whether a pane was opened for this process, and closes with it: what it says last has to stay until it was read.
    pub fn is_panes_program(&self) -> bool {
        let (Some(tmux), Some(pane), true) = (&self.tmux, &self.pane, Terminal::is_present()) else {
            return false;
        };
        // A pane that wharf opened has only a shell above this process; in any other, the shell is a person's.
        let parent = self.variable("WHARF_PROJECT").and_then(|_| rustix::process::getppid());
        let process = tmux.pane_process(pane);
        process == Some(std::process::id())
            || (process.is_some() && process == parent.map(|pid| pid.as_raw_nonzero().get().unsigned_abs()))
    }

    /// The server that this runs in, for a command that is about it.
    pub fn tmux(&self, verb: &'static str) -> Result<&TmuxServer> {
        self.tmux.as_ref().ok_or(Error::Needs { verb, needs: "tmux server" })
    }
}
