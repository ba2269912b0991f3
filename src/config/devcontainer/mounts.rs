//! Where the project is in the container, and what else is mounted there.

use std::ops::Range;
use std::path::Path;

use jsonc_parser::ast::{Object, Value};

use super::entry::{Becomes, Entry, each, kept, left, notable, refused};
use super::{Decoder, basename, json};
use crate::config::forbidden;
use crate::config::machine::Tmpfs;
use crate::config::part::{Mount, Volume, WorkspaceSource};
use crate::config::source::{Source, Sourced};
use crate::config::value;
use crate::config::wrong::Wrong;
use crate::model::slug;

/// What the file says of the project's place in the container.
#[derive(Debug, Default)]
pub struct Said {
    folder: Option<(String, Source)>,
    mount: Option<(Asked, Source)>,
}

/// A mount, as `docker run --mount` takes it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Asked {
    kind: String,
    source: String,
    target: String,
    readonly: bool,
}

/// Where the reference tool mounts projects.
const WORKSPACES: &str = "/workspaces";

pub fn workspace_folder(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let path = decoder.text(entry.value)?;
    if path.is_empty() {
        return left("it is empty");
    }
    decoder.workspace.folder = Some((path, entry.source.clone()));
    kept("`directory`")
}

pub fn workspace_mount(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let text = decoder.text(entry.value)?;
    let asked = if text.trim().is_empty() { Asked::default() } else { decoder.asked(&text, &json::span(entry.value))? };
    decoder.workspace.mount = Some((asked, entry.source.clone()));
    kept("`workspace`")
}

pub fn mounts(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let mut is_whole = true;
    for value in each(entry.value) {
        let from = decoder.source(json::span(value).start);
        let asked = match value {
            Value::Object(object) => decoder.asked_object(object)?,
            other => {
                let text = decoder.text(other)?;
                if text.trim().is_empty() {
                    continue;
                }
                decoder.asked(&text, &json::span(other))?
            }
        };
        let becomes = decoder.mount(&asked, &from, &json::span(value));
        is_whole &= becomes.is_some();
        if let Some(becomes) = becomes {
            let entry = Entry { name: format!("mounts {}", asked.target), source: from, value };
            decoder.account(&entry, Some(becomes));
        }
    }
    if is_whole { kept("each by itself") } else { refused() }
}

