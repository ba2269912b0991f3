//! Features: parts of an environment that others have packed, each installed into the image by its own script.
//! <https://containers.dev/implementors/features>

mod install;
mod metadata;
mod order;
mod reference;
mod registry;
mod source;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

pub use install::Layer;
use metadata::Metadata;
use reference::Reference;
use source::Source;

use crate::error::{Error, Result};

/// What a project asks for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub features: Vec<Asked>,
    /// Features to install first, as far as others allow it; the first most of all.
    pub priority: Vec<String>,
    /// The project's directory, which the paths of its own features are relative to.
    pub project: PathBuf,
    /// Which contents count for features of registries.
    pub lock_file: Option<PathBuf>,
    /// Where what was fetched is kept.
    pub cache: PathBuf,
    /// Who the registries take one for: user and password, by host.
    pub credentials: HashMap<String, (String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Asked {
    /// As the file has it.
    pub id: String,
    pub options: BTreeMap<String, String>,
}

/// A feature that is here.
#[derive(Debug, Clone)]
pub struct Feature {
    pub id: String,
    /// What it is called without a version.
    name: String,
    /// Of its content.
    digest: String,
    /// Its files, as a tar archive.
    files: Vec<u8>,
    pub metadata: Metadata,
    options: BTreeMap<String, String>,
    /// The names of those that it depends on, in `Resolved::features`.
    depends_on: Vec<usize>,
}

impl Request {
    /// The registries that features come from.
    pub fn hosts(&self) -> Vec<String> {
        let hosts = self.features.iter().filter_map(|asked| match Reference::parse(&asked.id, &self.project) {
            Reference::Registry { host, .. } => Some(host),
            _ => None,
        });
        hosts.collect()
    }

    /// Fetches all features and those that they depend on, in the order in which they are installed. Blocks.
    pub fn resolve(&self) -> Result<Vec<Feature>> {
        let mut source = Source::new(self)?;
        let mut features: Vec<Feature> = Vec::new();
        for asked in &self.features {
            self.add(asked, &mut source, &mut features, &mut Vec::new())?;
        }
        order::sort(features, &self.priority)
    }

    /// Adds a feature and what it depends on, unless the same is there; its place.
    fn add(&self, asked: &Asked, source: &mut Source, features: &mut Vec<Feature>, above: &mut Vec<String>) -> Result<usize> {
        let reference = Reference::parse(&asked.id, &self.project);
        let failed = |message: String| Error::Feature { id: asked.id.clone(), message };
        let name = reference.name();
        if above.contains(&name) {
            above.push(name);
            return Err(failed(format!("features depend on each other: {}", above.join(" → "))));
        }
        let fetched = source.fetch(&asked.id, &reference)?;
        let is_local = matches!(reference, Reference::Directory(_));
        let same = |known: &Feature| known.digest == fetched.digest && known.options == asked.options && !is_local;
        if let Some(place) = features.iter().position(same) {
            return Ok(place);
        }
        above.push(name.clone());
        let mut depends_on = Vec::new();
        for (id, options) in &fetched.metadata.depends_on {
            let dependency = Asked { id: id.clone(), options: metadata::options_of(options) };
            depends_on.push(self.add(&dependency, source, features, above)?);
        }
        above.pop();
        features.push(Feature {
            id: asked.id.clone(),
            name,
            digest: fetched.digest,
            files: fetched.files,
            metadata: fetched.metadata,
            options: asked.options.clone(),
            depends_on,
        });
        Ok(features.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A project with features of its own: their names, and what their metadata says beside that.
    fn project(features: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, metadata) in features {
            let feature = directory.path().join(name);
            fs::create_dir(&feature).unwrap();
            fs::write(feature.join("install.sh"), "true\n").unwrap();
            let text = format!("{{\"id\": \"{name}\", // a comment\n {metadata} }}");
            fs::write(feature.join("devcontainer-feature.json"), text).unwrap();
        }
        directory
    }

    fn resolved(directory: &tempfile::TempDir, asked: &[&str], priority: &[&str]) -> Result<Vec<String>> {
        let asked = asked.iter().map(|name| Asked { id: format!("./{name}"), options: BTreeMap::new() });
        let request = Request {
            features: asked.collect(),
            priority: priority.iter().map(|name| format!("./{name}")).collect(),
            project: directory.path().to_owned(),
            cache: directory.path().join("cache"),
            ..Request::default()
        };
        Ok(request.resolve()?.into_iter().map(|feature| feature.metadata.id).collect())
    }

    #[test]
    fn what_others_depend_on_comes_first() {
        let directory = project(&[
            ("a", r#""dependsOn": {"./c": {}}, "installsAfter": ["./nobody"]"#),
            ("b", r#""installsAfter": ["./a"]"#),
            ("c", r#""version": "1.0.0""#),
            ("d", ""),
        ]);
        assert_eq!(resolved(&directory, &["a", "b", "d"], &[]).unwrap(), ["c", "d", "a", "b"]);
        assert_eq!(resolved(&directory, &["a", "b", "d"], &["b", "a"]).unwrap(), ["c", "d", "a", "b"]);
        assert_eq!(resolved(&directory, &["b", "d"], &["d"]).unwrap(), ["d", "b"]);
    }

    #[test]
    fn a_cycle_is_an_error_that_names_it() {
        let directory = project(&[("a", r#""dependsOn": {"./b": {}}"#), ("b", r#""dependsOn": {"./a": {}}"#)]);
        let error = resolved(&directory, &["a"], &[]).unwrap_err().to_string();
        assert!(error.contains("features depend on each other") && error.matches('→').count() == 2, "{error}");
        let directory = project(&[("a", r#""installsAfter": ["./b"]"#), ("b", r#""installsAfter": ["./a"]"#)]);
        assert!(resolved(&directory, &["a", "b"], &[]).unwrap_err().to_string().contains("wait for each other"));
    }

    #[test]
    fn what_is_no_feature_is_said() {
        let directory = project(&[]);
        fs::create_dir(directory.path().join("empty")).unwrap();
        let error = resolved(&directory, &["empty"], &[]).unwrap_err().to_string();
        assert!(error.contains("`./empty`") && error.contains("devcontainer-feature.json"), "{error}");
        assert!(resolved(&directory, &["none"], &[]).is_err());
    }
}
