//! The images that wharf makes itself: a Debian with what people expect to find in a shell, and one with CUDA beneath.

mod rootfs;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;

use crate::config::{DEFAULT_GPU_IMAGE, DEFAULT_IMAGE};
use crate::engine::{BuildOrder, Engine};
use crate::error::{Error, Result};
use crate::output::progress;

/// What the images are made from, and the packages that are in them.
const DOCKERFILE: &str = include_str!("../../../images/default/Dockerfile");
const PACKAGES: &str = include_str!("../../../images/default/packages");
/// What stands before sudo in the PATH.
const SUDO: &str = include_str!("../../../images/default/sudo");

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    Plain,
    Gpu,
}

impl Variant {
    pub fn image(self) -> &'static str {
        match self {
            Self::Plain => DEFAULT_IMAGE,
            Self::Gpu => DEFAULT_GPU_IMAGE,
        }
    }

    /// The image that it is based on where a registry has that.
    fn base(self) -> &'static str {
        match self {
            Self::Plain => "debian:stable-slim",
            Self::Gpu => "nvidia/cuda:12.6.3-runtime-ubuntu24.04",
        }
    }
}

/// Makes the image, unless it is there and `anew` is not set; whether it was made. `base` is another one to base it on.
pub async fn make(engine: &Engine, variant: Variant, base: Option<&str>, anew: bool) -> Result<bool> {
    let image = variant.image();
    let old = engine.image(image).await?;
    if old.is_some() && !anew {
        return Ok(false);
    }
    let base = base.unwrap_or(variant.base());
    match get(engine, base, anew).await {
        Ok(()) => build(engine, variant, base, anew).await?,
        Err(error @ (Error::Pull { .. } | Error::Stalled { .. })) if variant == Variant::Plain => {
            if !rootfs::can_be_made() {
                return Err(Error::NoBase { source: Box::new(error) });
            }
            progress::note(&format!("{error}; making {image} with debootstrap"));
            rootfs::import(engine, image).await?;
        }
        Err(error) => return Err(error),
    }
    if let Some(old) = old {
        engine.forget_image(&old.id).await?;
    }
    Ok(true)
}

/// Makes sure that the engine has the base; `anew`, as the registry has it now, where that answers.
async fn get(engine: &Engine, base: &str, anew: bool) -> Result<()> {
    let is_there = engine.image(base).await?.is_some();
    if is_there && !anew {
        return Ok(());
    }
    let mut pull = progress::Pull::begin(base);
    match engine.pull(base, |layer| pull.tell(&layer)).await {
        Ok(()) => pull.done(),
        Err(error) if !is_there || error.is_engine_lost() => return Err(error),
        Err(_) => {}
    }
    Ok(())
}

async fn build(engine: &Engine, variant: Variant, base: &str, anew: bool) -> Result<()> {
    let image = variant.image();
    let title = image.split(':').next().unwrap_or(image).to_owned();
    let arguments = [("BASE".to_owned(), base.to_owned())];
    let order = BuildOrder {
        tag: image,
        dockerfile: "Dockerfile",
        target: None,
        arguments: &arguments,
        labels: HashMap::from([("org.opencontainers.image.title", title)]),
        anew,
    };
    let build =
        async |progress: &RefCell<progress::Build<'_>>| engine.build(order, pack, |text| progress.borrow_mut().tell(text)).await;
    let failed = |message, step, output| Error::DefaultImage { image, step, message, output };
    progress::build(image, build, failed).await
}

fn pack(into: impl io::Write) -> io::Result<()> {
    let mut tar = tar::Builder::new(into);
    for (path, content) in [("Dockerfile", DOCKERFILE), ("packages", PACKAGES), ("sudo", SUDO)] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, path, content.as_bytes())?;
    }
    tar.into_inner()?.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_people_expect_is_in_it() {
        let packages: Vec<&str> = PACKAGES.lines().collect();
        // `watch` is of procps.
        for package in
            "tmux git bash curl jq less ripgrep sqlite3 sudo tree unzip vim procps file htop ca-certificates".split(' ')
        {
            assert!(packages.contains(&package), "{package}");
        }
    }
}
