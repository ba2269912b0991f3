//! `wharf rebuild`, and what `open --fresh` does of it

use std::process::ExitCode;

use super::consent::{self, Ending};
use super::stop::all_or_several;
use super::{Asked, choice};
use crate::cli::{Creation, Rebuild};
use crate::commands::target;
use crate::config::{Part, Source};
use crate::container::connect::Connector;
use crate::container::plan::{self, Made, Step};
use crate::container::recorded::{Flags, RecordedConfig};
use crate::container::spec;
use crate::container::wanted::Wanted;
use crate::context::Context;
use crate::engine::{Container, label};
use crate::error::{Error, Result};
use crate::output::print;
use crate::project::Project;

pub async fn run(args: Rebuild, context: &Context) -> Result<ExitCode> {
    let mut outcomes = Vec::new();
    // One after the other, because it may ask.
    for project in target::resolve_each(&args.targets, context).await {
        outcomes.push(match project {
            Ok(project) => rebuild(&project, &args, context).await,
            Err(error) => Err(error),
        });
    }
    all_or_several(outcomes)
}

async fn rebuild(project: &Project, args: &Rebuild, context: &Context) -> Result<()> {
    if args.dry_run {
        return Box::pin(say_what_would_change(project, &args.creation, context)).await;
    }
    let ending = Ending { verb: "rebuild", does: "Rebuild", force: args.force };
    if !Box::pin(recreate(project, &args.creation, ending, context)).await? {
        return Err(Error::NoContainer { project: project.to_string() });
    }
    print::line(format_args!("rebuilt {}", project.container_name()))
}

async fn say_what_would_change(project: &Project, creation: &Creation, context: &Context) -> Result<()> {
    let connector = Connector::to(project, context);
    let lifecycle = connector.lifecycle()?;
    let none = || Error::NoContainer { project: project.to_string() };
    let container = lifecycle.look(None).await?.container.ok_or_else(none)?;
    let asked = Asked::of(project, &as_it_was(project, creation, &container, context)?, context)?;
    let wanted = asked.wanted(context);
    let seen = lifecycle.look_to_replace(wanted.image).await?;
    let steps = plan::replace(project, &seen, wanted.image)?;
    let label = |name| container.labels.get(name).map(String::as_str);
    let old = Made {
        image: label(label::IMAGE).unwrap_or_default(),
        image_id: label(label::IMAGE_ID),
        workspace: &container.working_dir,
        read_only: container.read_only,
        user: &container.user,
    };
    let is_fetched = matches!(steps[..], [Step::Pull { .. } | Step::Build { .. }]);
    let new = Made {
        image: seen.image.as_ref().map_or(wanted.image.name, |image| &image.name),
        image_id: seen.image.as_ref().filter(|_| !is_fetched).map(|image| image.id.as_str()),
        workspace: &spec::working_dir(project, &wanted),
        read_only: wanted.read_only,
        // Who a user of the image is turns out when it is made.
        user: &if wanted.login.is_some() { container.user.clone() } else { wanted.user.id_pair() },
    };
    let mut changes: Vec<String> = plan::changes(&old, &new).iter().map(ToString::to_string).collect();
    if let Some(then) = label(label::EFFECTIVE).and_then(RecordedConfig::from_label) {
        // What has lines of its own.
        let told = if wanted.login.is_some() { &["image", "workspace"][..] } else { &["image", "workspace", "user"] };
        changes.extend(then.differences(wanted.recorded, told));
    }
    if let [Step::Build { .. }] = steps[..] {
        changes.push("Dockerfile: its image would be built".to_owned());
    }
    print::line(format_args!("would rebuild {}", container.name))?;
    if changes.is_empty() {
        print::line("  as it is: nothing has changed since it was made")?;
    }
    for change in changes {
        print::line(format_args!("  {change}"))?;
    }
    if container.state.can_attach() {
        let sessions = consent::live_sessions(&connector).await?;
        let names: Vec<&str> = sessions.iter().map(|session| session.name.as_str()).collect();
        if !names.is_empty() {
            print::line(format_args!("  would end live sessions: {}", names.join(", ")))?;
        }
    } else if container.state.is_up() {
        print::line(format_args!("  it is {}, so nobody can say whether sessions live in it", container.state))?;
    }
    Ok(())
}

/// Puts a new container in the place of the project's, once its sessions may be ended; whether it has one.
pub async fn recreate(project: &Project, creation: &Creation, ending: Ending, context: &Context) -> Result<bool> {
    let connector = Connector::to(project, context);
    let lifecycle = connector.lifecycle()?;
    let Some(container) = lifecycle.look(None).await?.container else {
        return Ok(false);
    };
    let asked = Asked::of(project, &as_it_was(project, creation, &container, context)?, context)?;
    let wanted = asked.wanted(context);
    let seen = lifecycle.look_to_replace(wanted.image).await?;
    // What cannot be done is said before it is asked.
    lifecycle.check_gpus(&wanted).await?;
    wanted.check(project, seen.container.as_ref())?;
    let steps = plan::replace(project, &seen, wanted.image)?;
    consent::refuse_unasked(ending, &connector, &seen).await?;
    // Before anybody is asked, or has to wait: it may take minutes, in which people go on working.
    lifecycle.fetch(&steps, &wanted).await?;
    let (lock, _) = consent::to_end_sessions(ending, &connector).await?;
    // What nobody has chosen stays what people know.
    let known = container.labels.get(label::SSH_PORT).and_then(|port| port.parse().ok());
    let ssh_port = if asked.ssh().is_some_and(|ssh| ssh.is_any) { known.or(wanted.ssh_port) } else { wanted.ssh_port };
    lifecycle.replace(&Wanted { ssh_port, ..wanted }, lock).await?;
    if asked.needs_set_up() {
        asked.set_up(&mut connector.running().await?, &connector).await?;
    }
    Ok(true)
}

/// What a new container is to be in the place of this one: what the flags said that it was made with, where the command line
/// says nothing else.
fn as_it_was(project: &Project, creation: &Creation, container: &Container, context: &Context) -> Result<Creation> {
    let label = |name| container.labels.get(name).map(String::as_str);
    let flags = if let Some(then) = label(label::EFFECTIVE).and_then(RecordedConfig::from_label) {
        then.flags
    } else {
        // By a wharf that has kept no configuration: what is configured now counts.
        let now = context.configuration().effective(project, choice(creation), Part::default())?.config;
        Flags { image: now.image.from == Source::Default, workspace: now.workspace.is_none(), ..Flags::default() }
    };
    let image = label(label::IMAGE).filter(|_| flags.image).map(str::to_owned);
    let workspace = Some(&container.working_dir)
        .filter(|directory| flags.workspace && !directory.is_empty() && *directory != project.as_str());
    let said = creation.clone();
    Ok(Creation {
        image: said.image.filter(|image| !image.is_empty()).or(image),
        workspace: said.workspace.or(workspace.cloned()),
        profile: said.profile.or(flags.profile),
        config: said.config.or(flags.config),
        read_only: said.read_only || container.read_only,
        auto_ports: said.auto_ports || flags.auto_ports,
        remove_on_exit: said.remove_on_exit || flags.on_exit,
        ssh_port: said.ssh_port.or(label(label::SSH_PORT).filter(|_| flags.ssh_port).and_then(|port| port.parse().ok())),
    })
}
