//! Getting features, and keeping what was got.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::Request;
use super::metadata::{FILE, Metadata};
use super::reference::Reference;
use super::registry::{Client, Failure};
use crate::digest::sha256_hex;
use crate::error::{Error, Result};

/// No feature's files are larger.
const MOST_BYTES: u64 = 1 << 30;

pub struct Source<'a> {
    client: Client,
    cache: &'a Path,
    lock: Lock,
}

/// A feature as it was got.
pub struct Fetched {
    pub digest: String,
    pub files: Vec<u8>,
    pub metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Lock {
    features: HashMap<String, Locked>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Locked {
    resolved: String,
    integrity: String,
}

impl<'a> Source<'a> {
    pub fn new(request: &'a Request) -> Result<Self> {
        let lock = match request.lock_file.as_deref().map(|path| (path, fs::read(path))) {
            Some((path, Ok(bytes))) => serde_json::from_slice(&bytes)
                .map_err(|error| Error::io(format!("read `{}`", path.display()), std::io::Error::other(error)))?,
            _ => Lock::default(),
        };
        Ok(Self { client: Client::new(request.credentials.clone()), cache: &request.cache, lock })
    }

    pub fn fetch(&mut self, id: &str, reference: &Reference) -> Result<Fetched> {
        let failed = |message: String| Error::Feature { id: id.to_owned(), message };
        let locked = self.lock.features.get(&id.to_lowercase()).or_else(|| self.lock.features.get(id));
        let integrity = locked.map(|locked| locked.integrity.clone()).filter(|it| !it.is_empty());
        let reference = match (reference, locked.and_then(|locked| locked.resolved.rsplit_once('@'))) {
            (Reference::Registry { host, repository, .. }, Some((_, digest))) => {
                Reference::Registry { host: host.clone(), repository: repository.clone(), version: digest.to_owned() }
            }
            (reference, _) => reference.clone(),
        };
        let bytes = match &reference {
            Reference::Directory(path) => pack(path).map_err(&failed)?,
            Reference::Tarball(address) => self.tarball(address).map_err(&failed)?,
            Reference::Registry { host, repository, version } => {
                self.registry_blob(host, repository, version).map_err(&failed)?
            }
        };
        let digest = format!("sha256:{}", sha256_hex(&bytes));
        // The lock file has the manifest's digest, by which it was got; of a tarball it is its own.
        if let (Reference::Tarball(_), Some(integrity)) = (&reference, integrity)
            && integrity != digest
        {
            return Err(failed(format!("its content is not what the lock file has: {digest}")));
        }
        let files = unpacked(bytes).map_err(&failed)?;
        let metadata = Metadata::parse(&file_of(&files, FILE).map_err(&failed)?).map_err(&failed)?;
        Ok(Fetched { digest, files, metadata })
    }

    /// What was got before counts where nobody answers.
    fn registry_blob(&mut self, host: &str, repository: &str, version: &str) -> std::result::Result<Vec<u8>, String> {
        let note = self.cache.join("refs").join(sha256_hex(format!("{host}/{repository}:{version}")));
        let known = fs::read_to_string(&note).ok();
        // What a digest names never changes.
        let is_fixed = version.starts_with("sha256:");
        if let (true, Some(blob)) = (is_fixed, known.as_deref().and_then(|digest| self.kept(digest))) {
            return Ok(blob);
        }
        let digest = match self.client.digest(host, repository, version) {
            Ok(digest) => digest,
            Err(Failure::Unreachable(message)) => {
                return known.as_deref().and_then(|digest| self.kept(digest)).ok_or(message);
            }
            Err(refused) => return Err(refused.message()),
        };
        let blob = if let Some(blob) = self.kept(&digest) {
            blob
        } else {
            let blob = self.client.blob(host, repository, &digest).map_err(Failure::message)?;
            if format!("sha256:{}", sha256_hex(&blob)) != digest {
                return Err(format!("what {host} has sent is not what it said"));
            }
            keep(&self.blob_file(&digest), &blob);
            blob
        };
        keep(&note, digest.as_bytes());
        Ok(blob)
    }

    fn tarball(&self, address: &str) -> std::result::Result<Vec<u8>, String> {
        let file = self.cache.join("tarballs").join(sha256_hex(address));
        match self.client.download(address) {
            Ok(bytes) => {
                keep(&file, &bytes);
                Ok(bytes)
            }
            Err(Failure::Unreachable(message)) => fs::read(file).map_err(|_| message),
            Err(refused) => Err(refused.message()),
        }
    }

    fn blob_file(&self, digest: &str) -> PathBuf {
        self.cache.join("blobs").join(digest.replace(|c: char| !c.is_ascii_alphanumeric(), "-"))
    }

    /// What is kept by a digest, if it is that.
    fn kept(&self, digest: &str) -> Option<Vec<u8>> {
        let blob = fs::read(self.blob_file(digest)).ok()?;
        (format!("sha256:{}", sha256_hex(&blob)) == digest).then_some(blob)
    }
}

/// Only the next time would gain from it, so nothing fails where it can't be.
fn keep(file: &Path, bytes: &[u8]) {
    let new = file.with_extension(format!("{}.new", std::process::id()));
    let directory = file.parent().unwrap_or(Path::new("/"));
    let _ = fs::create_dir_all(directory).and_then(|()| fs::write(&new, bytes)).and_then(|()| fs::rename(new, file));
}

fn pack(directory: &Path) -> std::result::Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("could not read `{}`: {error}", directory.display());
    let mut archive = tar::Builder::new(Vec::new());
    archive.mode(tar::HeaderMode::Deterministic);
    let mut paths: Vec<PathBuf> = walkdir::WalkDir::new(directory)
        .min_depth(1)
        .into_iter()
        .map(|entry| entry.map(walkdir::DirEntry::into_path))
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| failed(error.into()))?;
    paths.sort();
    for path in paths {
        let inside = path.strip_prefix(directory).unwrap_or(&path).to_owned();
        archive.append_path_with_name(&path, inside).map_err(failed)?;
    }
    archive.into_inner().map_err(failed)
}

/// Packed features come with compression and without.
fn unpacked(bytes: Vec<u8>) -> std::result::Result<Vec<u8>, String> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut files = Vec::new();
    let read = MultiGzDecoder::new(bytes.as_slice()).take(MOST_BYTES).read_to_end(&mut files);
    read.map(|_| files).map_err(|error| format!("it is no archive: {error}"))
}

fn file_of(archive: &[u8], name: &str) -> std::result::Result<String, String> {
    let mut archive = tar::Archive::new(archive);
    let unreadable = |error: std::io::Error| format!("it is no archive: {error}");
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        if entry.path().is_ok_and(|path| path.components().collect::<PathBuf>() == Path::new(name)) {
            let mut text = String::new();
            return entry.read_to_string(&mut text).map(|_| text).map_err(unreadable);
        }
    }
    Err(format!("it has no {name}"))
}
