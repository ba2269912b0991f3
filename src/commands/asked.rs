//! What a command asks of a new container.

use super::{dotfiles, hooks, sources, ssh};
use crate::cli::Creation;
use std::collections::HashMap;
use std::path::Path;

use crate::config::{
    self, AUTO, Choice, Command, Config, DEFAULT_IMAGE, Effective, Image, OnExit, Part, Ready, Source, Sourced, User, WaitFor,
};
use crate::connection::control::{self, Start};
use crate::connection::environment;
use crate::container::connect::{Connected, Connector};
use crate::container::plan::WantedImage;
use crate::container::recorded::RecordedConfig;
use crate::container::resources::{Resources, SshPort};
use crate::container::wanted::Wanted;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::image::build::Recipe;
use crate::image::features::{self, Request};
use crate::model::SessionName;
use crate::output::report;
use crate::project::Project;
use crate::project::host_user::HostUser;
use crate::protocol::hooks::Later;
use crate::protocol::sshd::PORT_VARIABLE;

/// What a new container is to be: the configuration that counts, and who runs things in it.
pub struct Asked {
    config: Config,
    user: HostUser,
    resources: Resources,
    recipe: Option<Recipe>,
    recorded: RecordedConfig,
    features: Request,
    on_host: Vec<Command>,
    notes: Vec<String>,
    read_only: bool,
    remove_on_exit: bool,
}

impl Asked {
    /// Says which lines of the project's file have no effect, where it is not trusted.
    pub fn of(project: &Project, creation: &Creation, context: &Context) -> Result<Box<Self>> {
        let Effective { mut config, waiting, undecided, .. } =
            context.configuration().effective(project, choice(creation), flags(creation))?;
        if !undecided.is_empty() {
            return Err(Error::SeveralDevcontainers { names: undecided });
        }
        for waiting in &waiting {
            report::note_waiting(waiting, context);
        }
        if creation.auto_ports {
            config.ports.iter_mut().for_each(|port| port.value.host = AUTO);
        }
        let user = match config.user.value {
            User::Root => HostUser::new(0, 0, None),
            // Of the image, who that is turns out when a container is made.
            User::Host | User::Named(_) | User::Mapped(_) | User::Image { .. } => context.user.clone(),
        };
        let surroundings = context.configuration().surroundings;
        let mut resources = Resources::of(&config, project, surroundings, |name| context.variable(name));
        resources.ssh = ssh_port(&config, creation, context)?;
        let recipe = match &config.image.value {
            Image::Built(build) => Some(Recipe::of(build, project)),
            Image::Named(_) => None,
        };
        let by_flags = RecordedConfig::flags_of(&config, creation);
        let recorded = RecordedConfig::of(&config, by_flags);
        // Boxed, for whoever waits for something with this in hand.
        let on_host = config.on_host.iter().map(|hook| hook.value.clone()).collect();
        let notable = config.properties.iter().filter(|property| property.is_notable);
        let notes = notable.map(|property| format!("`{}`: {} ({})", property.name, property.becomes, property.from)).collect();
        Ok(Box::new(Self {
            features: features(&config, project, context),
            on_host,
            notes,
            config,
            user,
            resources,
            recipe,
            recorded,
            read_only: creation.read_only,
            remove_on_exit: creation.remove_on_exit,
        }))
    }

    /// What is asked of a container that may run already: what is wrong with the configuration is told then, and keeps nobody out.
    pub async fn of_connector(connector: &Connector<'_>, creation: &Creation) -> Result<Box<Self>> {
        match Self::of(connector.project, creation, connector.context) {
            Err(error @ Error::Configuration { .. }) if Box::pin(connector.running()).await.is_ok() => {
                report::show(&error, connector.context);
                Ok(Box::new(Self::default_of(connector.context)))
            }
            asked => asked,
        }
    }

    /// Nothing beyond the defaults.
    fn default_of(context: &Context) -> Self {
        Self {
            config: Config::default(),
            user: context.user.clone(),
            resources: Resources::default(),
            recipe: None,
            recorded: RecordedConfig::default(),
            features: Request::default(),
            on_host: Vec::new(),
            notes: Vec::new(),
            read_only: false,
            remove_on_exit: false,
        }
    }

