//! What a project's container should be, and how it gets there: look, plan, act.

pub mod connect;
pub mod drift;
pub mod lifecycle;
pub mod machine;
pub mod plan;
pub mod provision;
pub mod recorded;
pub mod resources;
pub mod spec;
pub mod wanted;
