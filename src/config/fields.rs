//! One node of KDL, of which arguments, properties and children are taken one by one. What nobody took is an error.

use kdl::{KdlEntry, KdlNode, KdlValue};

use super::keyed::Keyed;
use super::source::{Source, Sourced};
use super::value::{Read, Wrong};
use crate::error::Problem;
use crate::nearest::nearest;

pub struct Fields<'a> {
    node: &'a KdlNode,
    arguments: std::collections::VecDeque<&'a KdlEntry>,
    properties: Vec<(&'a str, &'a KdlEntry)>,
    known_properties: Vec<&'static str>,
    children_were_taken: bool,
    problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    pub fn of(node: &'a KdlNode) -> Self {
        let mut fields = Self {
            node,
            arguments: node.entries().iter().filter(|entry| entry.name().is_none()).collect(),
            properties: Vec::new(),
            known_properties: Vec::new(),
            children_were_taken: false,
            problems: Vec::new(),
        };
        if node.ty().is_some() || node.entries().iter().any(|entry| entry.ty().is_some()) {
            fields.wrong_node(Wrong::new("a type in parentheses means nothing here", "remove it"));
        }
        for entry in node.entries() {
            let Some(name) = entry.name().map(kdl::KdlIdentifier::value) else {
                continue;
            };
            if fields.properties.iter().any(|(earlier, _)| *earlier == name) {
                let message = format!("`{name}` is written twice");
                fields.wrong(entry, Wrong::new(message, "keep one of them"));
            } else {
                fields.properties.push((name, entry));
            }
        }
        fields
    }

    /// The next argument, which has to be there.
    pub fn argument<T>(&mut self, what: &str, read: impl FnOnce(&KdlValue) -> Read<T>) -> Option<T> {
        if self.arguments.is_empty() {
            let name = self.node.name().value();
            self.wrong_node(Wrong::new(format!("`{name}` needs {what}"), format!("write it behind `{name}`")));
            return None;
        }
        self.optional_argument(read)
    }

    pub fn optional_argument<T>(&mut self, read: impl FnOnce(&KdlValue) -> Read<T>) -> Option<T> {
        let entry = self.arguments.pop_front()?;
        self.read(entry, read)
    }

    /// All arguments that are left, at least one; `None` where one of them is wrong.
    pub fn arguments<T>(&mut self, what: &str, read: impl Fn(&KdlValue) -> Read<T>) -> Option<Vec<T>> {
        let mut values = vec![self.argument(what, &read)];
        while !self.arguments.is_empty() {
            values.push(self.optional_argument(&read));
        }
        values.into_iter().collect()
    }

    pub fn property<T>(&mut self, name: &'static str, read: impl FnOnce(&KdlValue) -> Read<T>) -> Option<T> {
        self.known_properties.push(name);
        let entry = self.properties.iter().find(|(written, _)| *written == name)?.1;
        self.read(entry, read)
    }

    pub fn children(&mut self) -> &'a [KdlNode] {
        self.children_were_taken = true;
        self.node.children().map(kdl::KdlDocument::nodes).unwrap_or_default()
    }

    /// The children, each with its own fields; a name that is not among `known` is an error.
    pub fn each_child(&mut self, known: &[&'static str], mut take: impl FnMut(&'static str, &mut Fields)) {
        for child in self.children() {
            let name = child.name().value();
            match known.iter().find(|known| **known == name) {
                Some(known) => {
                    let mut fields = Fields::of(child);
                    take(known, &mut fields);
                    self.problems.extend(fields.finish());
                }
                None => self.problems.push(unknown(child, known)),
            }
        }
    }

    /// Keeps a value that can be written once.
    pub fn set<T>(&mut self, slot: &mut Option<Sourced<T>>, value: Option<Sourced<T>>) {
        match (&slot, value) {
            (Some(_), _) => {
                let name = self.node.name().value();
                self.wrong_node(Wrong::new(format!("`{name}` is written twice"), "keep one of them"));
            }
            (None, value) => *slot = value,
        }
    }

    /// Sets what can be written once, and whose place nobody asks for.
    pub fn set_plain<T>(&mut self, slot: &mut Option<T>, value: Option<T>) {
        match slot {
            Some(_) => {
                let name = self.node.name().value();
                self.wrong_node(Wrong::new(format!("`{name}` is written twice"), "keep one of them"));
            }
            None => *slot = value,
        }
    }

    pub fn wrong_node(&mut self, wrong: Wrong) {
        self.problems.push(problem(name_span(self.node), wrong));
    }

    /// What was wrong with children that were taken by hand.
    pub fn add_problems(&mut self, problems: Vec<Problem>) {
        self.problems.extend(problems);
    }

    /// Everything that was wrong, and what nobody took.
    pub fn finish(mut self) -> Vec<Problem> {
        let name = self.node.name().value();
        for entry in std::mem::take(&mut self.arguments) {
            self.wrong(entry, Wrong::new(format!("`{name}` takes no more than that"), "remove it"));
        }
        for (written, entry) in std::mem::take(&mut self.properties) {
            if !self.known_properties.contains(&written) {
                let message = format!("`{name}` has no property `{written}`");
                let hint = suggestion(written, &self.known_properties);
                self.wrong(entry, Wrong { message, hint });
            }
        }
        if self.node.children().is_some() && !self.children_were_taken {
            self.wrong_node(Wrong::new(format!("`{name}` takes no children"), "remove the braces"));
        }
        self.problems
    }

    fn read<T>(&mut self, entry: &KdlEntry, read: impl FnOnce(&KdlValue) -> Read<T>) -> Option<T> {
        read(entry.value()).map_err(|wrong| self.wrong(entry, wrong)).ok()
    }

    fn wrong(&mut self, entry: &KdlEntry, wrong: Wrong) {
        let span = entry.span();
        self.problems.push(problem(span.offset()..span.offset() + span.len(), wrong));
    }
}

