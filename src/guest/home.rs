//! A new home directory: what the image has for one, and what is to happen once in it.

use std::env;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::guest::command_line::HomeVerb;

/// Where an image keeps what is in a new home (useradd(8)).
const SKELETON: &str = "/etc/skel";
/// Below the home directory: a file for each thing that was done in it.
const DONE: &str = ".local/state/wharf/done";

pub fn run(verb: HomeVerb) -> ExitCode {
    match verb {
        HomeVerb::Claim(name) if claim(&name).is_ok() => ExitCode::SUCCESS,
        HomeVerb::Claim(_) => ExitCode::FAILURE,
        HomeVerb::Forget(name) => {
            let _ = marker(&name).map(fs::remove_file);
            ExitCode::SUCCESS
        }
    }
}

/// Copies the image's skeleton into a home that has not had it yet. What is there stays as it is.
pub fn furnish() {
    if Path::new(SKELETON).is_dir()
        && let Some(home) = home()
        && claim("skel").is_ok()
    {
        let _ = copy(Path::new(SKELETON), &home);
    }
}

/// Notes that something is done in this home; an error where it was, by whoever came first.
fn claim(name: &str) -> io::Result<()> {
    let marker = marker(name).ok_or(io::ErrorKind::NotFound)?;
    DirBuilder::new().recursive(true).mode(0o700).create(marker.parent().unwrap_or(Path::new("/")))?;
    OpenOptions::new().write(true).create_new(true).open(marker).map(drop)
}

fn marker(name: &str) -> Option<PathBuf> {
    home().map(|home| home.join(DONE).join(name))
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_dir())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, new) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let _ = fs::create_dir(&new);
            copy(&path, &new)?;
        } else if new.symlink_metadata().is_err() {
            if kind.is_symlink() { symlink(fs::read_link(&path)?, new)? } else { fs::copy(&path, new).map(drop)? }
        }
    }
    Ok(())
}
