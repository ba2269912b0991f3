//! What a container mounts, in the words of the engine.

use std::collections::HashMap;

use bollard::models::{Mount as EngineMount, MountType, MountVolumeOptions};

use super::{Engine, Features, Kind};
use crate::error::{Error, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    Bind {
        source: String,
        target: String,
    },
    ReadOnlyBind {
        source: String,
        target: String,
    },
    Volume {
        name: String,
        target: String,
        labels: HashMap<String, String>,
        /// Whether it has been used before. The engine fills others from the image, and gives even a full one, each time, the
        /// owner and mode of what the image has there.
        is_kept: bool,
    },
    AnonymousVolume {
        target: String,
    },
    ReadOnlyVolume {
        name: String,
        target: String,
    },
}

/// What a container mounts, in both ways that an engine can be told of it.
#[derive(Debug, Default)]
pub struct MountedBy {
    /// `SOURCE:TARGET:OPTIONS`
    pub binds: Vec<String>,
    pub mounts: Vec<EngineMount>,
}

impl Engine {
    /// Makes the volumes that creating a container would not make as they are to be.
    pub(super) async fn mounted(&self, mounts: Vec<Mount>, features: &Features) -> Result<MountedBy> {
        if features.kind == Kind::Docker {
            return Ok(MountedBy { mounts: mounts.into_iter().map(engine_mount).collect(), ..MountedBy::default() });
        }
        for mount in &mounts {
            // Podman drops the labels of a volume that comes with its container.
            if let Mount::Volume { name, labels, .. } = mount
                && !self.volume_exists(name).await?
            {
                self.create_volume(name, labels.clone()).await?;
            }
        }
        by_podman(mounts)
    }
}

/// Podman writes what it is told of a mount as a line of comma-separated values, unquoted: a path with a comma would be more
/// options, and one with a quotation mark or a line's end no such line. It takes the other way to name a mount apart at
/// its colons.
fn by_podman(mounts: Vec<Mount>) -> Result<MountedBy> {
    let mut told = MountedBy::default();
    for mount in mounts {
        match bind(&mount) {
            Some(bind) => told.binds.push(bind),
            None => told.mounts.push(unambiguous(engine_mount(mount))?),
        }
    }
    Ok(told)
}

fn bind(mount: &Mount) -> Option<String> {
    let (source, target, options) = match mount {
        Mount::Bind { source, target } => (source, target, "rbind"),
        Mount::ReadOnlyBind { source, target } => (source, target, "rbind,ro"),
        Mount::Volume { name, target, is_kept: true, .. } => (name, target, "nocopy"),
        Mount::Volume { name, target, .. } => (name, target, "rw"),
        Mount::ReadOnlyVolume { name, target } => (name, target, "ro"),
        Mount::AnonymousVolume { .. } => return None,
    };
    (![source, target].iter().any(|path| path.contains(':'))).then(|| format!("{source}:{target}:{options}"))
}

fn unambiguous(mount: EngineMount) -> Result<EngineMount> {
    let is_ambiguous = |path: &&String| path.contains([',', '"', '\n', '\r']);
    let ambiguous = [&mount.source, &mount.target].into_iter().flatten().find(is_ambiguous);
    ambiguous.map_or(Ok(()), |path| Err(Error::UnsayablePath { path: path.into() })).map(|()| mount)
}

pub(super) fn engine_mount(mount: Mount) -> EngineMount {
    match mount {
        Mount::Bind { source, target } => {
            EngineMount { typ: Some(MountType::BIND), source: Some(source), target: Some(target), ..EngineMount::default() }
        }
        Mount::ReadOnlyBind { source, target } => {
            EngineMount { read_only: Some(true), ..engine_mount(Mount::Bind { source, target }) }
        }
        Mount::Volume { name, target, labels, is_kept } => EngineMount {
            typ: Some(MountType::VOLUME),
            source: Some(name),
            target: Some(target),
            volume_options: Some(MountVolumeOptions {
                labels: Some(labels),
                no_copy: Some(is_kept),
                ..MountVolumeOptions::default()
            }),
            ..EngineMount::default()
        },
        Mount::AnonymousVolume { target } => {
            EngineMount { typ: Some(MountType::VOLUME), target: Some(target), ..EngineMount::default() }
        }
        Mount::ReadOnlyVolume { name, target } => EngineMount {
            typ: Some(MountType::VOLUME),
            source: Some(name),
            target: Some(target),
            read_only: Some(true),
            ..EngineMount::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(source: &str) -> Mount {
        Mount::ReadOnlyBind { source: source.to_owned(), target: "/x".to_owned() }
    }

    #[test]
    fn no_path_says_more_to_podman_than_where_it_is() {
        let told = by_podman(vec![bound("/a,readonly=false"), bound("/b:c"), bound("/d\"e\nf")]).unwrap();
        assert_eq!(told.binds, ["/a,readonly=false:/x:rbind,ro", "/d\"e\nf:/x:rbind,ro"]);
        assert_eq!(told.mounts, [engine_mount(bound("/b:c"))]);
        for path in ["/a:b,c", "/a:\"b", "/a:b\nc"] {
            assert!(matches!(by_podman(vec![bound(path)]), Err(Error::UnsayablePath { .. })), "{path}");
        }
    }
}