pub fn sourced<T>(value: Option<T>, from: &Source) -> Option<Sourced<T>> {
    value.map(|value| Sourced { value, from: from.clone() })
}

/// Keeps one more entry of a list in which no two have the same key.
pub fn add<T: Keyed>(entries: &mut Vec<Sourced<T>>, entry: Option<T>, from: &Source, fields: &mut Fields) {
    let Some(entry) = entry else {
        return;
    };
    match entries.iter().find(|earlier| earlier.key() == entry.key()) {
        Some(earlier) => {
            let message = format!("`{}` is written twice (before: {})", entry.key(), earlier.from);
            fields.wrong_node(Wrong::new(message, "keep one of them"));
        }
        None => entries.push(Sourced { value: entry, from: from.clone() }),
    }
}

/// The problem that a node has a name which nobody knows.
pub fn unknown(node: &KdlNode, known: &[&'static str]) -> Problem {
    let name = node.name().value();
    let message = format!("there is no key `{name}` here");
    problem(name_span(node), Wrong { message, hint: suggestion(name, known) })
}

pub fn problem(span: std::ops::Range<usize>, wrong: Wrong) -> Problem {
    Problem { span, message: wrong.message, hint: wrong.hint }
}

pub fn name_span(node: &KdlNode) -> std::ops::Range<usize> {
    let span = node.name().span();
    span.offset()..span.offset() + span.len()
}

/// How many words are a short list.
const SHORT: usize = 8;

fn suggestion(written: &str, known: &[&'static str]) -> Option<String> {
    let did_you = nearest(written, known.iter().copied()).map(|name| format!("did you mean `{name}`?"));
    // Nobody reads through a long list who was told what was meant.
    let is_read = did_you.is_none() || known.len() <= SHORT;
    let allowed = (!known.is_empty() && is_read).then(|| format!("allowed: {}", known.join(", ")));
    let parts: Vec<String> = did_you.into_iter().chain(allowed).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
