//! What people read while a step is taken.

use crate::container::plan::Step;
use crate::model::ContainerName;

/// `None` for a moment's work, and for what is told of when it is done.
pub(super) fn text(step: &Step, container: &ContainerName) -> Option<String> {
    Some(match step {
        Step::Create { image } | Step::CreateNext { image } => format!("creating container {container} from {}", image.name),
        Step::Start => format!("starting container {container}"),
        Step::Unpause => format!("resuming container {container}"),
        Step::LookAgain => format!("waiting for container {container}"),
        _ => return None,
    })
}
