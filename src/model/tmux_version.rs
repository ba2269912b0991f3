//! Versions of tmux, and the rule by which one is chosen for a container.

use std::fmt;
use std::str::FromStr;

/// The oldest that works, outside and inside: it has popups, `extended-keys` and `user-keys`.
pub const OLDEST: TmuxVersion = TmuxVersion::new(3, 2, 0);

/// As in `3.3a`, in the order in which they were released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TmuxVersion {
    major: u32,
    minor: u32,
    /// The letter, or 0 where there is none.
    letter: u8,
}

/// Which tmux keeps a container's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inner {
    /// The image's own.
    Image,
    /// The host's, which is among the tools.
    Host,
}

impl Inner {
    /// The tmux inside is the host's, unless the image's is of the same version: what can be seen in a window does not depend
    /// on what an image happens to have. An older one lacks what the host's can do. In a newer one, characters are of other
    /// widths and keys of other names than the host's has: 3.8 in 3.3a shows joined emoji in the wrong place.
    pub fn choose(image: Option<TmuxVersion>, host: Option<TmuxVersion>) -> Option<Self> {
        match (image, host) {
            (Some(image), Some(host)) if image == host => Some(Self::Image),
            (_, Some(_)) => Some(Self::Host),
            (Some(image), None) if image >= OLDEST => Some(Self::Image),
            (_, None) => None,
        }
    }
}

impl TmuxVersion {
    const fn new(major: u32, minor: u32, letter: u8) -> Self {
        Self { major, minor, letter }
    }
}

/// The tmux that keeps a container's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InnerTmux {
    pub inner: Inner,
    /// `None` where it does not say one.
    pub version: Option<TmuxVersion>,
}

impl InnerTmux {
    /// What it is, for people.
    pub fn sentence(&self) -> String {
        let whose = match self.inner {
            Inner::Image => "the image's own",
            Inner::Host => "of the host that made the container",
        };
        let version = self.version.map(|version| format!("{version}, ")).unwrap_or_default();
        format!("{version}{whose}")
    }

    /// Whether it can do less than the host's tmux may expect.
    pub fn is_older_than(&self, host: TmuxVersion) -> bool {
        self.version.is_some_and(|version| version < host)
    }
}

impl fmt::Display for InnerTmux {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self.inner {
            Inner::Image => "image",
            Inner::Host => "host",
        })?;
        self.version.map_or(Ok(()), |version| write!(f, " {version}"))
    }
}

impl FromStr for InnerTmux {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let (inner, version) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let inner = match inner {
            "image" => Inner::Image,
            "host" => Inner::Host,
            _ => return Err(NoVersion),
        };
        Ok(Self { inner, version: version.parse().ok() })
    }
}

/// What is no version of tmux.
#[derive(Debug, PartialEq, Eq)]
pub struct NoVersion;

impl FromStr for TmuxVersion {
    type Err = NoVersion;

    /// Reads `3.3a`, `tmux 3.3a`, `next-3.6`, `3.6-rc2`, `master`, and OpenBSD's own `openbsd-7.4`.
    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let word = text.trim();
        let word = word.strip_prefix("tmux ").unwrap_or(word);
        // The next one, whatever that will be.
        if word == "master" {
            return Ok(Self::new(u32::MAX, 0, 0));
        }
        // Numbered by the system's release; it has been past 3.2 since 6.9.
        if word.starts_with("openbsd-") {
            return Ok(OLDEST);
        }
        let (major, minor) = word.strip_prefix("next-").unwrap_or(word).split_once('.').ok_or(NoVersion)?;
        let digits = minor.bytes().take_while(u8::is_ascii_digit).count();
        let (minor, rest) = minor.split_at(digits);
        let letter = rest.bytes().next().filter(u8::is_ascii_lowercase).unwrap_or(0);
        Ok(Self::new(major.parse().map_err(|_| NoVersion)?, minor.parse().map_err(|_| NoVersion)?, letter))
    }
}

impl fmt::Display for TmuxVersion {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.major == u32::MAX {
            return f.write_str("master");
        }
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.letter == 0 { Ok(()) } else { write!(f, "{}", char::from(self.letter)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Option<TmuxVersion> {
        text.parse().ok()
    }

    #[test]
    fn versions_of_tmux() {
        for (text, expected) in [
            ("tmux 3.3a\n", Some("3.3a")),
            ("3.2", Some("3.2")),
            ("tmux 3.1c", Some("3.1c")),
            ("tmux next-3.5", Some("3.5")),
            ("tmux 10.0-rc2", Some("10.0")),
            ("tmux master", Some("master")),
            ("tmux openbsd-7.4", Some("3.2")),
            ("screen 4.9", None),
            ("3", None),
            ("", None),
        ] {
            assert_eq!(version(text).map(|version| version.to_string()).as_deref(), expected, "{text}");
        }
        let ordered = ["3.1c", "3.2", "3.2a", "3.3", "3.10", "4.0", "master"].map(version);
        assert!(ordered.is_sorted_by(|a, b| a < b), "{ordered:?}");
    }

    #[test]
    fn which_tmux_it_is_reads_as_it_was_written() {
        for (inner, version) in [(Inner::Image, "3.3a"), (Inner::Host, "master"), (Inner::Host, "")] {
            let inner_tmux = InnerTmux { inner, version: self::version(version) };
            assert_eq!(inner_tmux.to_string().parse(), Ok(inner_tmux));
        }
        assert_eq!("3.3a".parse::<InnerTmux>(), Err(NoVersion));
    }

    #[test]
    fn the_tmux_inside_is_of_the_hosts_version() {
        for (image, host, chosen) in [
            ("3.3a", "3.3a", Some(Inner::Image)),
            ("3.3a", "3.8", Some(Inner::Host)),
            ("3.3", "3.3a", Some(Inner::Host)),
            ("3.8", "3.3a", Some(Inner::Host)),
            ("3.9", "3.9", Some(Inner::Image)),
            ("master", "3.8", Some(Inner::Host)),
            ("3.8", "master", Some(Inner::Host)),
            ("", "3.3a", Some(Inner::Host)),
            ("3.2a", "", Some(Inner::Image)),
            ("3.1c", "", None),
            ("", "", None),
        ] {
            assert_eq!(Inner::choose(version(image), version(host)), chosen, "{image} in {host}");
        }
    }
}
