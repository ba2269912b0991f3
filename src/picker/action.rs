//! What the picker has done to a container: by the same commands that people type, whose words it shows.

use std::env;
use std::process::Stdio;

use tokio::process::Command;

use super::keys::Action;
use super::screen::Choice;

/// What is said while it is done, and then.
pub fn words(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::Stop => ("stopping", "stopped"),
        Action::Restart => ("restarting", "restarted"),
        Action::Fresh => ("recreating", "recreated"),
        Action::Remove => ("removing", "removed"),
        Action::Kill => ("ending the session of", "ended the session of"),
        Action::RunAgain => ("running again in", "ran again in"),
        _ => ("opening", "opened"),
    }
}

/// Ends with the words of the command that failed.
pub async fn take(action: Action, choice: &Choice) -> Result<(), String> {
    // The name of what exists, which says exactly which container is meant.
    let name = choice.project.container_name().to_string();
    let session = choice.session.clone().unwrap_or_default().to_string();
    match action {
        Action::Stop => wharf(&["stop", &name]).await,
        Action::Restart => wharf(&["restart", "--force", &name]).await,
        Action::Fresh => wharf(&["open", "--fresh", "--force", "--detach", "--session", &session, &name]).await,
        Action::Remove => wharf(&["rm", "--force", &name]).await,
        Action::Kill => wharf(&["kill", &format!("{name}:{session}")]).await,
        Action::RunAgain => wharf(&["restart", &format!("{name}:{session}")]).await,
        Action::NewSession | Action::Split | Action::Logs | Action::Copy => Ok(()),
    }
}

async fn wharf(arguments: &[&str]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("could not run `wharf {}`: {error}", arguments[0]);
    let mut wharf = Command::new(env::current_exe().map_err(failed)?);
    wharf.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = wharf.output().await.map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let errors: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    Err(if errors.is_empty() { said.trim().to_owned() } else { errors.join(" · ") })
}
