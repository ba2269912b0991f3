//! What `scripts/test` finds the things by that an interrupted run has left on the engine.

use super::{Docker, World};

fn run() -> String {
    std::env::var("WHARF_TEST_RUN").unwrap_or_default()
}

/// An argument of docker's for what no project is below.
pub fn run_label() -> String {
    format!("--label=wharf.test={}", run())
}

/// A name for images that only this test uses.
pub struct Tag(pub String);

impl Tag {
    pub fn of(world: &World, image: &str) -> Self {
        let unique = format!("{}-{}", world.root().file_name().unwrap().display(), std::process::id());
        let tag = Self(format!("wharf-test-tag-{}-{unique}:latest", run()).to_lowercase());
        tag.set(image);
        tag
    }

    pub fn set(&self, image: &str) {
        Docker::run(["tag", image, &self.0]);
    }
}

impl Drop for Tag {
    fn drop(&mut self) {
        Docker::output(["rmi", "--no-prune", &self.0]);
    }
}
