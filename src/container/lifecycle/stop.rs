//! Stopping a container, and saying what did not end with it.

use crate::engine::Engine;
use crate::error::Result;
use crate::model::ContainerName;
use crate::output::progress;

/// Stops the container with this id, and names what did not end in time.
pub async fn stop(engine: &Engine, name: &ContainerName, id: &str) -> Result<()> {
    let left = engine.stop_container(name, id).await?;
    if !left.is_empty() {
        progress::note(&told(name, &left));
    }
    Ok(())
}

fn told(container: &ContainerName, left: &[String]) -> String {
    let programs: Vec<String> = left.iter().map(|program| format!("`{program}`")).collect();
    format!("not ended in time, and killed with container `{container}`: {}", programs.join(", "))
}
