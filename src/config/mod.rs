//! What a person has written down about their containers: two files and the flags, merged.

pub mod age;
mod decode;
mod devcontainer;
mod fields;
mod forbidden;
#[cfg(test)]
mod hostile;
mod keyed;
mod load;
mod machine;
mod merge;
mod node;
mod part;
mod show;
mod source;
#[cfg(any(test, fuzzing))]
mod survive;
mod syntax;
#[cfg(test)]
mod tests;
mod trust;
mod value;
mod wrong;

pub use decode::Surroundings;
pub use devcontainer::is_devcontainer;
pub use load::{Choice, Effective, Locations, PROJECT_FILE, Waiting, lines_of, may_have_file, own_file};
pub use machine::Machine;
#[cfg(test)]
pub use merge::merge;
pub use merge::{Config, DEFAULT_GPU_IMAGE, DEFAULT_IMAGE, DEFAULT_STOP_TIMEOUT, Image};
pub use part::{
    AUTO, Build, Command, Dotfiles, Gpus, Mount, OnExit, Part, Ready, SessionVariable, User, Variable, Volume, WaitFor, Way,
    WorkspaceSource,
};

pub use show::show;
pub use source::{Scope, Source, Sourced};
#[cfg(fuzzing)]
pub use survive::survives;
#[cfg(test)]
pub use tests::part_of;
pub use trust::Trusted;
#[cfg(any(test, fuzzing))]
use trust::inside_only;

/// A project's devcontainer.json files.
pub fn devcontainers_of(root: &std::path::Path) -> Vec<std::path::PathBuf> {
    devcontainer::Found::of(root).all().map(std::path::Path::to_owned).collect()
}

/// Why a path of the host may not be mounted, if it leads to one of these sockets or to an engine's usual one.
pub fn forbidden_mount(source: &std::path::Path, sockets: &[std::path::PathBuf]) -> Option<&'static str> {
    forbidden::leads_to_engine(source, sockets).then_some(forbidden::ENGINE)
}
