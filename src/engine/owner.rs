//! Files of a container that get another owner, by the archive API: it needs no program in the image and no running container.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::path::Path;

use bollard::query_parameters::{DownloadFromContainerOptions, UploadToContainerOptions};
use futures_util::StreamExt;
use http_body_util::Either;

use super::upload::{blame, upload};
use super::{Answer, Engine, absent_is_none};
use crate::error::{Error, Result};

/// Who a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
}

/// A home whose first files are somebody else's has been given away before: it can be of any size, so no more of it is read.
const FIRST: usize = 1 << 20;

impl Engine {
    /// Gives what belongs to `old` below a directory to `new`. The engine does not let a container's files be read and written at
    /// once, so they go through a file in `room`.
    pub async fn give(&self, container: &str, directory: &str, old: Owner, new: Owner, room: &Path) -> Result<()> {
        let action = format!("give `{directory}` of container `{container}` to {}:{}", new.uid, new.gid);
        let failed = |source| Error::io(action.clone(), source);
        let mut file = unnamed(room).map_err(failed)?;
        let options = DownloadFromContainerOptions { path: directory.to_owned() };
        let mut chunks = self.docker.download_from_container(container, Some(options));
        let download = async {
            let (mut first, mut is_decided) = (Vec::new(), false);
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk?;
                if !is_decided {
                    first.extend_from_slice(&chunk);
                    is_decided = first.len() >= FIRST;
                    if is_decided && !has_any(&first, old) {
                        return Answer::Ok(false);
                    }
                }
                file.write_all(&chunk)?;
            }
            Answer::Ok(is_decided || has_any(&first, old))
        };
        if absent_is_none(self.work(action.clone(), download).await)? != Some(true) {
            return Ok(());
        }
        file.rewind().map_err(failed)?;
        let (body, packed) = upload(move |into| change(file, into, old, new));
        let parent = Path::new(directory).parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
        let options = UploadToContainerOptions { path: parent, ..UploadToContainerOptions::default() };
        let put = self.work(action, self.docker.upload_to_container(container, Some(options), Either::Right(body))).await;
        blame(put, packed).await
    }
}

/// A file that goes with this process.
fn unnamed(room: &Path) -> io::Result<File> {
    fs::create_dir_all(room)?;
    let path = room.join(format!(".owner-{}", std::process::id()));
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

fn has_any(start_of_archive: &[u8], owner: Owner) -> bool {
    let mut archive = tar::Archive::new(start_of_archive);
    let Ok(entries) = archive.entries() else { return false };
    // The end is cut off.
    entries.map_while(io::Result::ok).any(|entry| is_of(entry.header(), owner))
}

fn is_of(header: &tar::Header, owner: Owner) -> bool {
    header.uid().is_ok_and(|uid| uid == u64::from(owner.uid))
}

fn change(archive: File, into: impl Write, old: Owner, new: Owner) -> io::Result<()> {
    let mut archive = tar::Archive::new(BufReader::new(archive));
    let mut changed = tar::Builder::new(BufWriter::new(into));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let mut header = entry.header().clone();
        if is_of(&header, old) {
            header.set_uid(new.uid.into());
        }
        if header.gid().is_ok_and(|gid| gid == u64::from(old.gid)) {
            header.set_gid(new.gid.into());
        }
        let path = entry.path()?.into_owned();
        match entry.link_name()? {
            Some(target) if !header.entry_type().is_file() => changed.append_link(&mut header, path, target)?,
            _ => changed.append_data(&mut header, path, &mut entry)?,
        }
    }
    changed.into_inner()?.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn only_what_was_theirs_is_given_away() {
        let directory = tempfile::tempdir().unwrap();
        let mut archive = tar::Builder::new(Vec::new());
        let long = format!("home/{}", "x".repeat(180));
        for (path, uid, gid) in [("home/", 1001, 1001), (long.as_str(), 1001, 50), ("home/roots", 0, 1001)] {
            let mut header = tar::Header::new_gnu();
            header.set_uid(uid);
            header.set_gid(gid);
            header.set_size(if path.ends_with('/') { 0 } else { 3 });
            header.set_mode(0o640);
            header.set_entry_type(if path.ends_with('/') { tar::EntryType::Directory } else { tar::EntryType::Regular });
            archive.append_data(&mut header, path, if path.ends_with('/') { &b""[..] } else { b"abc" }).unwrap();
        }
        let mut header = tar::Header::new_gnu();
        header.set_uid(1001);
        header.set_gid(0);
        header.set_size(0);
        header.set_entry_type(tar::EntryType::Symlink);
        archive.append_link(&mut header, "home/link", &long).unwrap();
        let bytes = archive.into_inner().unwrap();
        let (old, new) = (Owner { uid: 1001, gid: 1001 }, Owner { uid: 1000, gid: 100 });
        assert!(has_any(&bytes[..bytes.len() - 1024], old));
        assert!(!has_any(&bytes, Owner { uid: 7, gid: 7 }));
        let mut file = unnamed(directory.path()).unwrap();
        file.write_all(&bytes).unwrap();
        file.rewind().unwrap();
        let mut changed = Vec::new();
        change(file, &mut changed, old, new).unwrap();
        let mut archive = tar::Archive::new(changed.as_slice());
        let seen: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut content = String::new();
                entry.read_to_string(&mut content).unwrap();
                let path = entry.path().unwrap().display().to_string();
                (path, entry.header().uid().unwrap(), entry.header().gid().unwrap(), content)
            })
            .collect();
        let expected =
            [("home/", 1000, 100, ""), (&long, 1000, 50, "abc"), ("home/roots", 0, 100, "abc"), ("home/link", 1000, 0, "")];
        let expected = expected.map(|(path, uid, gid, content)| (path.to_owned(), uid, gid, content.to_owned()));
        assert_eq!(seen, expected);
    }
}
