//! `wharf prune`

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use super::{consent, sources};
use crate::cli::Prune;
use crate::context::Context;
use crate::engine::{Beside, Engine, Idle};
use crate::error::{Error, Result};
use crate::places;
use crate::plan::{self, Belongings, Consent, Pruned, Rules, consent};
use crate::print;
use crate::project::{ContainerName, Project};
use crate::quote;
use crate::target;
use crate::tools::Tools;

/// Longer than it takes to start one that was created.
const STRANDED: Duration = Duration::from_secs(60);

pub async fn run(args: Prune, context: &Context) -> Result<ExitCode> {
    let engine = context.engine()?;
    let rules = Rules { all: args.all, older_than: args.older_than };
    let doomed = plan::prune(Box::pin(belongings(engine, rules)).await?, rules);
    if !args.dry_run {
        ask(&doomed, args.force)?;
    }
    // Asked for before anything is gone, so that a dry run says the same.
    let stranded = engine.stranded_containers(STRANDED).await?;
    let fillers = engine.stranded_fillers(STRANDED).await?;
    let leftovers = leftovers(engine, &doomed).await?;
    let names = doomed.iter().filter(|of| of.container.is_some()).map(|of| of.project.container_name().to_string());
    let going: Vec<String> =
        names.chain(stranded.iter().chain(&fillers).cloned()).chain(leftovers.iter().map(name_beside)).collect();
    // Before the volumes that they hold.
    let mut pruned = prune_fillers(engine, fillers, args.dry_run).await?;
    for of_project in &doomed {
        pruned.extend(Box::pin(prune_project(engine, of_project, args.dry_run, context)).await?);
    }
    pruned.extend(prune_leftovers(engine, &leftovers, args.dry_run, context).await?);
    pruned.extend(prune_stranded(engine, stranded, args.dry_run).await?);
    pruned.extend(prune_networks(engine, &going, args.dry_run, context).await?);
    pruned.extend(prune_tools(engine, &going, args.dry_run, context).await?);
    pruned.extend(prune_directories(engine, args.dry_run, context).await?);
    let verb = if args.dry_run { "would remove" } else { "removed" };
    for what in &pruned {
        print::line(format_args!("{verb} {what}"))?;
    }
    if pruned.is_empty() {
        print::line("nothing to prune")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the engine has of each project of which something may go.
async fn belongings(engine: &Engine, rules: Rules) -> Result<Vec<Belongings>> {
    let mut projects: BTreeMap<Project, Belongings> = BTreeMap::new();
    let of = |project: &Project| {
        let (project, is_orphaned) = (project.clone(), target::is_orphaned(project));
        Belongings { project, is_orphaned, container: None, has_aside: false, volumes: Vec::new() }
    };
    for (name, project, age) in engine.projects_volumes().await? {
        projects.entry(project.clone()).or_insert_with(|| of(&project)).volumes.push((name, age));
    }
    for listed in engine.containers().await? {
        let had = projects.entry(listed.project.clone()).or_insert_with(|| of(&listed.project));
        if had.is_orphaned || rules.all {
            had.container = engine.idle(&listed.name).await?;
        }
    }
    for (project, place) in engine.all_beside().await? {
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

/// Removes it in the order of its names, unless it has been used since it was looked at.
async fn prune_project(engine: &Engine, doomed: &Pruned, dry_run: bool, context: &Context) -> Result<Vec<String>> {
    if dry_run {
        return Ok(names(doomed));
    }
    let _lock = places::lock(&context.state_dir).await?;
    let name = doomed.project.container_name();
    let is_same = |now: &Option<Idle>| match (now, &doomed.container) {
        (Some(now), Some(then)) => now.id == then.id && now.state.is_up() == then.state.is_up(),
        (now, then) => now.is_none() == then.is_none(),
    };
    if target::is_orphaned(&doomed.project) != doomed.is_orphaned || !is_same(&engine.idle(&name).await?) {
        return Ok(Vec::new());
    }
    if doomed.container.is_some() {
        engine.remove_container(&name).await?;
        places::remove(&name, &context.state_dir)?;
    }
    if doomed.aside {
        engine.remove_beside(&doomed.project, &name, Beside::Aside).await?;
    }
    for volume in &doomed.volumes {
        engine.remove_volume(&name, volume).await?;
    }
    Ok(names(doomed))
}

/// What a rebuild that was killed has left beside a container. What it has set aside is the project's own where there is
/// no other that runs.
async fn leftovers(engine: &Engine, doomed: &[Pruned]) -> Result<Vec<(Project, Beside)>> {
    let mut leftovers = Vec::new();
    for (project, place) in engine.all_beside().await? {
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

async fn prune_leftovers(
    engine: &Engine,
    leftovers: &[(Project, Beside)],
    dry_run: bool,
    context: &Context,
) -> Result<Vec<String>> {
    if !dry_run && !leftovers.is_empty() {
        // A rebuild that is at it has the lock, and leaves nothing.
        let _lock = places::lock(&context.state_dir).await?;
        for (project, place) in leftovers {
            engine.remove_beside(project, &project.container_name(), *place).await?;
        }
    }
    Ok(leftovers.iter().map(|leftover| format!("container {}", name_beside(leftover))).collect())
}

/// Containers of `run` whose client was killed before they could run.
async fn prune_stranded(engine: &Engine, stranded: Vec<String>, dry_run: bool) -> Result<Vec<String>> {
    if !dry_run {
        for name in stranded.iter().filter_map(|name| name.parse::<ContainerName>().ok()) {
            engine.throw_away_container(&name).await?;
        }
    }
    Ok(stranded.into_iter().map(|name| format!("container {name}")).collect())
}

/// Containers that were to put files into volumes, for launches that were killed.
async fn prune_fillers(engine: &Engine, fillers: Vec<String>, dry_run: bool) -> Result<Vec<String>> {
    if !dry_run {
        for name in &fillers {
            engine.remove_filler(name).await?;
        }
    }
    Ok(fillers.into_iter().map(|name| format!("container {name}")).collect())
}

/// The tools of other versions, where no container mounts them. This version's stay for the next container.
async fn prune_tools(engine: &Engine, going: &[String], dry_run: bool, context: &Context) -> Result<Vec<String>> {
    let current = Tools::gather(&sources(context))?;
    let mut pruned = Vec::new();
    for volume in engine.unused_tools(going).await?.into_iter().filter(|volume| volume != current.volume()) {
        let removed = if dry_run { Ok(()) } else { engine.remove_tools(&volume).await };
        match removed {
            // Mounted since it was listed.
            Err(error) if error.is_status(409) => {}
            removed => {
                removed?;
                pruned.push(format!("volume {volume}"));
            }
        }
    }
    Ok(pruned)
}

/// The networks that no container is in.
async fn prune_networks(engine: &Engine, going: &[String], dry_run: bool, context: &Context) -> Result<Vec<String>> {
    let mut pruned = Vec::new();
    for network in engine.unused_networks(going).await? {
        let is_removed = dry_run || {
            let _lock = places::lock_networks(&context.state_dir).await?;
            engine.remove_unused_network(&network).await?
        };
        if is_removed {
            pruned.push(format!("network wharf-{network}"));
        }
    }
    Ok(pruned)
}

/// What the host shared with containers that are gone.
async fn prune_directories(engine: &Engine, dry_run: bool, context: &Context) -> Result<Vec<String>> {
    let mut pruned = Vec::new();
    // A container that was set aside needs what its name has.
    let beside = engine.all_beside().await?;
    for name in places::names(&context.state_dir) {
        let has_beside = beside.iter().any(|(project, _)| project.container_name() == name);
        if has_beside || engine.container(&name).await?.is_some() {
            continue;
        }
        if !dry_run {
            places::remove(&name, &context.state_dir)?;
        }
        pruned.push(format!("directory {}", places::shared(&name, &context.state_dir).display()));
    }
    Ok(pruned)
}
