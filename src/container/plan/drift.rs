//! How what a container was made as differs from what one would be made as now.

use std::fmt;

/// What counts of how a container is made, but for its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made<'a> {
    pub image: &'a str,
    /// The digest that the image's name stood for, where it is known.
    pub image_id: Option<&'a str>,
    pub workspace: &'a str,
    pub read_only: bool,
    /// `uid:gid`
    pub user: &'a str,
}

/// A key of [`Made`] whose value is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    key: &'static str,
    old: String,
    new: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} → {}", self.key, self.old, self.new)
    }
}

/// Key by key, in the order that people read.
pub fn changes(old: &Made, new: &Made) -> Vec<Change> {
    let id = |made: &Made| made.image_id.map_or_else(|| "unknown".to_owned(), short);
    let yes_or_no = |made: &Made| if made.read_only { "yes" } else { "no" }.to_owned();
    let values = |made: &Made| {
        [
            ("image", made.image.to_owned()),
            ("image id", id(made)),
            ("workspace", made.workspace.to_owned()),
            ("read-only", yes_or_no(made)),
            ("user", made.user.to_owned()),
        ]
    };
    let both = values(old).into_iter().zip(values(new));
    both.filter(|((_, old), (_, new))| old != new).map(|((key, old), (_, new))| Change { key, old, new }).collect()
}

/// What a rebuild or a restart would apply, though nobody has asked for anything else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// Whether the configuration has changed.
    pub configuration: bool,
    /// Whether the Dockerfile has, or what else its image is built of.
    pub dockerfile: bool,
    /// How the image has, which the container's image's name stands for.
    pub image: Option<String>,
    /// Whether another directory is at the project's path, and the container has the one that was there. A restart applies that.
    pub is_replaced: bool,
}

/// What has happened to a project's directory that was replaced, and what helps.
pub const REPLACED: (&str, &str) =
    ("the project's directory was replaced, and its container still has the old one", "`wharf restart` gets the new one");

impl Drift {
    pub fn is_any(&self) -> bool {
        *self != Self::default()
    }

    /// What a rebuild would apply, in a sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let each = self.names().into_iter().map(|name| format!("{name} has changed"));
        each.chain(self.image.clone()).collect()
    }

    /// What a rebuild would apply in one line, where there is any.
    pub fn line(&self) -> Option<String> {
        let names = self.names();
        let verb = if names.len() == 1 { "has" } else { "have" };
        let changed = (!names.is_empty()).then(|| format!("{} {verb} changed", names.join(" and ")));
        let parts: Vec<String> = changed.into_iter().chain(self.image.clone()).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    fn names(&self) -> Vec<&'static str> {
        let names = [(self.configuration, "configuration"), (self.dockerfile, "Dockerfile")];
        names.into_iter().filter(|(has_changed, _)| *has_changed).map(|(_, name)| name).collect()
    }
}

/// How an image has changed: `made_from` is the digest that a container was made from, and `now` what its image's name stands
/// for.
pub fn image_drift(image: &str, made_from: Option<&str>, now: Option<&str>) -> Option<String> {
    let (old, new) = (made_from?, now?);
    (old != new).then(|| format!("image `{image}` has changed ({} → {})", short(old), short(new)))
}

/// As docker's own client shows it.
fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: Made =
        Made { image: "debian", image_id: Some("sha256:1"), workspace: "/srv/api", read_only: false, user: "1000:1000" };

    #[test]
    fn each_key_that_differs_is_a_line() {
        for (new, lines) in [
            (MADE, &[][..]),
            (Made { image_id: Some("sha256:0123456789abcdef"), ..MADE }, &["image id: 1 → 0123456789ab"]),
            (Made { image_id: None, ..MADE }, &["image id: 1 → unknown"]),
            (Made { image: "alpine", image_id: Some("sha256:2"), ..MADE }, &["image: debian → alpine", "image id: 1 → 2"]),
            (
                Made { workspace: "/work", read_only: true, user: "0:0", ..MADE },
                &["workspace: /srv/api → /work", "read-only: no → yes", "user: 1000:1000 → 0:0"],
            ),
        ] {
            let changes: Vec<String> = changes(&MADE, &new).iter().map(Change::to_string).collect();
            assert_eq!(changes, lines);
        }
    }

    #[test]
    fn only_an_image_that_is_there_can_have_changed() {
        for (made_from, now) in [(None, Some("a")), (Some("a"), None), (Some("a"), Some("a"))] {
            assert_eq!(image_drift("x", made_from, now), None);
        }
        let long = ["sha256:aaaaaaaaaaaaaa", "sha256:bbbbbbbbbbbbbb"].map(Some);
        assert_eq!(image_drift("x", long[0], long[1]).unwrap(), "image `x` has changed (aaaaaaaaaaaa → bbbbbbbbbbbb)");
    }

    #[test]
    fn all_that_has_changed_is_one_line() {
        let image = || Some("image `x` has changed (a → b)".to_owned());
        for (configuration, dockerfile, image, line) in [
            (false, false, None, None),
            (true, false, None, Some("configuration has changed")),
            (false, true, None, Some("Dockerfile has changed")),
            (true, true, None, Some("configuration and Dockerfile have changed")),
            (false, false, image(), Some("image `x` has changed (a → b)")),
            (true, false, image(), Some("configuration has changed, image `x` has changed (a → b)")),
        ] {
            let drift = Drift { configuration, dockerfile, image, is_replaced: false };
            assert_eq!(drift.line().as_deref(), line);
            assert_eq!(drift.sentences().is_empty(), line.is_none());
        }
    }
}
