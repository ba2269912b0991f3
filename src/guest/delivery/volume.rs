//! The volume with the tools, which every new container mounts: filled once for each engine and each version.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::engine::{Engine, Mount, label};
use crate::error::{Error, Result};
use crate::guest::delivery::Tools;
use crate::output::progress;
use crate::protocol::TOOLS_DIR;

/// How long to wait for other launches.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);
/// From this age on, a volume that nobody fills is taken for complete.
const OLD: Duration = Duration::from_secs(10);
/// After this, people hear what is being waited for.
const SOON: Duration = Duration::from_secs(1);
/// The last file that is put into it.
const COMPLETE: &str = "complete";

/// Makes sure that the engine has the volume.
///
/// It is filled by way of a container that is never started, whose name is the lock: the engine reserves the name before it
/// makes the volume, and the container is removed when the volume is complete. So an old volume without that container is
/// complete, and nothing has to be read. Of a new one this is not known: engine 20.10 shows a container of that name only
/// after the volume.
pub async fn ensure(engine: &Engine, tools: &Tools, image: &str) -> Result<()> {
    let volume = tools.volume();
    let name = format!("{volume}-filler");
    let started = Instant::now();
    let mut has_told = false;
    while started.elapsed() < PATIENCE {
        let is_old = engine.volume_age(volume).await?.is_some_and(|age| age > OLD);
        if is_old && !engine.filler_exists(&name).await? {
            return Ok(());
        }
        match fill(engine, tools, &name, image).await {
            Err(error) if error.is_lost_race() => {}
            outcome => return outcome,
        }
        if !has_told && started.elapsed() > SOON {
            progress::say_line("waiting for another wharf to put its tools on the engine");
            has_told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::EngineSlow { action: format!("fill volume `{volume}`"), within: PATIENCE })
}

async fn fill(engine: &Engine, tools: &Tools, name: &str, image: &str) -> Result<()> {
    let volume = tools.volume();
    let labels = labels(tools);
    // Whatever the image has there is not to be run.
    let mount = Mount::Volume { name: volume.to_owned(), target: TOOLS_DIR.to_owned(), labels: labels.clone(), is_kept: true };
    let filler = match engine.abandoned_filler(name).await? {
        // It is not removed before the volume is complete: without it, the volume would be taken for that.
        Some(abandoned) => abandoned,
        None => engine.create_filler(name, image, vec![mount], labels, None).await?,
    };
    let outcome = async {
        if engine.path_exists(&filler, &format!("{TOOLS_DIR}/{COMPLETE}")).await? {
            return Ok(());
        }
        progress::say_line("putting wharf's tools on the engine");
        let packed = tools.archive(Path::new("")).and_then(|mut archive| {
            archive.file(COMPLETE, 0o444, b"")?;
            Ok(archive)
        });
        let archive = packed.map_err(|source| Error::io("pack wharf's tools", source))?;
        engine.put(&filler, TOOLS_DIR, archive).await
    };
    match outcome.await {
        // Whoever comes next finds it, and completes it.
        Err(error) if error.is_engine_lost() => Err(error),
        outcome => {
            let mut removed = engine.remove_filler(&filler).await;
            if outcome.is_err() && removed.is_ok() {
                // Nobody is to take it for complete.
                removed = engine.remove_unused(volume).await;
            }
            outcome.and(removed)
        }
    }
}

fn labels(tools: &Tools) -> HashMap<String, String> {
    [(label::WHARF, "true".to_owned()), (label::TOOLS, tools.launch().to_string())]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}
