//! `wharf prune`

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use super::stop::all_or_several;
use super::{consent, sources};
use crate::cli::Prune;
use crate::commands::target;
use crate::container::lifecycle::stop::stop;
use crate::container::plan::{self, Belongings, Consent, Pruned, Rules, consent};
use crate::context::Context;
use crate::engine::{Beside, Engine};
use crate::error::{Error, Result};
use crate::guest::delivery::Tools;
use crate::model::{ContainerName, State};
use crate::output::print;
use crate::paths;
use crate::project::Project;
use crate::quote;

/// Longer than it takes to start one that was created.
const STRANDED: Duration = Duration::from_secs(60);

pub async fn run(args: Prune, context: &Context) -> Result<ExitCode> {
    let engine = context.engine()?;
    let rules = Rules { all: args.all, older_than: args.older_than };
    let doomed = plan::prune(Box::pin(belongings(context, rules)).await?, rules);
    if !args.dry_run {
        ask(&doomed, args.force)?;
    }
    // Asked for before anything is gone, so that a dry run says the same.
    let going = Going {
        leftovers: leftovers(context, &doomed).await?,
        stranded: engine.stranded_containers(STRANDED, context.whose()).await?,
        fillers: engine.stranded_fillers(STRANDED, context.whose()).await?,
        doomed,
    };
    let mut pruning = Pruning { engine, context, dry_run: args.dry_run, rules, outcomes: Vec::new() };
    if let Err(error) = Box::pin(pruning.all(&going)).await {
        pruning.outcomes.push(Err(error));
    }
    if pruning.outcomes.is_empty() {
        print::line("nothing to prune")?;
    }
    all_or_several(pruning.outcomes)
}

/// What the engine has of each project of which something may go.
async fn belongings(context: &Context, rules: Rules) -> Result<Vec<Belongings>> {
    let (engine, whose) = (context.engine()?, context.whose());
    let mut projects: BTreeMap<Project, Belongings> = BTreeMap::new();
    let of = |project: &Project| {
        let (project, is_orphaned) = (project.clone(), target::is_orphaned(project));
        Belongings { project, is_orphaned, container: None, has_aside: false, volumes: Vec::new() }
    };
    for (name, project, age) in engine.projects_volumes(whose).await? {
        projects.entry(project.clone()).or_insert_with(|| of(&project)).volumes.push((name, age));
    }
    for listed in context.containers().await? {
        let had = projects.entry(listed.project.clone()).or_insert_with(|| of(&listed.project));
        if had.is_orphaned || rules.all {
            had.container = engine.idle(&listed.name).await?;
        }
    }
    for (project, place) in engine.all_beside(whose).await? {
        projects.entry(project.clone()).or_insert_with(|| of(&project)).has_aside |= place == Beside::Aside;
    }
    Ok(projects.into_values().collect())
}

/// Data of people's only goes when somebody has said so.
fn ask(doomed: &[Pruned], force: bool) -> Result<()> {
    let what: Vec<String> = doomed.iter().flat_map(names).collect();
    match consent(!what.is_empty(), force, io::stdin().is_terminal()) {
        Consent::Given => Ok(()),
        Consent::Refuse => Err(Error::NobodyToAsk { what }),
        Consent::Ask => {
            for of_project in doomed {
                let why = if of_project.is_orphaned { "is gone" } else { "exists" };
                let state = of_project.container.as_ref().map_or("no container".to_owned(), |idle| idle.state.to_string());
                eprintln!("`{}` {why} ({state}):", quote::printable(of_project.project.as_str()));
                for name in names(of_project) {
                    eprintln!("  {name}");
                }
            }
            consent::ask("Remove all of this?")
        }
    }
}

fn names(of_project: &Pruned) -> Vec<String> {
    let name = of_project.project.container_name();
    let container = of_project.container.as_ref().map(|_| format!("container {name}"));
    let aside = of_project.aside.then(|| format!("container {}", Beside::Aside.name(&name)));
    let volumes = of_project.volumes.iter().map(|volume| format!("volume {volume}"));
    container.into_iter().chain(aside).chain(volumes).collect()
}

