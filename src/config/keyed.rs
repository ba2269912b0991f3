//! Entries of lists in which no two have the same key.

/// An entry of a list, of which a nearer layer replaces the one with the same key.
pub trait Keyed {
    fn key(&self) -> String;
}

/// By which field entries are told apart.
macro_rules! keyed {
    ($($entry:ident: $($field:tt).+;)*) => {
        $(impl crate::config::keyed::Keyed for $entry {
            fn key(&self) -> String {
                self.$($field).+.to_string()
            }
        })*
    };
}

pub(super) use keyed;
