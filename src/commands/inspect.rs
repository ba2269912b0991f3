//! `wharf inspect`

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use super::hooks;
use crate::cli::Inspect;
use crate::commands::target;
use crate::connection::{self, control};
use crate::container::connect::Connector;
use crate::container::{drift, plan, provision};
use crate::context::Context;
use crate::engine::{Mounted, label};
use crate::error::{Error, Result};
use crate::model::{InnerTmux, State};
use crate::output::local::local_of;
use crate::output::print;
use crate::project::Project;
use crate::protocol::TOOLS_DIR;
use crate::protocol::hooks::Hooks;

/// How long a container may take to say its sessions.
const SESSIONS: Duration = Duration::from_millis(1500);

/// What `sudo #true` gives up.
const SUDO: &str = "yes: without no-new-privileges, any setuid program may gain what root has here";

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of what is printed")]
struct Shown {
    name: String,
    project: String,
    orphaned: bool,
    container: String,
    id: String,
    state: State,
    /// What it ended with, where it has.
    exit_code: Option<i64>,
    image: String,
    image_id: String,
    drift: Vec<String>,
    /// What becomes of it when its last session ends: `keep`, `stop` or `remove`.
    on_exit: String,
    created_at: String,
    user: String,
    /// Whether programs of the user may become root's, which a person has configured.
    sudo: bool,
    /// The image's users whose number or name that one has.
    hides: Vec<String>,
    workspace: String,
    read_only: bool,
    /// `null` where the container did not say in time.
    sessions: Option<Vec<String>>,
    /// `null` where it does not run, or did not say in time.
    hooks: Option<Hooks>,
    /// Which tmux keeps the sessions; `null` where it did not say in time.
    tmux: Option<String>,
    /// Whether somebody of this version answers at the relay's socket.
    relay: bool,
    /// The volume.
    tools: Option<String>,
    mounts: Vec<Mounted>,
    labels: BTreeMap<String, String>,
}

