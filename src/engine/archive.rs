//! Files in and out of a container by the archive API: it needs no program in the image and no running container.

use std::io::{self, Read};

use bollard::query_parameters::{ContainerArchiveInfoOptions, DownloadFromContainerOptions, UploadToContainerOptions};
use bytes::Bytes;
use futures_util::StreamExt;

use super::{Answer, Engine, absent_is_none};
use crate::error::{Error, Result};

/// How large a file may be that is read from a container, and what a tar archive adds to it at most.
const MOST_BYTES: usize = 1 << 20;
const TAR: usize = 64 << 10;

/// Files to put into a container. Paths are relative to its root.
pub struct Archive {
    tar: tar::Builder<Vec<u8>>,
}

impl Archive {
    pub fn new() -> Self {
        Self { tar: tar::Builder::new(Vec::new()) }
    }

    /// Adds a file that root owns.
    pub fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        self.tar.append_data(&mut header, path.trim_start_matches('/'), content)
    }

    /// Adds a directory; one that exists gets this owner and mode and keeps what is in it.
    pub fn directory(&mut self, path: &str, mode: u32, uid: u32, gid: u32) -> io::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(mode);
        header.set_uid(uid.into());
        header.set_gid(gid.into());
        header.set_size(0);
        self.tar.append_data(&mut header, path.trim_start_matches('/'), io::empty())
    }

    /// The bytes of the tar archive.
    pub fn finish(self) -> io::Result<Vec<u8>> {
        self.tar.into_inner()
    }
}

/// Beside the permissions, Go has bits of its own (`io/fs`).
fn directory_mode(go_mode: u32) -> Option<u32> {
    let bits = [(1 << 23, 0o4000), (1 << 22, 0o2000), (1 << 20, 0o1000)];
    let special = bits.into_iter().filter(|(go, _)| go_mode & go != 0).map(|(_, bit)| bit).sum::<u32>();
    (go_mode >> 31 == 1).then_some(go_mode & 0o777 | special)
}

impl Engine {
    /// Puts files below a directory of a container, running or not.
    pub async fn put(&self, container: &str, directory: &str, archive: Archive) -> Result<()> {
        let action = format!("put files into container `{container}`");
        let bytes = archive.finish().map_err(|source| Error::io(action.clone(), source))?;
        let options = UploadToContainerOptions { path: directory.to_owned(), ..UploadToContainerOptions::default() };
        let body = bollard::body_full(Bytes::from(bytes));
        self.work(action, self.docker.upload_to_container(container, Some(options), body)).await
    }

    /// A file's content; `None` where the container has no such file. One of more than a mebibyte is an error: whoever has made
    /// the image can make it of any size.
    pub async fn get_file(&self, container: &str, path: &str) -> Result<Option<Vec<u8>>> {
        let action = format!("read `{path}` of container `{container}`");
        let options = DownloadFromContainerOptions { path: path.to_owned() };
        let mut chunks = self.docker.download_from_container(container, Some(options));
        let download = async {
            let mut bytes = Vec::new();
            while let Some(chunk) = chunks.next().await {
                bytes.extend_from_slice(&chunk?);
                if bytes.len() > MOST_BYTES + TAR {
                    break;
                }
            }
            Answer::Ok(bytes)
        };
        let Some(bytes) = absent_is_none(self.work(action.clone(), download).await)? else {
            return Ok(None);
        };
        if bytes.len() > MOST_BYTES + TAR {
            return Err(Error::io(action, io::Error::other(format!("it has more than {MOST_BYTES} bytes"))));
        }
        let mut content = Vec::new();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let first = archive.entries().and_then(|mut entries| entries.next().transpose());
        match first.map_err(|source| Error::io(action.clone(), source))? {
            Some(mut entry) if entry.header().entry_type().is_file() => {
                entry.read_to_end(&mut content).map_err(|source| Error::io(action, source))?;
                Ok(Some(content))
            }
            _ => Ok(None),
        }
    }

    pub async fn path_exists(&self, container: &str, path: &str) -> Result<bool> {
        Ok(self.go_mode(container, path).await?.is_some())
    }

    /// A directory's mode as chmod(2) takes it; `None` where the container has no such directory.
    pub async fn directory_mode(&self, container: &str, path: &str) -> Result<Option<u32>> {
        Ok(self.go_mode(container, path).await?.and_then(directory_mode))
    }

    /// What is at a path, as Go's `fs.FileMode` says it.
    async fn go_mode(&self, container: &str, path: &str) -> Result<Option<u32>> {
        let options = ContainerArchiveInfoOptions { path: path.to_owned() };
        let info = self.docker.get_container_archive_info(container, Some(options));
        let info = self.look(format!("look for `{path}` in container `{container}`"), info).await;
        Ok(absent_is_none(info)?.map(|info| info.file_mode))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_modes_are_those_of_go() {
        // As HEAD of `/tmp`, `/root` and `/etc/passwd` says them, and with the other two bits.
        for (go, mode) in
            [(0x8010_01ff, Some(0o1777)), (0x8000_01c0, Some(0o700)), (0x0000_01a4, None), (0x80c0_01ed, Some(0o6755))]
        {
            assert_eq!(directory_mode(go), mode, "{go:x}");
        }
    }
}
