//! Variables of the container, and of what runs in it.

use super::entry::{Becomes, Entry, kept};
use super::{Decoder, json};
use crate::config::part::{SessionVariable, Variable};
use crate::config::source::Sourced;
use crate::config::value;
use crate::config::wrong::Wrong;

pub fn container(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    for property in &decoder.members(entry.value)?.properties {
        let from = decoder.source(json::name_span(property).start);
        if property.value.as_null_keyword().is_some() {
            continue;
        }
        let (value, written) = decoder.text_and_written(&property.value)?;
        if let Some(name) = decoder.variable_name(property) {
            let variable = Variable { name, value: Some(value), written };
            decoder.decoded.part.variables.push(Sourced { value: variable, from });
        }
    }
    kept("`env`")
}

pub fn remote(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    for property in &decoder.members(entry.value)?.properties {
        let from = decoder.source(json::name_span(property).start);
        let is_null = property.value.as_null_keyword().is_some();
        let (value, written) = if is_null { (None, None) } else { split(decoder.text_and_written(&property.value)?) };
        if let Some(name) = decoder.variable_name(property) {
            let variable = SessionVariable { name, value, written };
            decoder.decoded.part.session_variables.push(Sourced { value: variable, from });
        }
    }
    kept("`session-env`")
}

fn split((value, written): (String, Option<String>)) -> (Option<String>, Option<String>) {
    (Some(value), written)
}

impl Decoder<'_> {
    /// One that wharf sets itself is left as it is.
    fn variable_name(&mut self, property: &jsonc_parser::ast::ObjectProp) -> Option<String> {
        let read = value::variable(property.name.as_str());
        read.map_err(|Wrong { message, .. }| {
            let wrong = Wrong::new(format!("{message}, so this has no effect"), "remove it");
            self.warn(json::name_span(property), wrong);
        })
        .ok()
    }
}