impl Decoder<'_> {
    /// Finds out before all else where the project will be: everything else may name it.
    pub(super) fn find_workspace(&mut self, object: &Object) {
        if let Some(folder) = object.get_string("workspaceFolder").filter(|folder| !folder.value.is_empty()) {
            let variables = &self.surroundings.variables;
            let folder = self.known.replace(&folder.value, |name| variables.get(name).filter(|_| self.is_trusted).cloned());
            self.known.container_folder = folder.text;
        } else if object.get("dockerComposeFile").is_some() {
            "/".clone_into(&mut self.known.container_folder);
        }
    }

    pub(super) fn finish_workspace(&mut self) {
        let Said { folder, mount } = std::mem::take(&mut self.workspace);
        let usual = format!("{WORKSPACES}/{}", self.place.basename());
        let (target, from) = match mount {
            Some((asked, from)) => {
                let source = self.workspace_source(&asked);
                let target = if asked.target.is_empty() { self.known.container_folder.clone() } else { asked.target };
                self.decoded.part.workspace_source = source.map(|value| Sourced { value, from: from.clone() });
                (target, from)
            }
            None => (usual, self.source_of_file()),
        };
        let directory = folder.filter(|(path, _)| path.trim_end_matches('/') != target);
        self.decoded.part.directory = directory.map(|(value, from)| Sourced { value, from });
        self.decoded.part.workspace = Some(Sourced { value: target, from });
    }

    /// `None` for the project itself.
    fn workspace_source(&self, asked: &Asked) -> Option<WorkspaceSource> {
        if asked.target.is_empty() {
            Some(WorkspaceSource::Nothing)
        } else if asked.kind == "volume" {
            Some(WorkspaceSource::Volume(asked.source.clone()))
        } else {
            let is_project = crate::project::normal(Path::new(&asked.source)) == self.place.root;
            (!is_project).then(|| WorkspaceSource::Directory(asked.source.clone()))
        }
    }

    /// Adds a mount to what the file says; what becomes of it.
    pub(super) fn mount(&mut self, asked: &Asked, from: &Source, span: &Range<usize>) -> Option<Becomes> {
        let Asked { kind, source, target, readonly } = asked;
        let target = match value::container_path_of(target) {
            Ok(target) => target,
            // It would hide what wharf puts there; nobody else's file is wrong for that.
            Err(Wrong { message, hint }) => {
                let reason = hint.unwrap_or_default();
                self.warn(span.clone(), Wrong::new(message, reason.clone()));
                return notable(format!("left out: {reason}"));
            }
        };
        match kind.as_str() {
            "volume" => {
                // Without a name it would be a new one each time.
                let name = if source.is_empty() { slug(target.trim_start_matches('/')) } else { volume_name(source) };
                let volume = Volume { name, target, is_shared: !source.is_empty() };
                self.decoded.part.volumes.push(Sourced { value: volume, from: from.clone() });
                kept("`volume`")
            }
            "tmpfs" => self.tmpfs(&target, None, from, span),
            _ if forbidden::leads_to_engine(Path::new(source), &self.surroundings.sockets) => {
                notable(format!("left out: {}; run what needs the engine on the host", forbidden::ENGINE))
            }
            _ => {
                let mount = Mount { source: source.clone(), target, readonly: *readonly, optional: false };
                self.decoded.part.mounts.push(Sourced { value: mount, from: from.clone() });
                kept("`mount`")
            }
        }
    }

    /// Adds a directory in memory; what becomes of it.
    pub(super) fn tmpfs(&mut self, target: &str, size: Option<u64>, from: &Source, span: &Range<usize>) -> Option<Becomes> {
        match value::container_path_of(target) {
            Ok(target) => {
                let tmpfs = Tmpfs { target, size };
                self.decoded.part.machine.tmpfs.push(Sourced { value: tmpfs, from: from.clone() });
                kept("`tmpfs`")
            }
            Err(Wrong { message, hint }) => {
                self.warn(span.clone(), Wrong { message, hint });
                notable("left out: wharf's own files are there, or it hides all of the image")
            }
        }
    }

    /// `type=bind,source=/a,target=/b,readonly`
    pub(super) fn asked(&mut self, text: &str, span: &Range<usize>) -> Option<Asked> {
        let mut asked = Asked::default();
        for field in fields(text) {
            let (key, value) = field.split_once('=').unwrap_or((&field, "true"));
            asked.set(key.trim(), value);
        }
        self.check(asked, span)
    }

    fn asked_object(&mut self, object: &Object) -> Option<Asked> {
        let mut asked = Asked::default();
        for property in &object.properties {
            let value = self.text(&property.value)?;
            asked.set(property.name.as_str(), &value);
        }
        self.check(asked, &(object.range.start..object.range.end))
    }

    fn check(&mut self, mut asked: Asked, span: &Range<usize>) -> Option<Asked> {
        if asked.kind.is_empty() {
            // As docker has it.
            "volume".clone_into(&mut asked.kind);
        }
        if !["bind", "volume", "tmpfs"].contains(&asked.kind.as_str()) {
            let message = format!("`{}` is no kind of mount", asked.kind);
            self.wrong(span.clone(), Wrong::new(message, "write `type=bind`, `type=volume` or `type=tmpfs`"));
            return None;
        }
        if asked.target.is_empty() {
            self.wrong(span.clone(), Wrong::new("a mount needs `target`", "write where it is in the container"));
            return None;
        }
        if asked.kind == "bind" && asked.source.is_empty() {
            self.warn(span.clone(), Wrong::new("this mount has no `source`", "write what of the host is mounted"));
        }
        Some(asked)
    }
}

impl Asked {
    /// What `docker run --volume` takes: `[SOURCE:]TARGET[:OPTIONS]`.
    pub fn of_volume(text: &str) -> Self {
        let mut parts = text.split(':');
        let (first, second, options) = (parts.next().unwrap_or_default(), parts.next(), parts.next().unwrap_or_default());
        let (source, target) = second.map_or(("", first), |target| (first, target));
        let kind = if source.starts_with(['/', '.', '~']) { "bind" } else { "volume" };
        let readonly = options.split(',').any(|option| option == "ro");
        Self { kind: kind.to_owned(), source: source.to_owned(), target: target.to_owned(), readonly }
    }

    /// The words that docker has for each; others say how, and not what.
    fn set(&mut self, key: &str, value: &str) {
        match key {
            "type" => value.trim().clone_into(&mut self.kind),
            "source" | "src" => value.clone_into(&mut self.source),
            "target" | "dst" | "destination" => value.trim().clone_into(&mut self.target),
            "readonly" | "ro" => self.readonly = !["false", "0"].contains(&value),
            _ => {}
        }
    }
}

/// The fields of a line of comma-separated values, of which one with a comma stands in quotes.
fn fields(text: &str) -> Vec<String> {
    let (mut fields, mut field, mut is_quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields.retain(|field| !field.trim().is_empty());
    fields
}

/// What a directory's name in it may have, and the engine refuses, is left out.
fn volume_name(source: &str) -> String {
    let name: String = source.chars().map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '-' }).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if name.is_empty() { slug(&basename(source)) } else { name.to_owned() }
}
