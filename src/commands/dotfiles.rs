//! A person's own files in a container's home directory: put there once in the life of that home.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::cp::pack;
use super::hooks;
use crate::config::Dotfiles;
use crate::container::connect::{Connected, Connector};
use crate::context::Context;
use crate::digest::short_sha256;
use crate::engine::Inspected;
use crate::error::{Error, Result};
use crate::output::{progress, report};
use crate::protocol::{Program, Run};

/// Where they are, below the home directory.
const PLACE: &str = ".dotfiles";

/// Puts them into the home directory and runs what installs them, unless that was done. What is wrong with them is no reason not to open
/// a session: it is said, and tried again the next time.
pub async fn install(dotfiles: &Dotfiles, connected: &mut Connected, connector: &Connector<'_>) -> Result<()> {
    let name = format!("dotfiles-{}", short_sha256(&dotfiles.source));
    if !home(&["claim", &name], connected, connector).await? {
        return Ok(());
    }
    if let Err(error) = Box::pin(put(dotfiles, connected, connector)).await {
        home(&["forget", &name], connected, connector).await?;
        report::note(&format!("the dotfiles are not installed: {error}"), connector.context);
    }
    Ok(())
}

/// Whether it could be noted.
async fn home(words: &[&str], connected: &mut Connected, connector: &Connector<'_>) -> Result<bool> {
    let words = ["home"].iter().chain(words).map(|&word| word.to_owned()).collect();
    let run = Run { program: Program::Own(words), environment: Vec::new(), directory: None, terminal: None, follow: None };
    let noted = connected.connection.output(run, &[]).await.map_err(|source| Error::lost(&connector.name(), source))?;
    Ok(noted.exit_code == 0)
}

async fn put(dotfiles: &Dotfiles, connected: &mut Connected, connector: &Connector<'_>) -> Result<()> {
    let engine = connector.context.engine()?;
    let none = || Error::Gone { container: connector.name() };
    let Inspected { container, home, .. } = engine.inspect(&connector.name()).await?.ok_or_else(none)?;
    let from = fetch(&dotfiles.source, connector.context).await?;
    progress::say_line(&format!("copying {} to {home}/{PLACE}", dotfiles.source));
    let owner = super::cp::owner(&container);
    let name = connector.name();
    engine.copy_in(name.as_str(), &home, move |into| pack(&from, Path::new(PLACE), owner, into)).await?;
    if dotfiles.install.is_empty() {
        return Ok(());
    }
    hooks::run_to_end(&dotfiles.install, &format!("~/{PLACE}"), "dotfiles", connected, connector).await
}

/// A directory of this machine with the files: the one that is named, or a clone that is as new as it can be.
async fn fetch(source: &str, context: &Context) -> Result<PathBuf> {
    let below_home = source.strip_prefix("~/").zip(context.home.as_deref()).map(|(rest, home)| home.join(rest));
    let named = below_home.unwrap_or_else(|| PathBuf::from(source));
    if named.is_dir() {
        return named.canonicalize().map_err(|error| Error::io(format!("read `{source}`"), error));
    }
    if !source.contains(':') {
        return Err(Error::NoSuchDirectory { path: named });
    }
    let clone = context.cache_dir.join("dotfiles").join(short_sha256(source));
    let failed = |error| Error::io(format!("clone `{source}`"), error);
    match fs::remove_dir_all(&clone) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut git = tokio::process::Command::new("git");
    // It asks nobody: there may be no terminal, or one that shows something else.
    git.args(["clone", "--quiet", "--depth", "1", "--recurse-submodules", "--", source])
        .arg(&clone)
        .env("GIT_TERMINAL_PROMPT", "0");
    let output = git.stdin(Stdio::null()).kill_on_drop(true).output().await.map_err(failed)?;
    if output.status.success() {
        return Ok(clone);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(failed(std::io::Error::other(said)))
}
