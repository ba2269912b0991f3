//! A project: what is configured for it, and its container.

use crate::commands::config::check_file;
use crate::config::{self, Choice, Config, DEFAULT_IMAGE, Image, Locations, Part, Waiting, own_file};
use crate::connection;
use crate::container::{drift, plan};
use crate::context::Context;
use crate::engine::Container;
use crate::error::{Error, Result};
use crate::image::build::Recipe;
use crate::model::{Condition, ContainerName};
use crate::paths;
use crate::project::Project;
use crate::quote;

use super::finding::Finding;
use super::{guest, tmux};

/// The image that a new container would be made of, and whether that is built for the project.
pub struct Wanted {
    pub image: String,
    pub is_built: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { image: DEFAULT_IMAGE.to_owned(), is_built: false }
    }
}

impl Wanted {
    fn of(config: &Config, project: &Project) -> Self {
        match &config.image.value {
            Image::Named(name) => Self { image: name.clone(), is_built: false },
            Image::Built(build) => Self { image: Recipe::of(build, project).tag, is_built: true },
        }
    }
}

/// What is wrong with what is configured, and which image it wants; without a project, only the global file is looked at.
pub fn configuration(locations: &Locations, project: Option<&Project>) -> (Vec<Finding>, Wanted) {
    const CHECK: &str = "config";
    let own = project.map(|project| own_file(project.path()));
    let devcontainers = project.map(|project| config::devcontainers_of(project.path())).unwrap_or_default();
    let mut counts = Vec::new();
    let mut findings = Vec::new();
    for file in [&locations.global].into_iter().chain(&own).chain(&devcontainers) {
        match check_file(file, locations) {
            Ok(None) => {}
            Ok(Some(_)) => counts.push(format!("`{}`", file.display())),
            Err(Error::Configuration { files }) => {
                let mistakes: usize = files.iter().map(|problems| problems.all.len()).sum();
                let plural = if mistakes == 1 { "" } else { "s" };
                let found = format!("{mistakes} mistake{plural} in `{}`", file.display());
                let word = quote::shell_if_needed(&file.to_string_lossy());
                findings.push(Finding::problem(CHECK, &found, &format!("`wharf config check {word}` shows them")));
            }
            Err(error) => findings.push(Finding::of(CHECK, &error, "make it a file that you can read")),
        }
    }
    if !findings.is_empty() {
        return (findings, Wanted::default());
    }
    let found = if counts.is_empty() { "no file, so the defaults count".to_owned() } else { counts.join(" and ") };
    findings.push(Finding::ok(CHECK, &found));
    let Some(project) = project else {
        return (findings, Wanted::default());
    };
    match locations.effective(project, Choice::default(), Part::default()) {
        Ok(effective) => {
            if effective.waiting.is_empty() {
                findings.push(Finding::ok(TRUST, "no line waits for it"));
            }
            findings.extend(effective.waiting.iter().map(trust));
            (findings, Wanted::of(&effective.config, project))
        }
        Err(error) => (vec![Finding::of(CHECK, &error, "`wharf config check` shows it")], Wanted::default()),
    }
}

const TRUST: &str = "trust";

fn trust(Waiting { project, file, lines }: &Waiting) -> Finding {
    let numbers: Vec<String> = lines.iter().map(|(number, _)| number.to_string()).collect();
    let (which, wait) =
        if numbers.len() == 1 { ("line", "waits for your trust, and has") } else { ("lines", "wait for your trust, and have") };
    let found = format!("{which} {} of `{}` {wait} no effect", numbers.join(", "), file.display());
    let directory = quote::shell_if_needed(&project.to_string_lossy());
    Finding::warning(TRUST, &found, &format!("read it, then `wharf trust {directory}`"))
}

