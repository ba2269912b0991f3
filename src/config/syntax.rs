//! Text → KDL, however hostile the text: the parser is recursive, and may not take the stack with it.

use std::panic::resume_unwind;
use std::thread;

use kdl::KdlDocument;

use super::fields::problem;
use super::value::Wrong;
use crate::error::Problem;

/// Deeper, with more braces, and longer than any configuration is.
const MOST_NESTED: usize = 16;
const MOST_OPENINGS: usize = 200;
const MOST_BYTES: usize = 64 << 10;
/// The parser goes down for each brace, by up to 64 KB, and to find all that is wrong for each error, by less than 4 KB for a byte
/// (kdl 6.7, not optimized). Stack that is not touched costs nothing.
const STACK_FOR_OPENINGS: usize = MOST_OPENINGS * (64 << 10);
const STACK_FOR_BYTE: usize = 4 << 10;

pub fn parse(text: &str) -> Result<KdlDocument, Vec<Problem>> {
    if text.len() > MOST_BYTES {
        let wrong = Wrong::new(format!("a file of more than {} KiB is no configuration", MOST_BYTES >> 10), "write less");
        return Err(vec![problem(MOST_BYTES..MOST_BYTES, wrong)]);
    }
    if let Some(problem) = nested_too_deep(text) {
        return Err(vec![problem]);
    }
    // On a stack that is enough for the text.
    thread::scope(|scope| {
        let stack = thread::Builder::new().stack_size(STACK_FOR_OPENINGS + text.len() * STACK_FOR_BYTE);
        match stack.spawn_scoped(scope, || KdlDocument::parse_v2(text)) {
            Ok(parser) => parser.join().unwrap_or_else(|panic| resume_unwind(panic)).map_err(diagnostics),
            Err(error) => {
                let wrong =
                    Wrong::new(format!("there is no room to read this: {error}"), "`ulimit -v` says how much there may be");
                Err(vec![problem(0..0, wrong)])
            }
        }
    })
}

/// The diagnostics of the parser, not its sentence that something is wrong.
fn diagnostics(error: kdl::KdlError) -> Vec<Problem> {
    let diagnostics = error.diagnostics.into_iter().map(|diagnostic| {
        let message = diagnostic.message.or(diagnostic.label).unwrap_or_else(|| "this is not KDL".to_owned());
        let start = diagnostic.span.offset();
        Problem { span: start..start + diagnostic.span.len(), message: house_style(&message), hint: diagnostic.help }
    });
    diagnostics.collect()
}

/// Lower case, without a full stop.
fn house_style(message: &str) -> String {
    let mut characters = message.trim_end_matches('.').chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

/// Counts braces and openings of comments, also those in strings: what a string holds may look like a brace that closes, so all
/// that open are counted too.
fn nested_too_deep(text: &str) -> Option<Problem> {
    let (mut depth, mut openings) = (0_usize, 0);
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((i, byte)) = bytes.next() {
        let next = bytes.peek().map(|(_, byte)| *byte);
        match (byte, next) {
            (b'{', _) | (b'/', Some(b'*')) => (depth, openings) = (depth + 1, openings + 1),
            (b'}', _) | (b'*', Some(b'/')) => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if byte == b'/' || byte == b'*' {
            bytes.next();
        }
        let message = if depth > MOST_NESTED {
            "this is nested too deep"
        } else if openings > MOST_OPENINGS {
            "these are too many braces for one file"
        } else {
            continue;
        };
        return Some(problem(i..i + 1, Wrong::new(message, "no configuration is like that")));
    }
    None
}