/// What a rebuild that was killed has left beside a container. What it has set aside is the project's own where there is
/// no other that runs.
async fn leftovers(context: &Context, doomed: &[Pruned]) -> Result<Vec<(Project, Beside)>> {
    let engine = context.engine()?;
    let mut leftovers = Vec::new();
    for (project, place) in engine.all_beside(context.whose()).await? {
        let is_doomed = doomed.iter().any(|of| of.project == project && of.aside);
        let runs = engine.idle(&project.container_name()).await?.is_some_and(|idle| idle.state.is_up());
        if place == Beside::Next || runs && !is_doomed {
            leftovers.push((project, place));
        }
    }
    Ok(leftovers)
}

fn name_beside((project, place): &(Project, Beside)) -> String {
    place.name(&project.container_name())
}

/// What goes, but for what is found to be unused once it has.
struct Going {
    doomed: Vec<Pruned>,
    leftovers: Vec<(Project, Beside)>,
    /// Containers of `run` whose client was killed before they could run.
    stranded: Vec<String>,
    /// Containers that were to put files into volumes, for launches that were killed.
    fillers: Vec<String>,
}

impl Going {
    fn containers(&self) -> Vec<String> {
        let of_projects = self.doomed.iter().filter(|of| of.container.is_some());
        let of_projects = of_projects.map(|of| of.project.container_name().to_string());
        let helping = self.stranded.iter().chain(&self.fillers).cloned();
        of_projects.chain(helping).chain(self.leftovers.iter().map(name_beside)).collect()
    }
}

/// Removes one thing after the other, and says of each that it has gone. One that fails keeps no other from going.
struct Pruning<'a> {
    engine: &'a Engine,
    context: &'a Context,
    dry_run: bool,
    rules: Rules,
    /// Of each thing that was tried.
    outcomes: Vec<Result<()>>,
}

