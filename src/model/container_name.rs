//! The deterministic name of a project's container.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::digest::{SHORT, short_sha256};

/// `wharf-<slug>-<12 hex>`, the hex from SHA-256 of the project's path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct ContainerName(String);

const PREFIX: &str = "wharf-";
const MAX_SLUG: usize = 40;

impl ContainerName {
    /// The name of the container of the project at this path.
    pub fn of(path: &str) -> Self {
        let base = path.rsplit('/').next().unwrap_or(path);
        Self(format!("{PREFIX}{}-{}", slug(base), short_sha256(path)))
    }

    /// A name that no other container has, for one that is thrown away.
    pub fn throw_away(project: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Self::of(project).with_hex(&format!("{project} {} {now}", std::process::id()))
    }

    fn with_hex(&self, of: &str) -> Self {
        let slug = &self.0[..self.0.len() - SHORT];
        Self(format!("{slug}{}", short_sha256(of)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The volume that holds the home directory of the container's user.
    pub fn home_volume(&self) -> String {
        format!("{}-home", self.0)
    }

    /// A host name for the container (RFC 1123): what a shell prompt shows.
    pub fn hostname(&self) -> &str {
        let slug = &self.0[PREFIX.len()..self.0.len() - SHORT - 1];
        slug.trim_matches(|c: char| !c.is_ascii_alphanumeric())
    }
}

impl FromStr for ContainerName {
    type Err = ();

    /// Reads a name of this form; any other text is not a container's name.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (slug_text, hex) = text.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once('-')).ok_or(())?;
        let is_hex = hex.len() == SHORT && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (is_hex && slug(slug_text) == slug_text).then(|| Self(text.to_owned())).ok_or(())
    }
}

impl fmt::Display for ContainerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Any text as a word that shells, the engine and DNS take: lower-case ASCII letters, digits and single dashes, at most
/// 40 of them; `project` where nothing of the text can be kept.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == MAX_SLUG {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "project".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hex_is_that_of_sha256sum() {
        // printf %s /srv/api | sha256sum
        assert_eq!(ContainerName::of("/srv/api").as_str(), "wharf-api-5afe96def098");
    }

    #[test]
    fn equal_basenames_differ() {
        assert_ne!(ContainerName::of("/a/api"), ContainerName::of("/b/api"));
    }

    #[test]
    fn a_slug_is_safe_whatever_the_directory_is_called() {
        for (name, expected) in [
            ("api", "api"),
            ("My App", "my-app"),
            ("-rf", "rf"),
            ("#{pid}", "pid"),
            ("a\nb", "a-b"),
            ("it's \"q\"", "it-s-q"),
            ("größe", "gr-e"),
            ("日本", "project"),
            ("..", "project"),
        ] {
            assert_eq!(slug(name), expected, "{name:?}");
        }
        assert_eq!(slug(&"x".repeat(255)).len(), MAX_SLUG);
    }

    #[test]
    fn a_name_reads_back_and_nothing_else_does() {
        let name = ContainerName::of("/srv/My App");
        assert_eq!(name.as_str().parse(), Ok(name.clone()));
        assert_eq!(name.hostname(), "my-app");
        for text in [
            "",
            "wharf-",
            "wharf-api",
            "wharf-api-3f9c01d2e4a",
            "wharf-API-3f9c01d2e4ab",
            "api-3f9c01d2e4ab",
            "wharf--3f9c01d2e4ab",
        ] {
            assert_eq!(text.parse::<ContainerName>(), Err(()), "{text}");
        }
    }
}
