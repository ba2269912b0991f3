//! What the container is made of.

use std::collections::BTreeMap;

use jsonc_parser::ast::Value;

use super::entry::{Becomes, Entry, Read, kept, left, notable, refused};
use super::{Decoder, json};
use crate::config::part::{Build, Feature};
use crate::config::source::{Source, Sourced};
use crate::config::wrong::Wrong;

/// What the file says of a build, property by property.
#[derive(Debug, Default)]
pub struct Said {
    /// Relative to the file.
    dockerfile: Option<(String, Source)>,
    context: Option<String>,
    target: Option<String>,
    arguments: Vec<(String, String)>,
    cache_from: Vec<String>,
}

/// What `build` can have.
pub const BUILD: [(&str, Read); 6] = [
    ("dockerfile", |decoder, entry| dockerfile(decoder, entry)),
    ("context", |decoder, entry| context(decoder, entry)),
    ("target", target),
    ("args", arguments),
    ("cacheFrom", cache_from),
    ("options", options),
];

pub fn image(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let image = decoder.text(entry.value)?;
    if image.trim().is_empty() {
        decoder.wrong(json::span(entry.value), Wrong::new("this is empty", "write the name of an image"));
        return refused();
    }
    decoder.decoded.part.image = Some(Sourced { value: image, from: entry.source.clone() });
    kept("`image`")
}

pub fn build(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let members = decoder.members(entry.value)?;
    decoder.object(members, "build.", &BUILD);
    kept("`build`")
}

pub fn old_dockerfile(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    dockerfile(decoder, entry)
}

pub fn old_context(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    context(decoder, entry)
}

pub fn features(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    for property in &decoder.members(entry.value)?.properties {
        let span = json::name_span(property);
        let from = decoder.source(span.start);
        let (id, _) = decoder.replace(&span, property.name.as_str());
        let options = match &property.value {
            Value::Object(options) => {
                let mut read = BTreeMap::new();
                for option in &options.properties {
                    if option.value.as_null_keyword().is_none() {
                        read.insert(option.name.as_str().to_owned(), decoder.text(&option.value)?);
                    }
                }
                read
            }
            Value::StringLit(_) | Value::NumberLit(_) => [("version".to_owned(), decoder.text(&property.value)?)].into(),
            Value::BooleanLit(_) | Value::NullKeyword(_) => BTreeMap::new(),
            other @ Value::Array(_) => return decoder.wrong_type(other, "an object of options"),
        };
        let feature = Feature { id: decoder.feature_id(&id), options };
        decoder.decoded.part.features.push(Sourced { value: feature, from });
    }
    kept("`feature`")
}

pub fn feature_order(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let order = decoder.texts(entry.value)?.iter().map(|id| decoder.feature_id(id)).collect();
    decoder.decoded.part.feature_order = Some(Sourced { value: order, from: entry.source.clone() });
    kept("`feature-order`")
}

fn dockerfile(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let path = decoder.text(entry.value)?;
    decoder.image.dockerfile = Some((path, entry.source.clone()));
    kept("`build`")
}

fn context(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    decoder.image.context = Some(decoder.text(entry.value)?);
    kept("`build` … `context`")
}

fn target(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    decoder.image.target = Some(decoder.text(entry.value)?).filter(|target| !target.is_empty());
    kept("`build` … `target`")
}

fn arguments(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    for argument in &decoder.members(entry.value)?.properties {
        if argument.value.as_null_keyword().is_none() {
            let value = decoder.text(&argument.value)?;
            decoder.image.arguments.push((argument.name.as_str().to_owned(), value));
        }
    }
    kept("`build` … `arg`")
}

fn cache_from(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    decoder.image.cache_from = decoder.texts(entry.value)?;
    kept("`build` … `cache-from`")
}

fn options(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let options = decoder.texts(entry.value)?;
    if options.is_empty() {
        left("there are none")
    } else {
        notable(format!("left out: wharf builds without `{}`", options.join(" ")))
    }
}

impl Decoder<'_> {
    /// One of the project's own is relative to the file there, and to the project here.
    fn feature_id(&self, id: &str) -> String {
        if id.starts_with('.') { format!("./{}", self.place.path(id)) } else { id.to_owned() }
    }

    pub(super) fn finish_image(&mut self) {
        let said = std::mem::take(&mut self.image);
        let Some((dockerfile, from)) = said.dockerfile else { return };
        let build = Build {
            path: self.place.path(&dockerfile),
            context: Some(self.place.path(said.context.as_deref().unwrap_or("."))),
            target: said.target,
            arguments: said.arguments,
            cache_from: said.cache_from,
        };
        // The reference tool looks for a Dockerfile first.
        self.decoded.part.image = None;
        self.decoded.part.build = Some(Sourced { value: build, from });
    }
}
