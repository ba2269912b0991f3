//! `wharf menu`

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use super::status;
use crate::commands::target;
use crate::connection::{control, ports};
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{Condition, Session, SessionName};
use crate::project::Project;
use crate::tmux::{At, Does, Item};

/// What is not known by then is left out. An engine that is only busy is waited for: it takes milliseconds otherwise.
const PATIENCE: Duration = Duration::from_secs(1);
/// Sessions that have a digit for a key.
const MOST_SESSIONS: usize = 9;

pub async fn run(context: &Context) -> Result<ExitCode> {
    let tmux = context.tmux("menu")?;
    let needs = |needs| Error::Needs { verb: "menu", needs };
    let pane = context.pane.as_ref().ok_or(needs("pane"))?;
    let client = match &context.client {
        Some(client) => client.clone(),
        None => tmux.client_of(pane)?.ok_or(needs("client"))?,
    };
    let project = target::at_hand(context)?;
    let name = project.container_name();
    let seen = tokio::time::timeout(PATIENCE, status::see(&name, context)).await;
    let mut published = Vec::new();
    let (condition, can_restart) = match seen {
        Ok(Ok(Some((container, _)))) => {
            published.extend(container.published.iter().map(|(port, _)| *port));
            (Condition::of(&container), !container.removes_itself())
        }
        Ok(Ok(None)) => (Condition::None, false),
        _ => (Condition::NoEngine, false),
    };
    let sessions = tokio::time::timeout(PATIENCE, sessions_of(&project, condition, context)).await.ok().flatten();
    let mut unreached = tokio::time::timeout(PATIENCE, listening(&project, context)).await.ok().flatten().unwrap_or_default();
    unreached.retain(|port| !published.contains(port));
    let wharf = env::current_exe().map_err(|source| Error::io("find wharf's own program", source))?;
    let at = At { client: &client, pane, wharf: &wharf.to_string_lossy() };
    let title = format!("{} · {condition}", project.short_name());
    let shown = tmux.place(pane).ok().and_then(|place| place.session);
    let mut items = items(&project, condition, can_restart, sessions.as_deref(), shown.as_ref());
    items.extend(forwards(&project, &unreached));
    tmux.show_menu(at, &title, &items)?;
    Ok(ExitCode::SUCCESS)
}

/// By the relay, which needs no engine, where there is one, from the tmux inside: the relay is not told which commands have
/// ended.
async fn sessions_of(project: &Project, condition: Condition, context: &Context) -> Option<Vec<Session>> {
    let connector = Connector::to(project, context);
    let mut connected = if context.relays_of(project).are_used() {
        connector.knock().await?
    } else if condition.has_sessions() {
        Box::pin(connector.running()).await.ok()?
    } else {
        return None;
    };
    control::sessions(&mut connected.connection, &connector.name()).await.ok()
}

/// At which ports somebody listens inside, where its relay says so.
async fn listening(project: &Project, context: &Context) -> Option<Vec<u16>> {
    let mut connected = Connector::to(project, context).knock().await?;
    ports::listening(&mut connected.connection).await.ok()
}

/// A way to each of the first ports at which somebody listens, and to which nothing leads.
fn forwards(project: &Project, ports: &[u16]) -> Vec<Item> {
    let container = project.container_name().to_string();
    let keys = "ABCDEFGHI".chars();
    let forward = |(port, key): (&u16, char)| {
        let words = ["forward", &container, &port.to_string()].map(str::to_owned).to_vec();
        Item::Choice { label: format!("Forward port {port}"), key, does: Does::Run(words) }
    };
    let line = (!ports.is_empty()).then_some(Item::Line);
    line.into_iter().chain(ports.iter().zip(keys).map(forward)).collect()
}