impl Pruning<'_> {
    async fn all(&mut self, going: &Going) -> Result<()> {
        // Before the volumes that they hold.
        self.fillers(&going.fillers).await?;
        for of_project in &going.doomed {
            self.project(of_project).await?;
        }
        self.leftovers(&going.leftovers).await?;
        self.stranded(&going.stranded).await?;
        let containers = going.containers();
        self.networks(&containers).await?;
        self.shared_volumes(&containers).await?;
        self.directories().await
    }

    /// Whether it has gone; a removal may find that it has to stay. An error where nothing else can go either.
    async fn remove(&mut self, what: impl Display, removal: impl Future<Output = Result<bool>>) -> Result<bool> {
        let removed = if self.dry_run { Ok(true) } else { removal.await };
        match removed {
            Ok(true) => print::line(format_args!("{} {what}", if self.dry_run { "would remove" } else { "removed" }))?,
            Ok(false) => return Ok(false),
            Err(error) if error.is_engine_lost() => return Err(error),
            Err(error) => {
                self.outcomes.push(Err(error));
                return Ok(false);
            }
        }
        self.outcomes.push(Ok(()));
        Ok(true)
    }

    /// In the order of its [`names`], unless it has been used since it was looked at.
    async fn project(&mut self, doomed: &Pruned) -> Result<()> {
        let (engine, context, name) = (self.engine, self.context, doomed.project.container_name());
        let _lock = if self.dry_run { None } else { Some(paths::lock(&context.state_dir).await?) };
        if !self.dry_run && !is_unused_still(engine, doomed).await? {
            return Ok(());
        }
        if let Some(container) = &doomed.container {
            let removal = async {
                if container.state == State::Paused {
                    engine.unpause_container(&name).await?;
                }
                if container.state.is_up() {
                    stop(engine, &name, &container.id).await?;
                }
                engine.remove_container(&name, &container.id).await?;
                paths::remove(&name, &context.state_dir).map(|()| true)
            };
            if !self.remove(format_args!("container {name}"), removal).await? {
                // Its volumes are in use.
                return Ok(());
            }
        }
        if doomed.aside {
            self.beside(&doomed.project, Beside::Aside).await?;
        }
        for volume in &doomed.volumes {
            let removal = async { engine.remove_volume(&name, volume).await.map(|()| true) };
            self.remove(format_args!("volume {volume}"), removal).await?;
        }
        Ok(())
    }

    async fn leftovers(&mut self, leftovers: &[(Project, Beside)]) -> Result<()> {
        if leftovers.is_empty() {
            return Ok(());
        }
        // A rebuild that is at it has the lock, and leaves nothing.
        let _lock = if self.dry_run { None } else { Some(paths::lock(&self.context.state_dir).await?) };
        for (project, place) in leftovers {
            self.beside(project, *place).await?;
        }
        Ok(())
    }

    async fn beside(&mut self, project: &Project, place: Beside) -> Result<()> {
        let (engine, name) = (self.engine, project.container_name());
        let removal = Box::pin(async { engine.remove_beside(project, &name, place).await.map(|()| true) });
        self.remove(format_args!("container {}", place.name(&name)), removal).await.map(drop)
    }

    async fn fillers(&mut self, fillers: &[String]) -> Result<()> {
        let engine = self.engine;
        for name in fillers {
            let removal = async { engine.remove_filler(name).await.map(|()| true) };
            self.remove(format_args!("container {name}"), removal).await?;
            // What it was filling may be half full, and would be taken for complete without it. One that a container has was.
            if let Some(volume) = name.strip_suffix("-filler").filter(|_| !self.dry_run) {
                match engine.remove_unused(volume).await {
                    Err(error) if !error.is_status(409) => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    async fn stranded(&mut self, stranded: &[String]) -> Result<()> {
        let engine = self.engine;
        for name in stranded.iter().filter_map(|name| name.parse::<ContainerName>().ok()) {
            let removal = Box::pin(async { engine.throw_away_container(&name, name.as_str()).await.map(|()| true) });
            self.remove(format_args!("container {name}"), removal).await?;
        }
        Ok(())
    }

    /// The tools of other versions, where no container mounts them. This version's stay for the next container. With `--all`, caches
    /// too.
    async fn shared_volumes(&mut self, going: &[String]) -> Result<()> {
        let (engine, current) = (self.engine, Tools::gather(&sources(self.context))?);
        let tools = engine.unused_tools(going).await?.into_iter().filter(|volume| volume != current.volume());
        // What is in a cache comes again, but it may take its time.
        let caches = if self.rules.all { engine.unused_caches(self.context.whose(), going).await? } else { Vec::new() };
        for volume in tools.chain(caches) {
            let removal = async {
                match engine.remove_unused(&volume).await {
                    // Mounted since it was listed.
                    Err(error) if error.is_status(409) => Ok(false),
                    removed => removed.map(|()| true),
                }
            };
            self.remove(format_args!("volume {volume}"), removal).await?;
        }
        Ok(())
    }

    /// The networks that no container is in.
    async fn networks(&mut self, going: &[String]) -> Result<()> {
        let (engine, context) = (self.engine, self.context);
        for network in engine.unused_networks(going).await? {
            let removal = async {
                let _lock = paths::lock_networks(&context.state_dir).await?;
                engine.remove_unused_network(&network).await
            };
            self.remove(format_args!("network wharf-{network}"), removal).await?;
        }
        Ok(())
    }

    /// What the host shared with containers that are gone.
    async fn directories(&mut self) -> Result<()> {
        let state_dir = &self.context.state_dir;
        // A container that was set aside needs what its name has.
        let beside = self.engine.all_beside(None).await?;
        for name in paths::names(state_dir) {
            let has_beside = beside.iter().any(|(project, _)| project.container_name() == name);
            if has_beside || self.engine.container(&name).await?.is_some() {
                continue;
            }
            let removal = async { paths::remove(&name, state_dir).map(|()| true) };
            self.remove(format_args!("directory {}", paths::shared(&name, state_dir).display()), removal).await?;
        }
        Ok(())
    }
}

async fn is_unused_still(engine: &Engine, doomed: &Pruned) -> Result<bool> {
    let is_same = match (engine.idle(&doomed.project.container_name()).await?, &doomed.container) {
        (Some(now), Some(then)) => now.id == then.id && now.state.is_up() == then.state.is_up(),
        (now, then) => now.is_none() == then.is_none(),
    };
    Ok(is_same && target::is_orphaned(&doomed.project) == doomed.is_orphaned)
}
