//! What is being done about a container, said while it is done.

use std::io::{self, IsTerminal};

use anstyle::Style;

use crate::plan::Step;
use crate::project::ContainerName;

const QUIET: Style = Style::new().dimmed();

/// Says a step on a terminal. Elsewhere, output is for who asked, and a step is no output.
pub fn say(step: &Step, container: &ContainerName) {
    if let Some(text) = text(step, container).filter(|_| io::stderr().is_terminal()) {
        anstream::eprintln!("{QUIET}{text}{QUIET:#}");
    }
}

fn text(step: &Step, container: &ContainerName) -> Option<String> {
    Some(match step {
        Step::Create { image } => format!("creating container {container} from {}", image.name),
        Step::Start => format!("starting container {container}"),
        Step::Unpause => format!("resuming container {container}"),
        Step::LookAgain => format!("waiting for container {container}"),
        // A moment's work, or told of when it is done.
        Step::CreateHomeVolume | Step::Prepare | Step::Stop | Step::RemoveContainer | Step::RemoveVolumes => return None,
    })
}
