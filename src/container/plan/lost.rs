//! What a new container would come without: what was installed in the old one.

use std::fmt;

/// Where what people install is.
const PLACES: [&str; 9] = ["/bin/", "/etc/", "/lib/", "/lib64/", "/opt/", "/sbin/", "/srv/", "/usr/", "/var/lib/"];
/// What engines and wharf itself write there, and what package managers do by the way.
const BY_THE_WAY: [&str; 15] = [
    "/etc/group",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/mtab",
    "/etc/passwd",
    "/etc/resolv.conf",
    "/etc/sudoers.d",
    "/sbin/docker-init",
    "/usr/sbin/docker-init",
    "/var/lib/apt",
    "/var/lib/dpkg",
    "/var/lib/systemd",
    "/var/lib/wharf",
    "/usr/share/info",
];
/// A program says more than a manual page.
const PROGRAMS: [&str; 3] = ["/usr/bin/", "/usr/local/bin/", "/opt/"];

/// Files that are not in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub count: usize,
    /// One of them, a program if there is one.
    pub example: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 1 {
            write!(f, "1 file that was installed in it (`{}`)", self.example)
        } else {
            write!(f, "{} files that were installed in it (as `{}`)", self.count, self.example)
        }
    }
}

/// `None` where it is as good as the image. `mounted` are the paths at which something else is.
pub fn lost(mut changed: Vec<String>, mounted: &[String]) -> Option<Lost> {
    changed.sort();
    let is_below =
        |path: &str, directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_installed = |path: &String| {
        PLACES.iter().any(|place| path.starts_with(place))
            && !BY_THE_WAY.iter().any(|known| is_below(path, known))
            && !mounted.iter().any(|target| is_below(path, target) || is_below(target, path))
    };
    // A directory is among them for what is in it.
    let followed: Vec<(String, Option<&String>)> =
        changed.iter().enumerate().map(|(at, path)| (path.clone(), changed.get(at + 1))).collect();
    let is_leaf = |path: &str, next: Option<&String>| next.is_none_or(|next| !is_below(next, path));
    let files: Vec<String> =
        followed.into_iter().filter(|(path, next)| is_leaf(path, *next)).map(|(path, _)| path).filter(is_installed).collect();
    let program = files.iter().find(|path| PROGRAMS.iter().any(|place| path.starts_with(place)));
    let example = program.or(files.first())?.clone();
    Some(Lost { count: files.len(), example })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(changed: &[&str]) -> Option<String> {
        let changed = changed.iter().map(|&path| path.to_owned()).collect();
        lost(changed, &["/srv/api".to_owned(), "/home/ada".to_owned()]).map(|lost| lost.to_string())
    }

    #[test]
    fn what_was_installed_is_told_from_what_every_container_has() {
        assert_eq!(of(&["/etc", "/etc/passwd", "/run", "/run/wharf", "/srv", "/srv/api", "/home", "/home/ada", "/tmp/x"]), None);
        assert_eq!(
            of(&[
                "/usr",
                "/usr/share",
                "/usr/share/fish",
                "/usr/share/fish/config",
                "/usr/bin",
                "/usr/bin/fish",
                "/var/lib/dpkg/status"
            ]),
            Some("2 files that were installed in it (as `/usr/bin/fish`)".to_owned())
        );
        assert_eq!(of(&["/etc", "/etc/motd"]), Some("1 file that was installed in it (`/etc/motd`)".to_owned()));
    }
}