/// The project's container: how it stands, whether it is reached without the engine, and what has changed since it was made.
pub async fn container(project: &Project, context: &Context) -> Vec<Finding> {
    const CHECK: &str = "container";
    let name = project.container_name();
    match look(project, &name, context).await {
        Ok(Some(container)) => {
            let mut findings = vec![condition(CHECK, &name, Condition::of(&container))];
            if container.state.can_attach() {
                findings.push(relay(project, &container, context).await);
            }
            findings.push(guest::inside(&container, context).await);
            if container.state.can_attach() {
                findings.push(tmux::inside(project, context).await);
            }
            let drift = drift::of(project, &container, context).await;
            let (what, hint) = plan::REPLACED;
            findings.extend(drift.is_replaced.then(|| Finding::warning("directory", what, hint)));
            findings.push(match drift.line() {
                Some(line) => Finding::warning("drift", &line, &format!("`wharf rebuild {name}` applies it")),
                None => Finding::ok("drift", "nothing has changed since it was made"),
            });
            findings
        }
        Ok(None) => vec![condition(CHECK, &name, Condition::None)],
        Err(error) => vec![Finding::of(CHECK, &error, "`wharf list` shows whether the engine answers")],
    }
}

/// What can be said of a project's container where no engine can be asked.
pub async fn container_without_engine(project: &Project, context: &Context) -> Vec<Finding> {
    const CHECK: &str = "container";
    let name = project.container_name();
    vec![match context.relays_of(project).knock(&name).await {
        Some(_) => Finding::ok(CHECK, &format!("`{name}` runs: its relay answers")),
        None => Finding::without_engine(CHECK),
    }]
}

async fn look(project: &Project, name: &ContainerName, context: &Context) -> Result<Option<Container>> {
    let container = context.engine()?.container(name).await?;
    container.map(|container| plan::refuse_foreign(project, &container).map(|()| container)).transpose()
}

fn condition(check: &'static str, name: &ContainerName, condition: Condition) -> Finding {
    let says = format!("`{name}`: {condition}");
    match condition {
        Condition::None => Finding::ok(check, "there is none yet; `wharf open` makes it"),
        Condition::Running | Condition::Starting | Condition::Paused | Condition::Stopped => Finding::ok(check, &says),
        Condition::Unhealthy => {
            Finding::warning(check, &says, &format!("`docker inspect {name}` has what its health check says"))
        }
        Condition::OutOfMemory => Finding::warning(check, &says, "`limits memory=` gives it more; `wharf open` starts it again"),
        Condition::Exited(_) => {
            Finding::warning(check, &says, &format!("`wharf logs {name}` may say why; `wharf open` starts it"))
        }
        Condition::NoEngine => Finding::warning(check, &says, "see to the engine first"),
    }
}

async fn relay(project: &Project, container: &Container, context: &Context) -> Finding {
    const CHECK: &str = "relay";
    if !context.relays_of(project).are_used() {
        return Finding::ok(CHECK, "not used: sessions are reached by the engine's exec, as configured");
    }
    let usual = paths::shared(&container.name, &context.state_dir);
    let directory = container.host_dir.as_deref().unwrap_or(&usual);
    if connection::knock(directory).await.is_some() {
        return Finding::ok(CHECK, "it answers");
    }
    let found = "it doesn't answer, so sessions are reached by the engine's exec";
    if paths::is_shared_with(directory, &container.user) {
        Finding::warning(CHECK, found, "the next `wharf open` starts it again; `wharf restart` does so at once")
    } else {
        Finding::ok(CHECK, &format!("{found}: the container runs as {}, who can't put a socket there", container.user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Verdict;

    #[test]
    fn what_ended_by_itself_is_worth_a_warning() {
        let name = Project::from_label("/srv/api").container_name();
        for of in Condition::ALL {
            let ok =
                matches!(of, Condition::Running | Condition::Starting | Condition::Paused | Condition::Stopped | Condition::None);
            let expected = if ok { Verdict::Ok } else { Verdict::Warning };
            assert_eq!(condition("container", &name, of).state, expected, "{of:?}");
        }
    }

    #[test]
    fn lines_that_wait_are_named_by_their_numbers() {
        let waiting = Waiting {
            project: "/srv/it's".into(),
            file: "/srv/it's/wharf.kdl".into(),
            lines: vec![(2, "port 80".to_owned()), (5, "mount \"/\"".to_owned())],
        };
        let found = "lines 2, 5 of `/srv/it's/wharf.kdl` wait for your trust, and have no effect";
        assert_eq!(trust(&waiting), Finding::warning("trust", found, r"read it, then `wharf trust '/srv/it'\''s'`"));
    }
}
