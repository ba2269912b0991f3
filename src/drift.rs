//! What has changed since a container was made, said when it is opened. Nothing is recreated for it.

use std::time::Duration;

use crate::aside::aside;
use crate::build::Recipe;
use crate::config::{Image, Part};
use crate::context::Context;
use crate::engine::{Container, Listed, label};
use crate::entry::Entry;
use crate::made_with::{Flags, MadeWith};
use crate::plan::{self, Drift};
use crate::project::Project;
use crate::report;

/// It is said when everything is done, and only by an engine and a disk that answer at once: nobody waits for it.
const AT_ONCE: Duration = Duration::from_millis(300);

/// Says in one line what `wharf rebuild` would apply.
pub async fn tell(project: &Project, context: &Context) {
    if let Ok(Some(drift)) = tokio::time::timeout(AT_ONCE, Box::pin(drift_of(project, context))).await {
        report::note(&format!("{drift}; `wharf rebuild` applies it"), context);
    }
}

async fn drift_of(project: &Project, context: &Context) -> Option<String> {
    let container = context.engine().ok()?.container(&Entry::to(project, context).name()).await.ok()??;
    of(project, &container, context).await.line()
}

/// What `wharf rebuild` would apply to this container. Where nobody can say, that is nothing.
pub async fn of(project: &Project, container: &Container, context: &Context) -> Drift {
    let label = |name| container.labels.get(name).map(String::as_str);
    let image = async {
        let image = label(label::IMAGE)?;
        let now = context.engine().ok()?.image(image).await.ok()??;
        plan::image_drift(image, label(label::IMAGE_ID), Some(&now.id))
    };
    let (configuration, recipe) = configured(project, label(label::EFFECTIVE), context);
    let dockerfile = match (recipe, label(label::BUILD)) {
        (Some(recipe), Some(then)) => {
            let now = aside(move || recipe.inputs().map(str::to_owned).ok()).await.flatten();
            now.is_some_and(|now| now != then)
        }
        _ => false,
    };
    Drift { configuration, dockerfile, image: image.await }
}

/// The same for one of many: of a build, it looks only at the Dockerfile, the target and the arguments, and not at the context.
pub fn of_listed(listed: &Listed, image_id: Option<&str>, context: &Context) -> Drift {
    let image = plan::image_drift(&listed.image, listed.image_id.as_deref(), image_id);
    if listed.effective.is_none() {
        return Drift { image, ..Drift::default() };
    }
    let (configuration, recipe) = configured(&listed.project, listed.effective.as_deref(), context);
    let now = recipe.and_then(|recipe| recipe.description().ok());
    let dockerfile = now.zip(listed.dockerfile.as_ref()).is_some_and(|(now, then)| now != *then);
    Drift { configuration, dockerfile, image }
}

/// Whether the configuration has changed but for flags, and how the image is built.
fn configured(project: &Project, label: Option<&str>, context: &Context) -> (bool, Option<Recipe>) {
    let Some(then) = label.and_then(MadeWith::from_label) else {
        return (false, None);
    };
    let Flags { profile, image: is_by_flag, .. } = &then.flags;
    // A file that is wrong says so wherever it counts.
    let Ok(now) = context.configuration().effective(project, profile.as_deref(), Part::default()) else {
        return (false, None);
    };
    let recipe = match &now.config.image.value {
        Image::Built(build) if !is_by_flag => Some(Recipe::of(build, project)),
        _ => None,
    };
    (MadeWith::of(&now.config, then.flags.clone()) != then, recipe)
}
