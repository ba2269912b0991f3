//! Text → JSON with comments, each value with its place.

use std::ops::Range;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::config::wrong::Wrong;
use crate::error::Problem;

/// The document's object. What the reference tool's parser lets pass does so here: comments, and commas too many or too few.
pub fn parse(text: &str) -> Result<Object<'_>, Problem> {
    let options = ParseOptions {
        allow_loose_object_property_names: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
        ..ParseOptions::default()
    };
    match parse_to_ast(text, &CollectOptions::default(), &options) {
        Ok(parsed) => match parsed.value {
            Some(Value::Object(object)) => Ok(object),
            Some(other) => Err(problem(span(&other), Wrong::new(format!("expected an object, found {}", kind(&other)), OBJECT))),
            None => Err(problem(0..0, Wrong::new("there is no object here", OBJECT))),
        },
        Err(error) => {
            let range = error.range();
            Err(problem(
                range.start..range.end,
                Wrong::new(house_style(&error.kind().to_string()), "JSON with comments is read here"),
            ))
        }
    }
}

const OBJECT: &str = "write the properties between `{` and `}`";

/// Lower case, without a full stop.
fn house_style(message: &str) -> String {
    let mut characters = message.trim_end_matches('.').chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

pub fn problem(span: Range<usize>, wrong: Wrong) -> Problem {
    Problem { span, message: wrong.message, hint: wrong.hint }
}

pub fn span(value: &Value) -> Range<usize> {
    let range = value.range();
    range.start..range.end
}

/// The place of a property's name.
pub fn name_span(property: &ObjectProp) -> Range<usize> {
    let range = property.name.range();
    range.start..range.end
}

pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::StringLit(_) => "a string",
        Value::NumberLit(_) => "a number",
        Value::BooleanLit(_) => "a boolean",
        Value::Object(_) => "an object",
        Value::Array(_) => "an array",
        Value::NullKeyword(_) => "`null`",
    }
}

/// A string, or what stands for one: people write numbers and booleans without quotes.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::StringLit(text) => Some(text.value.to_string()),
        Value::NumberLit(number) => Some(number.value.to_owned()),
        Value::BooleanLit(boolean) => Some(boolean.value.to_string()),
        Value::Object(_) | Value::Array(_) | Value::NullKeyword(_) => None,
    }
}
