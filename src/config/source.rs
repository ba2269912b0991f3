//! Where a value of the configuration was written.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::quote;

/// Which of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Global,
    Project,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Default,
    File { scope: Scope, file: Arc<str>, line: usize },
    Flag(&'static str),
}

/// A value, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sourced<T> {
    pub value: T,
    pub from: Source,
}

impl<T> Sourced<T> {
    pub fn default(value: T) -> Self {
        Self { value, from: Source::Default }
    }

    pub fn flag(value: T, flag: &'static str) -> Self {
        Self { value, from: Source::Flag(flag) }
    }
}

impl<T> Deref for Sourced<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { scope, file, line } => {
                let scope = if *scope == Scope::Global { "global" } else { "project" };
                write!(f, "{scope} {}:{line}", quote::printable(file))
            }
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
