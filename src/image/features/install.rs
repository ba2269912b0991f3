//! An image with features in it.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::Value;

use super::Feature;
use crate::digest::short_sha256;

/// Where the files of features are in the context, and in the image while they are installed.
const CONTEXT: &str = "features";
const INSIDE: &str = "/tmp/dev-container-features";

/// What is put on an image.
#[derive(Debug, Clone)]
pub struct Layer {
    pub features: Vec<Feature>,
    /// The name of the image beneath, and its digest.
    pub base: String,
    pub base_id: String,
    /// Who the image beneath is run as, and who runs things in the container.
    pub image_user: String,
    pub remote_user: String,
    /// What the image beneath says of itself.
    pub base_metadata: Option<String>,
}

impl Layer {
    /// What the image is called: one for each image beneath and set of features.
    pub fn tag(&self) -> String {
        let said =
            serde_json::json!([self.base_id, self.dockerfile(), self.features.iter().map(|it| &it.digest).collect::<Vec<_>>()]);
        format!("wharf-features-{}:latest", short_sha256(&said.to_string()))
    }

    pub fn dockerfile(&self) -> String {
        let mut text = format!("FROM {}\nUSER root\nCOPY {CONTEXT} {INSIDE}\n", self.base);
        for (i, feature) in self.features.iter().enumerate() {
            for (name, value) in &feature.metadata.container_env {
                let _ = writeln!(text, "ENV {name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " "));
            }
            // The step says which feature it is, for whoever reads that it has failed.
            let _ = writeln!(
                text,
                "RUN : feature {} && cd {INSIDE}/{i} && chmod -R 0755 . && . ./wharf.env && ./install.sh",
                safe(&feature.id)
            );
        }
        let _ = write!(text, "RUN rm -rf {INSIDE}\nUSER {}\n", self.image_user);
        text
    }

    /// The label that says what the image needs of its container.
    pub fn metadata(&self) -> String {
        let base = self.base_metadata.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let mut entries = match base {
            Some(Value::Array(entries)) => entries,
            Some(entry @ Value::Object(_)) => vec![entry],
            _ => Vec::new(),
        };
        entries.extend(self.features.iter().map(|feature| feature.metadata.label_entry(&feature.id)));
        Value::Array(entries).to_string()
    }

    /// Writes the context as a tar archive.
    pub fn pack(&self, into: impl Write) -> io::Result<()> {
        let mut context = tar::Builder::new(into);
        let mut add = |path: &str, mode: u32, content: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_mode(mode);
            header.set_size(content.len() as u64);
            context.append_data(&mut header, path, content)
        };
        add("Dockerfile", 0o644, self.dockerfile().as_bytes())?;
        for (i, feature) in self.features.iter().enumerate() {
            add(&format!("{CONTEXT}/{i}/wharf.env"), 0o644, self.variables(feature).as_bytes())?;
        }
        for (i, feature) in self.features.iter().enumerate() {
            let mut archive = tar::Archive::new(feature.files.as_slice());
            for entry in archive.entries()? {
                let mut entry = entry?;
                let path = entry
                    .path()?
                    .components()
                    .filter(|part| matches!(part, std::path::Component::Normal(_)))
                    .collect::<std::path::PathBuf>();
                if path.as_os_str().is_empty() {
                    continue;
                }
                let path = std::path::Path::new(CONTEXT).join(i.to_string()).join(path);
                let mut header = entry.header().clone();
                header.set_uid(0);
                header.set_gid(0);
                match entry.link_name()? {
                    Some(target) if !header.entry_type().is_file() => context.append_link(&mut header, path, target)?,
                    _ => context.append_data(&mut header, path, &mut entry)?,
                }
            }
        }
        context.into_inner()?.flush()
    }

    /// A script that sets what a feature's script may read.
    fn variables(&self, feature: &Feature) -> String {
        let quoted = |value: &str| format!("'{}'", value.replace('\'', r"'\''"));
        let mut text = String::new();
        for (name, value) in feature.metadata.variables(&feature.options) {
            let _ = writeln!(text, "export {name}={}", quoted(&value));
        }
        for (variable, user) in [("_REMOTE_USER", &self.remote_user), ("_CONTAINER_USER", &self.image_user)] {
            let user = safe(user);
            let _ = writeln!(text, "export {variable}={user}");
            let known = format!("getent passwd {user} 2>/dev/null || grep \"^{user}:\" /etc/passwd || true");
            let _ = writeln!(text, "export {variable}_HOME=\"$( ({known}) | cut -d: -f6)\"");
        }
        text
    }
}

/// No character of it means anything to a shell.
fn safe(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || "._-/:@".contains(c) { c } else { '_' }).collect()
}
