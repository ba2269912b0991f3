//! Questions and orders to the tmux inside, by exec.

use super::{SessionName, commands};
use crate::engine::{Engine, ExecSpec, Output};
use crate::error::{Error, Result};
use crate::project::ContainerName;

/// The runtime's exit codes for a program that it could not run, or find.
const NOT_RUN: [i64; 2] = [126, 127];

/// The sessions that run in a container; none where its tmux does not run.
pub async fn list(engine: &Engine, container: &ContainerName) -> Result<Vec<SessionName>> {
    let listed = engine.output(container, ExecSpec { command: commands::list(), ..ExecSpec::default() }).await?;
    // tmux exits with 1 where no server runs.
    if listed.exit_code != 0 {
        return Ok(Vec::new());
    }
    Ok(String::from_utf8_lossy(&listed.stdout).lines().filter_map(|line| line.parse().ok()).collect())
}

pub async fn exists(engine: &Engine, container: &ContainerName, session: &SessionName) -> Result<bool> {
    let asked = engine.output(container, ExecSpec { command: commands::exists(session), ..ExecSpec::default() }).await?;
    Ok(asked.exit_code == 0)
}

/// Starts a session without a client, in the container's working directory. One that runs is fine, unless it was to run
/// a command.
pub async fn create(
    engine: &Engine,
    container: &ContainerName,
    session: &SessionName,
    command: &[String],
    environment: Vec<String>,
) -> Result<()> {
    let spec = ExecSpec { command: commands::create(session, command), environment, ..ExecSpec::default() };
    let created = engine.output(container, spec).await?;
    match created.exit_code {
        0 => Ok(()),
        code if could_not_run(code) => Err(Error::NoTmux { container: container.clone() }),
        _ if exists(engine, container, session).await? => {
            if command.is_empty() {
                Ok(())
            } else {
                Err(Error::SessionRuns { container: container.clone(), session: session.clone() })
            }
        }
        _ => Err(refused(container, &created)),
    }
}

/// Whether the exit code says that the image has no such program.
pub fn could_not_run(exit_code: i64) -> bool {
    NOT_RUN.contains(&exit_code)
}

fn refused(container: &ContainerName, output: &Output) -> Error {
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Error::Engine { action: format!("start a session in container `{container}`"), message, status: None }
}
