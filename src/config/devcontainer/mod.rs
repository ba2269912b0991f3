//! devcontainer.json → [`Part`]: a second way to write the configuration. <https://containers.dev/implementors/json_reference>
//!
//! What is wrong with a value is an error, as in wharf.kdl. What the file has for other tools, or for a later version, is none:
//! of each property, [`Property`] says what became of it.

mod commands;
mod entry;
mod environment;
mod image;
mod json;
mod mounts;
mod places;
mod ports;
mod run_args;
mod sessions;
#[cfg(test)]
mod tests;
mod users;
mod variables;

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::decode::{File, Surroundings};
use super::part::{Part, Property};
use super::source::{Scope, Source, Sourced};
use super::wrong::Wrong;
use crate::error::{Problem, Problems, place};
use crate::nearest::nearest;
use entry::{Becomes, Entry, Read, left, notable};
pub use places::{Found, Place, is_devcontainer, may_be_in};
use variables::{Known, basename};

/// Every property that a file can have at its top, and what reads it.
#[rustfmt::skip]
pub const PROPERTIES: [(&str, Read); 46] = [
    ("$schema", |_, _| left("which words an editor offers")),
    ("name", |_, _| left("a name for people; wharf calls a project by its directory")),
    ("image", image::image),
    ("build", image::build),
    ("dockerFile", image::old_dockerfile),
    ("context", image::old_context),
    ("dockerComposeFile", |_, _| notable("compose files are not read by this version")),
    ("service", |_, _| left("belongs to `dockerComposeFile`")),
    ("runServices", |_, _| left("belongs to `dockerComposeFile`")),
    ("features", image::features),
    ("overrideFeatureInstallOrder", image::feature_order),
    ("containerEnv", environment::container),
    ("remoteEnv", environment::remote),
    ("remoteUser", users::remote),
    ("containerUser", users::container),
    ("updateRemoteUserUID", users::update),
    ("userEnvProbe", users::probe),
    ("workspaceFolder", mounts::workspace_folder),
    ("workspaceMount", mounts::workspace_mount),
    ("mounts", mounts::mounts),
    ("runArgs", run_args::run_args),
    ("appPort", ports::published),
    ("forwardPorts", ports::forwarded),
    ("portsAttributes", ports::attributes),
    ("otherPortsAttributes", ports::attributes),
    ("init", users::init),
    ("privileged", users::privileged),
    ("capAdd", users::capabilities),
    ("securityOpt", users::security),
    ("hostRequirements", users::requirements),
    ("overrideCommand", users::override_command),
    ("shutdownAction", users::shutdown),
    ("initializeCommand", commands::initialize),
    ("onCreateCommand", commands::once),
    ("updateContentCommand", commands::once),
    ("postCreateCommand", commands::once),
    ("postStartCommand", commands::start),
    ("postAttachCommand", commands::attach),
    ("waitFor", commands::wait_for),
    ("customizations", sessions::customizations),
    ("secrets", |_, _| left("which secrets a service asks for")),
    ("codespaces", |_, _| left("another tool's, left alone")),
    ("extensions", |_, _| left("an editor's, left alone")),
    ("settings", |_, _| left("an editor's, left alone")),
    ("devPort", |_, _| left("an editor's, left alone")),
    ("additionalProperties", |_, _| left("for other tools, left alone")),
];

/// What a file says.
#[derive(Debug, Default)]
pub struct Decoded {
    pub part: Part,
    /// What nobody will miss, and people may have meant otherwise.
    pub warnings: Vec<Problem>,
    /// The lines that ask for something of the host's environment. Without trust, it has nothing.
    pub asking: BTreeSet<usize>,
}