pub async fn run(args: Inspect, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.target.as_deref(), context).await?;
    let shown = Box::pin(inspect(&project, context)).await?;
    if args.json {
        print::json(&shown)?;
    } else {
        print::text(&text(&shown))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn inspect(project: &Project, context: &Context) -> Result<Shown> {
    let connector = Connector::to(project, context);
    let none = || Error::NoContainer { project: project.to_string() };
    let inspected = context.engine()?.inspect(&connector.name()).await?.ok_or_else(none)?;
    let container = inspected.container;
    plan::refuse_foreign(project, &container)?;
    let relay = match &container.host_dir {
        Some(directory) => connection::knock(directory).await.is_some(),
        None => false,
    };
    let inside = if container.state.can_attach() { inside(&connector).await } else { None };
    let (sessions, hooks, tmux) = match inside {
        Some((sessions, hooks, tmux)) => (Some(sessions), hooks, tmux),
        None => ((!container.state.can_attach()).then(Vec::new), None, None),
    };
    let label = |name| container.labels.get(name).cloned().unwrap_or_default();
    let tools = inspected.mounts.iter().find(|mounted| mounted.target == TOOLS_DIR);
    Ok(Shown {
        name: project.short_name().to_owned(),
        project: project.to_string(),
        orphaned: target::is_orphaned(project),
        container: container.name.to_string(),
        exit_code: (container.state == State::Exited).then_some(container.exit_code),
        image: label(label::IMAGE),
        image_id: label(label::IMAGE_ID),
        drift: drift::of(project, &container, context).await.sentences(),
        on_exit: container.labels.get(label::ON_EXIT).map_or("keep", String::as_str).to_owned(),
        created_at: label(label::CREATED_AT),
        relay,
        sessions,
        hooks,
        tmux: tmux.map(|tmux| tmux.sentence()),
        tools: tools.map(|mounted| mounted.source.clone()),
        id: container.id,
        state: container.state,
        hides: if container.user == context.user.id_pair() {
            provision::hidden_users(
                &context.user,
                &context.cache_dir,
                container.labels.get(label::IMAGE_ID).map_or("", String::as_str),
            )
        } else {
            Vec::new()
        },
        user: container.user,
        sudo: inspected.gains_rights,
        workspace: container.working_dir,
        read_only: container.read_only,
        mounts: inspected.mounts,
        labels: container.labels.into_iter().collect(),
    })
}

async fn inside(connector: &Connector<'_>) -> Option<(Vec<String>, Option<Hooks>, Option<InnerTmux>)> {
    let ask = async {
        let mut connected = connector.running().await.ok()?;
        let sessions = connected.connection.sessions().await.ok()?;
        let names = sessions.iter().map(|session| session.name.to_string()).collect();
        let hooks = hooks::state(&mut connected.connection).await;
        Some((names, hooks, control::inner_tmux(&mut connected.connection).await))
    };
    tokio::time::timeout(SESSIONS, ask).await.ok()?
}

/// A line for each key; more than one value of a key are below each other.
fn text(shown: &Shown) -> String {
    let orphaned = if shown.orphaned { " (gone)" } else { "" };
    let exit_code = shown.exit_code.map(|code| format!(" (exit code {code})")).unwrap_or_default();
    let or_dash = |values: Vec<String>| if values.is_empty() { vec!["-".to_owned()] } else { values };
    let mount = |mounted: &Mounted| {
        let read_only = if mounted.read_only { " (read-only)" } else { "" };
        format!("{} ← {} {}{read_only}", mounted.target, mounted.kind, mounted.source)
    };
    let hides =
        if shown.hides.is_empty() { String::new() } else { format!(" (in place of the image's {})", shown.hides.join(", ")) };
    let mut image = vec![format!("{} ({})", shown.image, shown.image_id)];
    image.extend(shown.drift.iter().map(|drift| format!("{drift}; `wharf rebuild` applies it")));
    let kinds = shown.hooks.iter().flat_map(|hooks| [("on-create", &hooks.on_create), ("on-start", &hooks.on_start)]);
    let hooks = kinds.filter_map(|(name, outcome)| Some(format!("{name} {}", outcome.as_ref()?))).collect();
    let lines = [
        ("project", vec![format!("{}{orphaned}", shown.project)]),
        ("container", vec![shown.container.clone()]),
        ("id", vec![shown.id.clone()]),
        ("state", vec![format!("{}{exit_code}", shown.state)]),
        ("image", image),
        ("created", vec![local_of(&shown.created_at)]),
        ("on exit", vec![shown.on_exit.clone()]),
        ("user", vec![format!("{}{hides}", shown.user)]),
        ("sudo", vec![if shown.sudo { SUDO } else { "no: nobody becomes root from within" }.to_owned()]),
        ("workspace", vec![shown.workspace.clone()]),
        ("read-only", vec![if shown.read_only { "yes" } else { "no" }.to_owned()]),
        ("sessions", shown.sessions.clone().map_or_else(|| vec!["?".to_owned()], or_dash)),
        ("hooks", or_dash(hooks)),
        ("tmux", or_dash(shown.tmux.iter().cloned().collect())),
        ("relay", vec![if shown.relay { "answers" } else { "does not answer" }.to_owned()]),
        ("tools", or_dash(shown.tools.iter().cloned().collect())),
        ("mounts", or_dash(shown.mounts.iter().map(mount).collect())),
        ("labels", or_dash(shown.labels.iter().map(|(name, value)| format!("{name}={value}")).collect())),
    ];
    let mut text = String::new();
    for (key, values) in lines {
        for (index, value) in values.iter().enumerate() {
            let key = if index == 0 { key } else { "" };
            // A directory's name is shown and not obeyed by the terminal.
            let value: String = value.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            text.extend([&format!("{key:<10} "), value.as_str(), "\n"]);
        }
    }
    text
}
