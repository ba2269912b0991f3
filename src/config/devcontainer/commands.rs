//! The life cycle's commands, which become hooks.

use std::collections::BTreeMap;

use jsonc_parser::ast::Value;

use super::Decoder;
use super::entry::{Becomes, Entry, kept, left};
use super::json;
use crate::config::part::{Command, WaitFor};
use crate::config::source::Sourced;
use crate::quote;

/// In the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Initialize,
    OnCreate,
    UpdateContent,
    PostCreate,
    PostStart,
    PostAttach,
}

const STAGES: [(&str, Stage); 6] = [
    ("initializeCommand", Stage::Initialize),
    ("onCreateCommand", Stage::OnCreate),
    ("updateContentCommand", Stage::UpdateContent),
    ("postCreateCommand", Stage::PostCreate),
    ("postStartCommand", Stage::PostStart),
    ("postAttachCommand", Stage::PostAttach),
];

#[derive(Debug, Default)]
pub struct Said {
    once: Vec<(Stage, Sourced<Command>)>,
    wait_for: Option<Sourced<Stage>>,
}

pub fn initialize(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let Some(command) = decoder.command(entry.value)? else { return left("it is empty") };
    decoder.decoded.part.on_host.push(Sourced { value: command, from: entry.source.clone() });
    kept("run on the host before the container starts")
}

pub fn once(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let Some(command) = decoder.command(entry.value)? else { return left("it is empty") };
    let stage = STAGES.iter().find(|(name, _)| *name == entry.name).map_or(Stage::OnCreate, |(_, stage)| *stage);
    decoder.commands.once.push((stage, Sourced { value: command, from: entry.source.clone() }));
    kept("`on-create`, or `after-create` where nobody waits for it")
}

pub fn start(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let Some(command) = decoder.command(entry.value)? else { return left("it is empty") };
    decoder.decoded.part.on_start.push(Sourced { value: command, from: entry.source.clone() });
    kept("`on-start`")
}

pub fn attach(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let Some(command) = decoder.command(entry.value)? else { return left("it is empty") };
    decoder.decoded.part.on_attach.push(Sourced { value: command, from: entry.source.clone() });
    kept("`on-attach`")
}

pub fn wait_for(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let stage = decoder.word(entry.value, &STAGES)?;
    decoder.commands.wait_for = Some(Sourced { value: stage, from: entry.source.clone() });
    kept("which commands are `on-create`, and `wait-for`")
}

impl Decoder<'_> {
    /// `None` within where there is nothing to run.
    #[expect(clippy::option_option, reason = "wrong, or nothing")]
    fn command(&mut self, value: &Value) -> Option<Option<Command>> {
        let Value::Object(object) = value else {
            return Some(Some(self.words(value)?).filter(|words| !words.is_empty()).map(Command::One));
        };
        let mut commands = BTreeMap::new();
        for property in &object.properties {
            let words = self.words(&property.value)?;
            if !words.is_empty() {
                commands.insert(property.name.as_str().to_owned(), words);
            }
        }
        Some((!commands.is_empty()).then_some(Command::Parallel(commands)))
    }

    /// A string is one line for a shell; an array is a program and its arguments.
    fn words(&mut self, value: &Value) -> Option<Vec<String>> {
        match value {
            Value::StringLit(_) => {
                Some(vec![self.text(value)?]).map(|words| if words[0].trim().is_empty() { Vec::new() } else { words })
            }
            Value::NullKeyword(_) => Some(Vec::new()),
            Value::Array(_) => {
                let words = self.texts(value)?;
                // One word would be a line for a shell.
                Some(if words.len() == 1 { vec![quote::shell_if_needed(&words[0])] } else { words })
            }
            Value::BooleanLit(_) | Value::NumberLit(_) | Value::Object(_) => {
                let _ = json::span(value);
                self.wrong_type(value, "a string or an array of strings")
            }
        }
    }

    /// What people wait for is `on-create`; the rest of what runs once goes on behind it.
    pub(super) fn finish_commands(&mut self) {
        let mut said = std::mem::take(&mut self.commands);
        let last = said.wait_for.as_ref().map_or(Stage::UpdateContent, |stage| stage.value);
        said.once.sort_by_key(|(stage, _)| *stage);
        for (stage, command) in said.once {
            let hooks = if stage <= last { &mut self.decoded.part.on_create } else { &mut self.decoded.part.after_create };
            hooks.push(command);
        }
        if let Some(stage) = said.wait_for.filter(|stage| stage.value >= Stage::PostStart) {
            self.decoded.part.wait_for = Some(Sourced { value: WaitFor::OnStart, from: stage.from });
        }
    }
}
