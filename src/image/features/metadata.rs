//! What a feature says of itself.

use std::collections::BTreeMap;

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use serde::Deserialize;
use serde_json::{Map, Value};

pub const FILE: &str = "devcontainer-feature.json";

/// What of it counts for the container that the feature is in, as the label of its image has it.
const KEPT: [&str; 12] = [
    "init",
    "privileged",
    "capAdd",
    "securityOpt",
    "entrypoint",
    "mounts",
    "customizations",
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    pub id: String,
    pub options: BTreeMap<String, Choice>,
    pub container_env: BTreeMap<String, String>,
    pub depends_on: BTreeMap<String, Value>,
    pub installs_after: Vec<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// An option of the feature.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Choice {
    default: Value,
}

impl Metadata {
    /// As the file has it: JSON, often with comments.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse_to_serde_value(text, &ParseOptions::default()).map_err(|error| format!("its {FILE} can't be read: {error}"))
    }

    /// The variables for the feature's script: its options, with their defaults where nobody has said another value.
    pub fn variables(&self, asked: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let defaults = self.options.iter().filter_map(|(name, choice)| Some((name.clone(), scalar(&choice.default)?)));
        let all: BTreeMap<String, String> = defaults.chain(asked.clone()).collect();
        all.into_iter().map(|(name, value)| (variable(&name), value)).collect()
    }

    /// An entry of the label `devcontainer.metadata`.
    pub fn label_entry(&self, id: &str) -> Value {
        let mut entry: Map<String, Value> = self
            .rest
            .iter()
            .filter(|(key, _)| KEPT.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        entry.insert("id".to_owned(), id.into());
        Value::Object(entry)
    }
}

/// What a file has behind a feature: its options, or a version alone.
pub fn options_of(value: &Value) -> BTreeMap<String, String> {
    match value {
        Value::Object(options) => options.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect(),
        Value::String(version) => [("version".to_owned(), version.clone())].into(),
        _ => BTreeMap::new(),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// As the specification makes a variable of an option's name: other characters become `_`, and so do digits at its beginning.
fn variable(option: &str) -> String {
    let safe: String = option.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    let rest = safe.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
    let begins_otherwise = rest.len() < safe.len();
    format!("{}{rest}", if begins_otherwise { "_" } else { "" }).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_variables() {
        let text = r#"{ "id": "x", // of this
            "options": { "version": {"type": "string", "default": "latest"}, "with-tools": {"default": true}, "2nd": {"default": ""} },
            "capAdd": ["SYS_PTRACE"], "documentationURL": "https://x.org" }"#;
        let metadata = Metadata::parse(text).unwrap();
        let asked = options_of(&serde_json::json!({"version": 20, "more.or": false}));
        let variables: Vec<String> =
            metadata.variables(&asked).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(variables, ["MORE_OR=false", "VERSION=20", "WITH_TOOLS=true", "_ND="]);
        assert_eq!(metadata.label_entry("r.io/x:1").to_string(), r#"{"capAdd":["SYS_PTRACE"],"id":"r.io/x:1"}"#);
        assert!(Metadata::parse("{").is_err());
    }
}