    pub fn wanted<'a>(&'a self, context: &'a Context) -> Wanted<'a> {
        let name = match &self.config.image.value {
            Image::Named(name) => name,
            Image::Built(_) => self.recipe.as_ref().map_or(DEFAULT_IMAGE, |recipe| &recipe.tag),
        };
        Wanted {
            image: WantedImage { name, build: self.recipe.as_ref() },
            throw_away: false,
            read_only: self.read_only,
            workspace: self.config.workspace.as_ref().map(|path| path.as_str()),
            directory: self.config.directory.as_ref().map(|path| path.as_str()),
            user: &self.user,
            owner: context.user.uid,
            login: Some(&self.config.user.value).filter(|user| !matches!(user, User::Host | User::Root)),
            ssh_port: self.resources.ssh.map(|ssh| ssh.port),
            resources: &self.resources,
            devcontainer: self.config.properties.iter().find_map(|property| match &property.from {
                Source::File { file, .. } => Some(&**file),
                _ => None,
            }),
            features: &self.features,
            on_host: &self.on_host,
            notes: &self.notes,
            recorded: &self.recorded,
            state_dir: &context.state_dir,
            cache_dir: &context.cache_dir,
            tools: sources(context),
        }
    }

    pub fn ssh(&self) -> Option<SshPort> {
        self.resources.ssh
    }

    /// Refuses to take a container that exists for one that goes with its last session, where that was asked for.
    pub async fn refuse_kept(&self, connector: &Connector<'_>) -> Result<()> {
        if !self.remove_on_exit {
            return Ok(());
        }
        let container = connector.lifecycle()?.look(None).await?.container;
        match container.filter(|container| !container.removes_itself()) {
            Some(container) => Err(Error::IsKept { container: container.name }),
            None => Ok(()),
        }
    }

    /// Whether a container that has come up is to do anything by itself.
    pub fn has_beginning(&self) -> bool {
        self.needs_set_up() || self.has_autostart()
    }

    pub fn needs_set_up(&self) -> bool {
        let config = &self.config;
        let hooks = [&config.on_create, &config.after_create, &config.on_start];
        hooks.into_iter().any(|hooks| !hooks.is_empty()) || config.ssh.is_some() || config.dotfiles.is_some()
    }

    fn has_autostart(&self) -> bool {
        self.config.sessions.iter().any(|session| session.autostart)
    }

    /// What a container does when it has come up, before anybody enters a session of it. Can be done twice.
    pub async fn begin(&self, connected: &mut Connected, connector: &Connector<'_>) -> Result<()> {
        self.set_up(connected, connector).await?;
        self.autostart(connected, connector).await
    }

    /// What belongs to a container that has come up: its hooks, its sshd.
    pub async fn set_up(&self, connected: &mut Connected, connector: &Connector<'_>) -> Result<()> {
        let commands = |hooks: &[Sourced<Command>]| hooks.iter().map(|hook| hook.value.clone()).collect::<Vec<_>>();
        if let Some(dotfiles) = &self.config.dotfiles {
            Box::pin(dotfiles::install(dotfiles, connected, connector)).await?;
        }
        if !self.config.on_create.is_empty() {
            Box::pin(hooks::on_create(&commands(&self.config.on_create), connected, connector)).await?;
        }
        let later = Later { after_create: commands(&self.config.after_create), on_start: commands(&self.config.on_start) };
        if later != Later::default() {
            let waits = self.config.wait_for.as_ref().is_some_and(|stage| stage.value == WaitFor::OnStart);
            Box::pin(hooks::later(&later, waits, connected, connector)).await?;
        }
        if self.config.ssh.is_some() {
            ssh::listen(connected, connector).await;
        }
        Ok(())
    }

    /// What belongs to an attach: the hooks of one.
    pub async fn attached(&self, connected: &mut Connected, connector: &Connector<'_>) -> Result<()> {
        if self.config.on_attach.is_empty() {
            return Ok(());
        }
        let commands: Vec<Command> = self.config.on_attach.iter().map(|hook| hook.value.clone()).collect();
        Box::pin(hooks::on_attach(&commands, connected, connector)).await
    }