/// What can be done with a project whose container is in this condition. One that goes with its end cannot be restarted.
fn items(
    project: &Project,
    condition: Condition,
    can_restart: bool,
    sessions: Option<&[Session]>,
    shown: Option<&SessionName>,
) -> Vec<Item> {
    let container = project.container_name().to_string();
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let choice = |label: &str, key, does| Item::Choice { label: label.to_owned(), key, does };
    let mut items = Vec::new();
    for (session, key) in sessions.unwrap_or_default().iter().zip('1'..).take(MOST_SESSIONS) {
        let bell = if session.bell { " !" } else { "" };
        let ended = session.exit_code.map(|code| format!(" (exited {code})")).unwrap_or_default();
        let open = Does::Run(words(&["open", "--session", session.name.as_str()]));
        items.push(Item::Choice { label: format!("{}{bell}{ended}", session.name), key, does: open });
    }
    if !items.is_empty() {
        items.push(Item::Line);
    }
    let is_up = condition.has_sessions();
    let is_there = is_up || matches!(condition, Condition::Stopped | Condition::Exited(_) | Condition::OutOfMemory);
    items.push(choice("Open", 'o', Does::Run(words(&["open"]))));
    if shown.is_some() && sessions.is_some() {
        items.push(choice("Split right", '%', Does::Run(words(&["split", "right"]))));
        items.push(choice("Split below", '"', Does::Run(words(&["split", "below"]))));
        if let Some(session) = shown {
            let of_session = format!("{container}:{session}");
            items.push(choice(
                "Run again",
                'a',
                Does::Ask("Run the command of this session again?", words(&["restart", &of_session])),
            ));
            items.push(choice(
                "End session",
                'k',
                Does::Ask("End this session and all that runs in it?", words(&["kill", &of_session])),
            ));
        }
    }
    if is_there {
        items.push(Item::Line);
        if is_up {
            items.push(choice("Stop", 'x', Does::Ask("Stop the container and end its sessions?", words(&["stop", &container]))));
            let question = "Restart the container and end its sessions?";
            items.extend(
                can_restart.then(|| choice("Restart", 'r', Does::Ask(question, words(&["restart", "--force", &container])))),
            );
        } else {
            items.push(choice("Start", 's', Does::Run(words(&["start", &container]))));
        }
        items.push(choice("Rebuild", 'b', Does::Popup(words(&["rebuild", &container]))));
        items.push(choice("Fresh", 'f', Does::Popup(words(&["open", "--fresh", &container]))));
        items.push(Item::Line);
        items.push(choice("Log", 'l', Does::Page(words(&["logs", "--tail", "1000", &container]))));
        items.push(choice("Ports", 'p', Does::Page(words(&["ports", &container]))));
        items.push(choice("Inspect", 'i', Does::Page(words(&["inspect", &container]))));
    }
    items.push(choice("Configuration", 'c', Does::Page(words(&["config", "show"]))));
    items.push(choice("Doctor", 'd', Does::Page(words(&["doctor"]))));
    if condition == Condition::NoEngine {
        items.push(Item::Line);
        items.push(Item::Said("the rest needs the engine".to_owned()));
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(condition: Condition, can_restart: bool, sessions: Option<&[Session]>) -> String {
        let label = |item: &Item| match item {
            Item::Line => "-".to_owned(),
            Item::Said(text) => format!("({text})"),
            Item::Choice { label, key, .. } => format!("{key}:{label}"),
        };
        let items = items(&Project::from_label("/srv/api"), condition, can_restart, sessions, Some(&SessionName::default()));
        items.iter().map(label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_can_be_done_is_there() {
        let session = |name: &str| Session::new(name.parse().unwrap());
        let sessions =
            [session("main"), Session { bell: true, ..session("claude") }, Session { exit_code: Some(3), ..session("job") }];
        for (condition, can_restart, sessions, expected) in [
            (
                Condition::Running,
                true,
                Some(&sessions[..]),
                "1:main 2:claude ! 3:job (exited 3) - o:Open %:Split right \":Split below a:Run again \
                 k:End session - x:Stop r:Restart b:Rebuild f:Fresh \
                 - l:Log p:Ports i:Inspect c:Configuration d:Doctor",
            ),
            (
                Condition::Running,
                false,
                None,
                "o:Open - x:Stop b:Rebuild f:Fresh - l:Log p:Ports i:Inspect c:Configuration d:Doctor",
            ),
            (
                Condition::Stopped,
                true,
                None,
                "o:Open - s:Start b:Rebuild f:Fresh - l:Log p:Ports i:Inspect c:Configuration d:Doctor",
            ),
            (Condition::None, false, None, "o:Open c:Configuration d:Doctor"),
            (
                Condition::NoEngine,
                false,
                Some(&sessions[..1]),
                "1:main - o:Open %:Split right \":Split below a:Run again k:End session c:Configuration d:Doctor - (the rest needs the engine)",
            ),
        ] {
            assert_eq!(labels(condition, can_restart, sessions), expected);
        }
    }
}
