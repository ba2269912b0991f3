//! What has to hold of any document, for tests and for the fuzzer.

use super::decode::{File, decode};
use super::merge::merge;
use super::source::Scope;
use super::{Surroundings, inside_only, show};

/// Decodes a document as either file, and shows whatever came of it.
///
/// # Panics
///
/// Where what is shown has something that a terminal would obey.
pub fn survives(text: &str) {
    let surroundings =
        Surroundings { home: Some("/home/ada".into()), sockets: vec!["/srv/engine/api.sock".into()], ..Surroundings::default() };
    for scope in [Scope::Global, Scope::Project] {
        match decode(File { scope, path: "wharf.kdl", text }, &surroundings) {
            Ok(part) => drop(show(&merge([inside_only(part).0]))),
            Err(problems) => {
                let shown = problems.reports(false).join("\n") + &problems.to_string();
                assert!(!shown.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{shown}");
            }
        }
    }
}
