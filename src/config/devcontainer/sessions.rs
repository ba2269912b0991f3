//! What the file says to single tools; of wharf, its sessions.

use jsonc_parser::ast::Value;

use super::entry::{Becomes, Entry, Read, kept, left, refused};
use super::{Decoder, json};
use crate::config::part::Session;
use crate::config::source::Sourced;
use crate::config::wrong::Wrong;
use crate::model::SessionName;

/// What `customizations.wharf` can have.
pub const WHARF: [(&str, Read); 1] = [("sessions", sessions)];

pub fn customizations(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    for property in &decoder.members(entry.value)?.properties {
        let name = property.name.as_str();
        let span = json::name_span(property);
        let source = decoder.source(span.start);
        let tool = Entry { name: format!("customizations.{name}"), source, value: &property.value };
        let becomes = match &property.value {
            Value::Object(object) if name == "wharf" => {
                decoder.object(object, "customizations.wharf.", &WHARF);
                kept("read")
            }
            _ => left("another tool's, left alone"),
        };
        decoder.account(&tool, becomes);
    }
    kept("each tool by itself")
}

fn sessions(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    for property in &decoder.members(entry.value)?.properties {
        let span = json::name_span(property);
        let name: SessionName = match property.name.as_str().parse() {
            Ok(name) => name,
            Err(error) => {
                decoder.wrong(span, Wrong::new(format!("{error}"), "a name is letters, digits, `-` and `_`, as \"main\""));
                return refused();
            }
        };
        let mut session = Session {
            name,
            command: Vec::new(),
            autostart: false,
            directory: None,
            stop_signal: None,
            restarts_on_failure: false,
            ready: None,
        };
        match &property.value {
            Value::Object(object) => {
                for key in &object.properties {
                    match key.name.as_str() {
                        "command" => session.command = decoder.texts(&key.value)?,
                        "autostart" => session.autostart = decoder.boolean(&key.value)?,
                        "directory" => session.directory = Some(decoder.text(&key.value)?),
                        other => {
                            let message = format!("a session has no `{other}`");
                            decoder.warn(json::name_span(key), Wrong::new(message, "allowed: command, autostart, directory"));
                        }
                    }
                }
            }
            command => session.command = decoder.texts(command)?,
        }
        let from = decoder.source(span.start);
        decoder.decoded.part.sessions.push(Sourced { value: session, from });
    }
    kept("`session`")
}
