//! What a build is made of: the files of its context, hashed or packed.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::ignore::Ignore;
use crate::error::{Error, Result};

/// A context's files, in an order that is always the same.
pub struct Files<'a> {
    context: &'a Path,
    /// Their paths in it.
    paths: Vec<PathBuf>,
    added: Vec<(PathBuf, String)>,
}

impl<'a> Files<'a> {
    /// All that is not ignored, and what is `needed` whether it is or not, as the Dockerfile.
    pub fn of(context: &'a Path, ignore: &Ignore, needed: &[&Path]) -> Result<Self> {
        let mut paths = Vec::new();
        walk(context, Path::new(""), ignore, &mut paths)?;
        for path in needed {
            if !paths.iter().any(|known| known == path) {
                paths.push((*path).to_owned());
            }
        }
        paths.sort();
        Ok(Self { context, paths, added: Vec::new() })
    }

    /// Adds a file, or replaces one, with content that is not the context's.
    pub fn add(&mut self, path: &Path, content: String) {
        self.paths.retain(|known| known != path);
        self.added.push((path.to_owned(), content));
    }

    /// Everything that a build can see but times: paths, kinds, whether they can be executed, targets of links, content.
    pub fn hash(&self, into: &mut Sha256) -> Result<()> {
        for path in &self.paths {
            let found = self.look(path)?;
            let mut field = |bytes: &[u8]| {
                // With its length: no two different lists of fields are the same bytes.
                into.update((bytes.len() as u64).to_le_bytes());
                into.update(bytes);
            };
            field(path.as_os_str().as_bytes());
            if found.is_symlink() {
                field(b"link");
                field(self.target(path)?.as_os_str().as_bytes());
            } else if found.is_dir() {
                field(b"directory");
            } else {
                field(if found.permissions().mode() & 0o111 == 0 { b"file" } else { b"program" });
                let mut content = Sha256::new();
                io::copy(&mut self.open(path)?, &mut Hashing(&mut content)).map_err(|source| self.unreadable(path, source))?;
                field(&content.finalize());
            }
        }
        Ok(())
    }

    /// Writes them as a tar archive. As docker's client has it, all of them are root's.
    pub fn pack(&self, into: impl Write) -> io::Result<()> {
        let mut tar = tar::Builder::new(into);
        for (path, content) in &self.added {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(content.len() as u64);
            tar.append_data(&mut header, path, content.as_bytes())?;
        }
        for path in &self.paths {
            let found = self.look(path).map_err(io::Error::other)?;
            let mut header = tar::Header::new_gnu();
            header.set_mode(found.permissions().mode() & 0o7777);
            header.set_mtime(u64::try_from(found.mtime()).unwrap_or(0));
            header.set_size(0);
            if found.is_symlink() {
                header.set_entry_type(tar::EntryType::Symlink);
                tar.append_link(&mut header, path, self.target(path).map_err(io::Error::other)?)?;
            } else if found.is_dir() {
                header.set_entry_type(tar::EntryType::Directory);
                tar.append_data(&mut header, path, io::empty())?;
            } else {
                header.set_size(found.len());
                // One that shrinks meanwhile must not shift all that follows.
                let content = self.open(path).map_err(io::Error::other)?.chain(io::repeat(0)).take(found.len());
                tar.append_data(&mut header, path, content)?;
            }
        }
        tar.into_inner()?.flush()
    }

    fn look(&self, path: &Path) -> Result<Metadata> {
        self.context.join(path).symlink_metadata().map_err(|source| self.unreadable(path, source))
    }

    fn target(&self, path: &Path) -> Result<PathBuf> {
        fs::read_link(self.context.join(path)).map_err(|source| self.unreadable(path, source))
    }

    fn open(&self, path: &Path) -> Result<File> {
        File::open(self.context.join(path)).map_err(|source| self.unreadable(path, source))
    }

    fn unreadable(&self, path: &Path, source: io::Error) -> Error {
        Error::BuildContext { path: self.context.join(path), source }
    }
}

fn walk(context: &Path, below: &Path, ignore: &Ignore, paths: &mut Vec<PathBuf>) -> Result<()> {
    let directory = context.join(below);
    let failed = |source| Error::BuildContext { path: directory.clone(), source };
    for entry in fs::read_dir(&directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        // Nothing that could be read from, and never ends.
        if kind.is_socket() || kind.is_fifo() || kind.is_char_device() || kind.is_block_device() {
            continue;
        }
        let path = below.join(entry.file_name());
        let text = path.to_string_lossy();
        let is_left_out = ignore.leaves_out(&text);
        if kind.is_dir() && (!is_left_out || ignore.has_exception_below(&text)) {
            walk(context, &path, ignore, paths)?;
        }
        if !is_left_out {
            paths.push(path);
        }
    }
    Ok(())
}

struct Hashing<'a>(&'a mut Sha256);

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
