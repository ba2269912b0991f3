//! What has changed since a container was made, said when it is opened. Nothing is recreated for it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use crate::config::{self, Build, Image, Locations, Part};
use crate::container::connect::Connector;
use crate::container::plan::{self, Drift};
use crate::container::recorded::RecordedConfig;
use crate::context::Context;
use crate::deadline::on_thread_within;
use crate::engine::{Container, Listed, label};
use crate::image::build::Recipe;
use crate::output::report;
use crate::project::Project;
use crate::protocol::Directory;

/// It is said when everything is done, and only by an engine and a disk that answer at once: nobody waits for it.
const AT_ONCE: Duration = Duration::from_millis(300);

/// How long the disk that a project is on may take to say what its files are now.
const PATIENCE: Duration = Duration::from_millis(500);

/// How much is looked at of what an image is built of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// The Dockerfile, the target and the arguments.
    Dockerfile,
    /// The whole context as well, which can be of any size.
    Context,
}

/// Says what `wharf rebuild`, or `restart`, would apply.
pub async fn tell(project: &Project, context: &Context) {
    let Ok(Some(drift)) = tokio::time::timeout(AT_ONCE, Box::pin(drift_of(project, context))).await else {
        return;
    };
    if drift.is_replaced {
        let (what, hint) = plan::REPLACED;
        report::note(&format!("{what}; {hint}"), context);
    }
    if let Some(line) = drift.line() {
        report::note(&format!("{line}; `wharf rebuild` applies it"), context);
    }
}

async fn drift_of(project: &Project, context: &Context) -> Option<Drift> {
    let container = context.engine().ok()?.container(&Connector::to(project, context).name()).await.ok()??;
    Some(look(project, &container, Depth::Context, context).await)
}

/// Whether the container has another directory than the one that is at the project's path now. Only its relay is asked.
async fn is_replaced(project: &Project, container: &Container, context: &Context) -> bool {
    let Some(connection) = context.relays_of(project).knock(&container.name).await else {
        return false;
    };
    let (Some(theirs), path) = (connection.claimed_directory(), project.path().to_owned()) else {
        return false;
    };
    let now = on_thread_within(PATIENCE, move || Directory::at(&path).ok()).await.flatten();
    now.is_some_and(|now| theirs.was_replaced_by(&now))
}

/// What `wharf rebuild` would apply to this container. Where nobody can say, that is nothing. Of a build, it looks only at the
/// Dockerfile, the target and the arguments: a status bar asks again and again.
pub async fn of(project: &Project, container: &Container, context: &Context) -> Drift {
    look(project, container, Depth::Dockerfile, context).await
}

async fn look(project: &Project, container: &Container, depth: Depth, context: &Context) -> Drift {
    let label = |name| container.labels.get(name).map(String::as_str);
    let image = async {
        let image = label(label::IMAGE)?;
        let now = context.engine().ok()?.image(image).await.ok()??;
        plan::image_drift(image, label(label::IMAGE_ID), Some(&now.id))
    };
    let outcome = async {
        let (project, label, locations) = (project.clone(), label(label::EFFECTIVE)?.to_owned(), context.configuration());
        on_thread_within(PATIENCE, move || compare(&project, &label, &locations)).await?
    };
    let outcome = outcome.await;
    let recipe = outcome.as_ref().and_then(|outcome| Some(Recipe::of(outcome.build.as_ref()?, project)));
    let then = label(if depth == Depth::Context { label::BUILD } else { label::DOCKERFILE });
    let dockerfile = match (recipe, then) {
        (Some(recipe), Some(then)) => {
            let inputs = move || match depth {
                Depth::Context => recipe.inputs().map(str::to_owned).ok(),
                Depth::Dockerfile => recipe.description().ok(),
            };
            on_thread_within(PATIENCE, inputs).await.flatten().is_some_and(|now| now != then)
        }
        _ => false,
    };
    let is_replaced = is_replaced(project, container, context).await;
    Drift { configuration: outcome.is_some_and(|outcome| outcome.has_changed), dockerfile, image: image.await, is_replaced }
}

/// What has changed since a container was made, as it is listed; `image_id` is what its image's name stands for now.
pub async fn of_listed(listed: &Listed, image_id: Option<String>, context: &Context) -> Drift {
    let (listed, comparison) = (listed.clone(), Comparison::new(context));
    on_thread_within(PATIENCE, move || comparison.of(&listed, image_id.as_deref())).await.unwrap_or_default()
}

/// Compares many containers, each with what its project's files say now. What is alike in them is found out once.
pub struct Comparison {
    locations: Locations,
    /// By the label, what it comes to in a project that has no file of its own.
    without_file: RefCell<HashMap<String, Option<Outcome>>>,
}

/// What has become of the configuration that a container was made with.
#[derive(Clone)]
struct Outcome {
    /// But for flags.
    has_changed: bool,
    /// How its image is built now, where it is.
    build: Option<Build>,
}

impl Comparison {
    pub fn new(context: &Context) -> Self {
        Self { locations: context.configuration(), without_file: RefCell::default() }
    }

    /// Of a build, it looks only at the Dockerfile, the target and the arguments, and not at the context. Reads the disk for
    /// as long as that takes.
    pub fn of(&self, listed: &Listed, image_id: Option<&str>) -> Drift {
        let image = plan::image_drift(&listed.image, listed.image_id.as_deref(), image_id);
        let Some(outcome) = listed.effective.as_deref().and_then(|label| self.outcome(&listed.project, label)) else {
            return Drift { image, ..Drift::default() };
        };
        let recipe = outcome.build.map(|build| Recipe::of(&build, &listed.project));
        let description = recipe.and_then(|recipe| recipe.description().ok());
        let dockerfile = description.zip(listed.dockerfile.as_ref()).is_some_and(|(now, then)| now != *then);
        Drift { configuration: outcome.has_changed, dockerfile, image, is_replaced: false }
    }

    /// `None` where nobody can say.
    fn outcome(&self, project: &Project, label: &str) -> Option<Outcome> {
        if config::may_have_file(project) {
            return compare(project, label, &self.locations);
        }
        if let Some(known) = self.without_file.borrow().get(label) {
            return known.clone();
        }
        let outcome = compare(project, label, &self.locations);
        self.without_file.borrow_mut().insert(label.to_owned(), outcome.clone());
        outcome
    }
}

fn compare(project: &Project, label: &str, locations: &Locations) -> Option<Outcome> {
    let then = RecordedConfig::from_label(label)?;
    let is_by_flag = then.flags.image;
    // A file that is wrong says so wherever it counts.
    let now = locations.effective(project, then.flags.choice(), Part::default()).ok()?;
    let has_changed = RecordedConfig::of(&now.config, then.flags.clone()) != then;
    let build = match now.config.image.value {
        Image::Built(build) if !is_by_flag => Some(build),
        _ => None,
    };
    Some(Outcome { has_changed, build })
}
