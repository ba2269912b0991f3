//! What travels into every container: the guest, a tmux, and what the two need to run in any image. Gathered on the host;
//! it reaches the container as a read-only volume that is mounted at `TOOLS_DIR`.

mod bundle;
mod gather;
mod locate;
mod program;
#[cfg(test)]
mod tests;
pub mod volume;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::digest;
use crate::engine::Archive;
use crate::error::{Error, Result};
use crate::protocol::Launch;

pub use gather::{Sources, terminfo};

/// The files to put into a container.
#[derive(Debug)]
pub struct Tools {
    files: Files,
    guest: Launch,
    tmux: Result<Launch>,
    volume: String,
}

impl Tools {
    /// Reads the tools from this machine. Fails only where there is no guest that runs in a container.
    pub fn gather(sources: &Sources) -> Result<Self> {
        let mut files = Files::default();
        let (guest, tmux) = gather::all(sources, &mut files)?;
        let volume = files.volume();
        Ok(Self { files, guest, tmux, volume })
    }

    /// The name of the volume with this content, `wharf-tools-<12 hex digits>`. Other content has another name, so an
    /// upgrade changes nothing under a session that runs.
    pub fn volume(&self) -> &str {
        &self.volume
    }

    /// How the guest is run in a container.
    pub fn launch(&self) -> Launch {
        self.guest
    }

    /// How the tmux among the tools is run, or why there is none: then the image needs one of its own.
    pub fn tmux(&self) -> std::result::Result<Launch, &Error> {
        self.tmux.as_ref().copied()
    }

    /// The volume's content, to be unpacked below the directory `prefix`, which becomes root's.
    pub fn archive(&self, prefix: &Path) -> io::Result<Archive> {
        self.files.archive(prefix)
    }
}

/// The file that is the guest on this machine.
pub fn guest_file(sources: &Sources) -> Result<PathBuf> {
    locate::guest(sources.guest, sources.program, sources.architecture).map(|program| program.path)
}

#[derive(Debug)]
struct Content {
    mode: u32,
    bytes: Vec<u8>,
}

/// By their paths below `TOOLS_DIR`.
#[derive(Debug, Default)]
struct Files(BTreeMap<String, Content>);

impl Files {
    fn program(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        self.0.insert(path.into(), Content { mode: 0o755, bytes });
    }

    fn file(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        self.0.insert(path.into(), Content { mode: 0o644, bytes });
    }

    fn volume(&self) -> String {
        let mut hash = Sha256::new();
        for (path, content) in &self.0 {
            // With their lengths, or two files could be cut differently and have one hash.
            hash.update(path.len().to_le_bytes());
            hash.update(path);
            hash.update(content.mode.to_le_bytes());
            hash.update(content.bytes.len().to_le_bytes());
            hash.update(&content.bytes);
        }
        format!("wharf-tools-{}", digest::short(hash))
    }

    fn archive(&self, prefix: &Path) -> io::Result<Archive> {
        let mut archive = Archive::new();
        let mut made = Vec::new();
        for (name, content) in &self.0 {
            let path = prefix.join(name);
            // Each directory before what is in it; not those above the prefix, whose modes are the container's business.
            let mut missing: Vec<&Path> = path
                .ancestors()
                .skip(1)
                .take_while(|above| above.starts_with(prefix) && !above.as_os_str().is_empty())
                .filter(|above| !made.iter().any(|directory| directory == above))
                .collect();
            while let Some(directory) = missing.pop() {
                archive.directory(&directory.to_string_lossy(), 0o755, 0, 0)?;
                made.push(directory.to_owned());
            }
            archive.file(&path.to_string_lossy(), content.mode, &content.bytes)?;
        }
        Ok(archive)
    }
}
