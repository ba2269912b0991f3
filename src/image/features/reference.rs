//! Where a feature is.

use std::path::{Path, PathBuf};

/// The registry and namespace of features that are named without them.
const USUAL: &str = "ghcr.io/devcontainers/features";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    Directory(PathBuf),
    /// A packed feature, at this address.
    Tarball(String),
    Registry {
        host: String,
        repository: String,
        /// A tag or a digest.
        version: String,
    },
}

impl Reference {
    pub fn parse(id: &str, project: &Path) -> Self {
        if id.starts_with("./") || id.starts_with("../") || id.starts_with('/') {
            return Self::Directory(crate::project::normal(&project.join(id)));
        }
        if id.starts_with("https://") || id.starts_with("http://") {
            return Self::Tarball(id.to_owned());
        }
        let (path, version) = match id.split_once('@') {
            Some((path, digest)) => (path, digest),
            None => match id.rsplit_once(':') {
                // Of a host, the port.
                Some((path, tag)) if !tag.contains('/') => (path, tag),
                _ => (id, "latest"),
            },
        };
        let path = if path.contains('/') { path.to_lowercase() } else { format!("{USUAL}/{path}") };
        let (host, repository) = path.split_once('/').unwrap_or((&path, ""));
        Self::Registry { host: host.to_owned(), repository: repository.to_owned(), version: version.to_owned() }
    }

    /// What it is called without a version.
    pub fn name(&self) -> String {
        match self {
            Self::Directory(path) => path.to_string_lossy().into_owned(),
            Self::Tarball(address) => address.clone(),
            Self::Registry { host, repository, .. } => format!("{host}/{repository}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_reference() {
        let registry = |host: &str, repository: &str, version: &str| Reference::Registry {
            host: host.to_owned(),
            repository: repository.to_owned(),
            version: version.to_owned(),
        };
        for (id, expected) in [
            ("ghcr.io/devcontainers/features/node:1", registry("ghcr.io", "devcontainers/features/node", "1")),
            ("ghcr.io/Owner/Repo/x", registry("ghcr.io", "owner/repo/x", "latest")),
            ("127.0.0.1:5000/a/b", registry("127.0.0.1:5000", "a/b", "latest")),
            ("127.0.0.1:5000/a/b:1.2", registry("127.0.0.1:5000", "a/b", "1.2")),
            ("r.io/a@sha256:00", registry("r.io", "a", "sha256:00")),
            ("docker-in-docker", registry("ghcr.io", "devcontainers/features/docker-in-docker", "latest")),
            ("./.devcontainer/mine", Reference::Directory("/src/.devcontainer/mine".into())),
            ("https://x.org/f.tgz", Reference::Tarball("https://x.org/f.tgz".to_owned())),
        ] {
            assert_eq!(Reference::parse(id, Path::new("/src")), expected);
        }
    }
}