    /// Starts the sessions that are to be there from the start, where none runs: the container has just come up, or all of them
    /// have ended.
    async fn autostart(&self, connected: &mut Connected, connector: &Connector<'_>) -> Result<()> {
        if !self.has_autostart() {
            return Ok(());
        }
        let running = connected.connection.sessions().await.map_err(|source| Error::lost(&connector.name(), source))?;
        if !running.is_empty() {
            return Ok(());
        }
        for name in self.config.sessions.iter().filter(|session| session.autostart).map(|session| &session.name) {
            let environment = environment::for_terminal(|name| connector.context.variable(name), false);
            let start = Start { environment, ..self.start_of(name) };
            control::create(&mut connected.connection, &connector.name(), name, &[], start).await?;
        }
        Ok(())
    }

    /// How the configuration has a session start.
    pub fn start_of(&self, name: &SessionName) -> Start {
        let Some(session) = self.config.session(name) else {
            return Start::default();
        };
        Start {
            command: session.command.clone(),
            directory: session.directory.clone(),
            environment: Vec::new(),
            restarts_on_failure: session.restarts_on_failure,
            stop_signal: session.stop_signal,
        }
    }

    /// What has to be so until a session is ready.
    pub fn ready_of(&self, name: &SessionName) -> Option<Ready> {
        self.config.session(name)?.ready.clone()
    }

    /// What has to be so until all is ready: of the container, and of each session that says so and is there from the start.
    pub fn all_ready(&self) -> Vec<(Option<SessionName>, Option<Ready>)> {
        let container = (None, self.config.ready.as_ref().map(|ready| ready.value.clone()));
        let sessions = self.config.sessions.iter().filter(|session| session.autostart && session.ready.is_some());
        let sessions = sessions.map(|session| (Some(session.name.clone()), session.ready.clone()));
        [container].into_iter().chain(sessions).collect()
    }
}

/// The flag counts, then the variable, then the configuration.
fn ssh_port(config: &Config, creation: &Creation, context: &Context) -> Result<Option<SshPort>> {
    let Some(ssh) = &config.ssh else {
        return if creation.ssh_port.is_some() { Err(Error::NoSsh) } else { Ok(None) };
    };
    let variable = context.variable(PORT_VARIABLE).filter(|port| !port.is_empty());
    let said = match (creation.ssh_port, variable) {
        (Some(port), _) => Some(port),
        (None, Some(port)) => match port.parse() {
            Ok(1..) => port.parse().ok(),
            _ => return Err(Error::BadSshPort { port }),
        },
        (None, None) => ssh.port,
    };
    said.map_or_else(SshPort::any, |port| Ok(SshPort { port, is_any: false })).map(Some)
}

/// The features that are wanted; the credentials for their registries are found when they are needed.
fn features(config: &Config, project: &Project, context: &Context) -> Request {
    // Beside the file that asks for them, under a name like its own.
    let lock_file = config.features.iter().find_map(|feature| match &feature.from {
        Source::File { file, .. } if config::is_devcontainer(Path::new(&**file)) => {
            let hidden = if file.ends_with("/.devcontainer.json") { "." } else { "" };
            Some(Path::new(&**file).with_file_name(format!("{hidden}devcontainer-lock.json")))
        }
        _ => None,
    });
    Request {
        features: config
            .features
            .iter()
            .map(|feature| features::Asked { id: feature.id.clone(), options: feature.options.clone() })
            .collect(),
        priority: config.feature_order.as_ref().map(|order| order.value.clone()).unwrap_or_default(),
        project: project.path_buf(),
        lock_file,
        cache: context.cache_dir.join("features"),
        credentials: HashMap::new(),
    }
}

pub fn choice(creation: &Creation) -> Choice<'_> {
    Choice { profile: creation.profile.as_deref(), devcontainer: creation.config.as_deref() }
}

/// What the command line says of the configuration.
pub fn flags(creation: &Creation) -> Part {
    let image = creation.image.clone().filter(|image| !image.is_empty());
    Part {
        on_exit: creation.remove_on_exit.then(|| Sourced::flag(OnExit::Remove, "--rm")),
        image: image.map(|image| Sourced::flag(image, "--image")),
        workspace: creation.workspace.clone().map(|path| Sourced::flag(path, "--workspace")),
        ..Part::default()
    }
}
