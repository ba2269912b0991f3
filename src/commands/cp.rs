//! `wharf cp`

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use walkdir::WalkDir;

use crate::cli::{Cp, Place};
use crate::commands::target;
use crate::container::plan;
use crate::context::Context;
use crate::engine::{Archived, Container, Inspected};
use crate::error::{Error, Result};
use crate::project;

pub async fn run(args: Cp, context: &Context) -> Result<ExitCode> {
    match (args.from, args.to) {
        (Place::Here(from), Place::Inside { target, path }) => {
            let inside = Inside::find(target.as_deref(), &path, context).await?;
            Box::pin(copy_in(&from, &inside, context)).await?;
        }
        (Place::Inside { target, path }, Place::Here(to)) => {
            let inside = Inside::find(target.as_deref(), &path, context).await?;
            Box::pin(copy_out(&inside, to, context)).await?;
        }
        (Place::Here(_), Place::Here(_)) => return Err(Error::OneSide { sides: "both are on this machine" }),
        (Place::Inside { .. }, Place::Inside { .. }) => return Err(Error::OneSide { sides: "both are in containers" }),
    }
    Ok(ExitCode::SUCCESS)
}

/// A path in a container.
struct Inside {
    container: Container,
    /// Absolute.
    path: PathBuf,
    /// Whether what is copied belongs into what is there, as a slash at the end says.
    is_directory: bool,
}

impl Inside {
    /// Relative to the project; below the home directory where it begins with `~`.
    async fn find(target: Option<&str>, path: &str, context: &Context) -> Result<Self> {
        let project = target::resolve(target, context).await?;
        let none = || Error::NoContainer { project: project.to_string() };
        let inspected = context.engine()?.inspect(&project.container_name()).await?.ok_or_else(none)?;
        plan::refuse_foreign(&project, &inspected.container)?;
        let Inspected { container, home, .. } = inspected;
        let below_home = path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let absolute = match below_home {
            Some(rest) => Path::new(&home).join(rest.trim_start_matches('/')),
            None => Path::new(&container.working_dir).join(path),
        };
        Ok(Self { is_directory: path.is_empty() || path.ends_with('/'), path: project::normal(&absolute), container })
    }

    fn text(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }
}

async fn copy_in(from: &Path, to: &Inside, context: &Context) -> Result<()> {
    let engine = context.engine()?;
    let from = from.canonicalize().map_err(|source| Error::io(format!("read `{}`", from.display()), source))?;
    let container = to.container.name.as_str();
    let is_directory = engine.directory_mode(container, &to.text()).await?.is_some();
    let whole = Path::new("/");
    let (directory, name) = match (is_directory, to.path.parent()) {
        (true, _) => (to.path.as_path(), from.file_name().unwrap_or(OsStr::new("root"))),
        (false, Some(parent)) if !to.is_directory => (parent, to.path.file_name().unwrap_or_default()),
        (false, _) => return Err(Error::NoSuchPlace { container: to.container.name.clone(), path: to.text() }),
    };
    let directory = if directory == Path::new("") { whole } else { directory };
    if engine.directory_mode(container, &directory.to_string_lossy()).await?.is_none() {
        return Err(Error::NoSuchPlace { container: to.container.name.clone(), path: directory.to_string_lossy().into_owned() });
    }
    let (name, owner) = (PathBuf::from(name), owner(&to.container));
    engine.copy_in(container, &directory.to_string_lossy(), move |into| pack(&from, &name, owner, into)).await
}

/// Who runs things in the container: files that come are theirs.
pub fn owner(container: &Container) -> (u64, u64) {
    let mut ids = container.user.split(':').map(|id| id.parse().unwrap_or(0));
    let uid = ids.next().unwrap_or(0);
    (uid, ids.next().unwrap_or(uid))
}

pub fn pack(from: &Path, name: &Path, (uid, gid): (u64, u64), into: impl Write) -> io::Result<()> {
    let mut tar = tar::Builder::new(into);
    for entry in WalkDir::new(from) {
        let entry = entry.map_err(io::Error::other)?;
        let found = entry.metadata().map_err(io::Error::other)?;
        let kind = found.file_type();
        // Nothing that could be read from, and never ends.
        if kind.is_socket() || kind.is_fifo() || kind.is_char_device() || kind.is_block_device() {
            continue;
        }
        let below = entry.path().strip_prefix(from).unwrap_or(Path::new(""));
        let path = if below == Path::new("") { name.to_owned() } else { name.join(below) };
        let mut header = tar::Header::new_gnu();
        header.set_mode(found.mode() & 0o7777);
        header.set_mtime(u64::try_from(found.mtime()).unwrap_or(0));
        header.set_uid(uid);
        header.set_gid(gid);
        header.set_size(0);
        if kind.is_symlink() {
            header.set_entry_type(tar::EntryType::Symlink);
            tar.append_link(&mut header, path, fs::read_link(entry.path())?)?;
        } else if kind.is_dir() {
            header.set_entry_type(tar::EntryType::Directory);
            tar.append_data(&mut header, path, io::empty())?;
        } else {
            header.set_size(found.len());
            // One that shrinks meanwhile must not shift all that follows.
            let content = File::open(entry.path())?.chain(io::repeat(0)).take(found.len());
            tar.append_data(&mut header, path, content)?;
        }
    }
    tar.into_inner()?.flush()
}

async fn copy_out(from: &Inside, to: PathBuf, context: &Context) -> Result<()> {
    let named = from.path.file_name().map_or_else(|| "root".into(), OsStr::to_owned);
    let to = if to.is_dir() { to.join(&named) } else { to };
    let container = from.container.name.as_str();
    let copied = context.engine()?.copy_out(container, &from.text(), move |archive| unpack(archive, &to)).await;
    match copied {
        Err(error) if error.is_status(404) => {
            Err(Error::NoSuchPlace { container: from.container.name.clone(), path: from.text() })
        }
        copied => copied,
    }
}

/// Unpacks what has one name at its top under another. What a container has packed is put nowhere else: not by a path with `..`,
/// nor through a link.
fn unpack(archive: Archived, to: &Path) -> io::Result<()> {
    let parent = to.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let aside = parent.join(format!(".wharf-cp-{}", std::process::id()));
    fs::create_dir(&aside)?;
    let unpacked = tar::Archive::new(archive).unpack(&aside).and_then(|()| {
        let mut tops = fs::read_dir(&aside)?;
        let top = tops.next().transpose()?.ok_or_else(|| io::Error::other("nothing came"))?;
        move_into(&top.path(), to)
    });
    let removed = fs::remove_dir_all(&aside);
    unpacked.and(removed)
}

/// Directories that are there keep what they have, and get what is new.
fn move_into(from: &Path, to: &Path) -> io::Result<()> {
    let is_directory = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_dir());
    if !(is_directory(from) && to.is_dir()) {
        return fs::rename(from, to);
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        move_into(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