pub fn decode(file: File, surroundings: &Surroundings, is_trusted: bool) -> Result<Decoded, Problems> {
    // Some editors begin a file with a byte order mark.
    let unmarked = file.text.strip_prefix('\u{feff}').map(|text| format!("   {text}"));
    let text = unmarked.as_deref().unwrap_or(file.text);
    let fail = |problems| Problems::new(file.path, file.text, problems);
    let object = json::parse(text).map_err(|problem| fail(vec![problem]))?;
    let place = Place::of(Path::new(file.path));
    let mut decoder = Decoder {
        file,
        path: file.path.into(),
        surroundings,
        is_trusted,
        known: Known {
            local_folder: place.root.to_string_lossy().into_owned(),
            local_basename: place.basename(),
            container_folder: format!("/workspaces/{}", place.basename()),
            id: place.id(),
        },
        place,
        problems: Vec::new(),
        decoded: Decoded::default(),
        user: users::Said::default(),
        image: image::Said::default(),
        commands: commands::Said::default(),
        workspace: mounts::Said::default(),
    };
    decoder.find_workspace(&object);
    decoder.object(&object, "", &PROPERTIES);
    decoder.finish();
    if decoder.problems.is_empty() { Ok(decoder.decoded) } else { Err(fail(decoder.problems)) }
}

/// A file as it is read. What several properties say together is kept until all of them are known.
pub struct Decoder<'a> {
    file: File<'a>,
    path: Arc<str>,
    place: Place,
    surroundings: &'a Surroundings,
    /// Whether it may see the host's environment.
    is_trusted: bool,
    known: Known,
    problems: Vec<Problem>,
    decoded: Decoded,
    user: users::Said,
    image: image::Said,
    commands: commands::Said,
    workspace: mounts::Said,
}

impl Decoder<'_> {
    /// Reads the properties of an object, each by the reader of its name.
    fn object(&mut self, object: &jsonc_parser::ast::Object, above: &str, known: &[(&'static str, Read)]) {
        for (i, property) in object.properties.iter().enumerate() {
            let name = property.name.as_str();
            let span = json::name_span(property);
            // As of all readers of JSON, the last of one name counts.
            if object.properties[i + 1..].iter().any(|later| later.name.as_str() == name) {
                self.warn(span, Wrong::new(format!("`{name}` is written twice; the last one counts"), "keep one of them"));
                continue;
            }
            let entry = Entry { name: format!("{above}{name}"), source: self.source(span.start), value: &property.value };
            let becomes = match known.iter().find(|(known, _)| *known == name) {
                Some(_) if property.value.as_null_keyword().is_some() => left("`null` says nothing"),
                Some((_, read)) => read(self, &entry),
                None => {
                    let meant = nearest(name, known.iter().map(|(known, _)| *known));
                    let hint = meant.map_or_else(|| "another tool may".to_owned(), |meant| format!("did you mean `{meant}`?"));
                    self.warn(span, Wrong::new(format!("wharf knows no property `{}`", entry.name), hint));
                    left("not known to wharf")
                }
            };
            self.account(&entry, becomes);
        }
    }

    /// Notes what becomes of a property, unless it is wrong.
    fn account(&mut self, entry: &Entry, becomes: Option<Becomes>) {
        let Some(Becomes { text, is_notable }) = becomes else { return };
        let property = Property { name: entry.name.clone(), becomes: text, is_notable };
        self.decoded.part.properties.push(Sourced { value: property, from: entry.source.clone() });
    }

    fn finish(&mut self) {
        self.finish_image();
        self.finish_user();
        self.finish_commands();
        self.finish_workspace();
    }

    fn source(&self, offset: usize) -> Source {
        Source::File { scope: Scope::Project, file: self.path.clone(), line: place(self.file.text, offset).0 }
    }

    /// The whole file, for what follows from its being there.
    fn source_of_file(&self) -> Source {
        self.source(self.file.text.find('{').unwrap_or(0))
    }

    fn wrong(&mut self, span: Range<usize>, wrong: Wrong) {
        self.problems.push(json::problem(span, wrong));
    }

    fn warn(&mut self, span: Range<usize>, wrong: Wrong) {
        self.decoded.warnings.push(json::problem(span, wrong));
    }

    /// A text with the file's variables replaced; how it is written, where it has something of the host's environment.
    fn replace(&mut self, span: &Range<usize>, text: &str) -> (String, Option<String>) {
        let variables = &self.surroundings.variables;
        let replaced = self.known.replace(text, |name| variables.get(name).filter(|_| self.is_trusted).cloned());
        if let Some(wrong) = replaced.wrong {
            self.warn(span.clone(), wrong);
        }
        if replaced.asks_host {
            let (line, _) = place(self.file.text, span.start);
            self.decoded.asking.insert(line);
        }
        (replaced.text, replaced.asks_host.then(|| text.to_owned()))
    }
}
