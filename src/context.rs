//! What a command knows of the world around it, read from the environment once.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::env;
use std::path::PathBuf;

use crate::cli::Surface;
use crate::engine::{Engine, EngineSettings};
use crate::error::{Error, Result};
use crate::session::identity::HostUser;
use crate::tmux::{ClientName, PaneId, TmuxServer};

pub const DEFAULT_IMAGE: &str = "wharf-default:latest";

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
    /// The directory for what is shared with containers.
    pub state_dir: PathBuf,
    engine_settings: EngineSettings,
    engine: OnceCell<Engine>,
    variables: HashMap<String, String>,
}

impl Context {
    pub fn from_environment(surface: Surface) -> Self {
        let variables: HashMap<String, String> =
            env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
        let variable = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        let home = dirs::home_dir();
        let login = variable("USER").or_else(|| variable("LOGNAME"));
        Self {
            tmux: variable("TMUX").and_then(|tmux| TmuxServer::from_variable(&tmux)),
            pane: surface.pane.or_else(|| variable("TMUX_PANE")?.parse().ok()),
            client: surface.client,
            user: HostUser::new(rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw(), login.as_deref()),
            state_dir: dirs::state_dir().unwrap_or_else(|| PathBuf::from("/tmp")).join("wharf"),
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

    /// The engine, looked for when it is first needed.
    pub fn engine(&self) -> Result<&Engine> {
        if let Some(engine) = self.engine.get() {
            return Ok(engine);
        }
        let engine = Engine::find(&self.engine_settings)?;
        Ok(self.engine.get_or_init(|| engine))
    }

    /// The server that this runs in, for a command that is about it.
    pub fn tmux(&self, verb: &'static str) -> Result<&TmuxServer> {
        self.tmux.as_ref().ok_or(Error::Needs { verb, needs: "tmux server" })
    }
}
