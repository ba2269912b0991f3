//! Images: the one that a project builds, and the default ones that wharf makes.

pub mod build;
pub mod default;
pub mod features;
