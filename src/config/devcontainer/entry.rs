//! One property, and the forms in which its value may be written.

use jsonc_parser::ast::{Array, Object, Value};

use super::{Decoder, json};
use crate::config::source::Source;
use crate::config::wrong::Wrong;
use crate::nearest::nearest;

/// A property of the file.
pub struct Entry<'a> {
    /// Its path, as in `build.target`.
    pub name: String,
    pub source: Source,
    pub value: &'a Value<'a>,
}

/// What wharf does with a property.
#[derive(Debug)]
pub struct Becomes {
    pub text: String,
    /// Whether people should hear of it when the container is made.
    pub is_notable: bool,
}

/// Reads a property's value; `None` where it is wrong, which the decoder has noted, or has been noted part by part.
pub type Read = fn(&mut Decoder<'_>, &Entry<'_>) -> Option<Becomes>;

/// An array; anything else stands for an array with it alone.
pub fn each<'v>(value: &'v Value<'v>) -> Vec<&'v Value<'v>> {
    match value {
        Value::Array(Array { elements, .. }) => elements.iter().collect(),
        Value::NullKeyword(_) => Vec::new(),
        one => vec![one],
    }
}

/// It counts, as this.
#[expect(clippy::unnecessary_wraps, reason = "what a reader returns")]
pub fn kept(text: impl Into<String>) -> Option<Becomes> {
    Some(Becomes { text: text.into(), is_notable: false })
}

/// It does not count, for this reason, and nobody misses it.
pub fn left(text: impl Into<String>) -> Option<Becomes> {
    kept(format!("no effect: {}", text.into()))
}

/// It does not count, and people may miss it.
#[expect(clippy::unnecessary_wraps, reason = "what a reader returns")]
pub fn notable(text: impl Into<String>) -> Option<Becomes> {
    Some(Becomes { text: text.into(), is_notable: true })
}

/// It is wrong.
pub fn refused() -> Option<Becomes> {
    None
}

impl Decoder<'_> {
    /// That a value is of another type than it has to be.
    pub fn wrong_type<T>(&mut self, value: &Value, expected: &str) -> Option<T> {
        let message = format!("expected {expected}, found {}", json::kind(value));
        self.wrong(json::span(value), Wrong { message, hint: None });
        None
    }

    /// A string with its variables replaced.
    pub fn text(&mut self, value: &Value) -> Option<String> {
        self.text_and_written(value).map(|(text, _)| text)
    }

    /// Likewise, and how it is written where it has something of the host's environment.
    pub fn text_and_written(&mut self, value: &Value) -> Option<(String, Option<String>)> {
        let span = json::span(value);
        match json::scalar(value) {
            Some(text) if text.contains('\0') => {
                self.wrong(span, Wrong::new("a NUL byte can't be part of this", "remove it"));
                None
            }
            Some(text) => Some(self.replace(&span, &text)),
            None => self.wrong_type(value, "a string"),
        }
    }

    /// People write `"true"` for `true`.
    pub fn boolean(&mut self, value: &Value) -> Option<bool> {
        match json::scalar(value).as_deref() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => self.wrong_type(value, "`true` or `false`"),
        }
    }

    pub fn texts(&mut self, value: &Value) -> Option<Vec<String>> {
        each(value).into_iter().map(|value| self.text(value)).collect()
    }

    pub fn members<'v>(&mut self, value: &'v Value<'v>) -> Option<&'v Object<'v>> {
        match value {
            Value::Object(object) => Some(object),
            other => self.wrong_type(other, "an object"),
        }
    }

    /// One of a few words.
    pub fn word<T: Copy>(&mut self, value: &Value, words: &[(&str, T)]) -> Option<T> {
        let Value::StringLit(text) = value else {
            return self.wrong_type(value, "a word");
        };
        if let Some((_, meant)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(*meant);
        }
        let allowed = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let meant = nearest(&text.value, words.iter().map(|(word, _)| *word));
        let did_you = meant.map(|word| format!("did you mean \"{word}\"? ")).unwrap_or_default();
        self.wrong(
            json::span(value),
            Wrong::new(format!("`{}` is not known here", text.value), format!("{did_you}allowed: {allowed}")),
        );
        None
    }
}
