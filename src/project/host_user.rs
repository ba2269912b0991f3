//! Who runs things in the container: the host's user, so that files in the project stay theirs.

use std::path::Path;

/// The host's user, as the container knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostUser {
    pub uid: u32,
    pub gid: u32,
    pub name: String,
    home: String,
    /// Whether the image has a line for them, which is left alone.
    is_the_images: bool,
    /// What the image's own line said, where they have other ids now.
    was: Option<Ids>,
}

/// A user's ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    pub uid: u32,
    pub gid: u32,
}

impl HostUser {
    /// `login` is what the host calls the user; a name that would break a line of passwd(5) is replaced.
    pub fn new(uid: u32, gid: u32, login: Option<&str>) -> Self {
        let is_safe = |name: &&str| {
            name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
                && name.len() <= 32
        };
        let name = if uid == 0 { "root" } else { login.filter(is_safe).filter(|&name| name != "root").unwrap_or("user") };
        let home = if uid == 0 { "/root".to_owned() } else { format!("/home/{name}") };
        Self { uid, gid, name: name.to_owned(), home, is_the_images: false, was: None }
    }

    /// A user that the image's `/etc/passwd` names. One without a home that a volume could be mounted at gets one.
    pub fn of_image(name: &str, passwd: &str) -> Option<Self> {
        let is_id = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
        let field = if is_id { 2 } else { 0 };
        let line = passwd.lines().find(|line| line.split(':').nth(field) == Some(name))?;
        let fields: Vec<&str> = line.split(':').collect();
        let name = fields.first().copied()?;
        let (uid, gid) = (fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
        let is_home = |home: &&str| home.starts_with('/') && !["/", "/nonexistent", "/dev/null"].contains(home);
        let home = fields.get(5).copied().filter(is_home).map_or_else(|| format!("/home/{name}"), str::to_owned);
        Some(Self { uid, gid, name: name.to_owned(), home, is_the_images: true, was: None })
    }

    /// The same user with the host user's uid and gid. Root, on either side, stays as it is.
    pub fn with_ids_of(self, host: &Self) -> Self {
        if self.uid == 0 || host.uid == 0 || (self.uid, self.gid) == (host.uid, host.gid) {
            return self;
        }
        let was = Some(Ids { uid: self.uid, gid: self.gid });
        Self { uid: host.uid, gid: host.gid, was, ..self }
    }

    /// The ids that files of theirs have in the image, where these are others.
    pub fn ids_in_image(&self) -> Option<Ids> {
        self.was
    }

    /// `uid:gid`
    pub fn id_pair(&self) -> String {
        format!("{}:{}", self.uid, self.gid)
    }

    pub fn home(&self) -> String {
        self.home.clone()
    }

    /// The image's `/etc/passwd` with a line for this user; `None` where it has that line.
    ///
    /// The line comes first, so that it names the uid even where the image has another name for it.
    pub fn passwd(&self, image: Option<&str>, shell: &str) -> Option<String> {
        if self.was.is_some() {
            return Some(self.renumbered(image.unwrap_or_default()));
        }
        let root = if self.uid == 0 { "" } else { "root:x:0:0:root:/root:/bin/sh\n" };
        // No password, and none in a shadow file that has no line for them: sudo takes such an account for one that has expired.
        let line = format!("{}:*:{}:{}::{}:{shell}\n", self.name, self.uid, self.gid, self.home());
        let known_as_root = self.uid == 0 && image.is_some_and(|text| text.lines().any(|line| line.starts_with("root:")));
        prepend(&line, image, root, known_as_root || self.is_the_images)
    }

    /// The image's `/etc/group` with a line for this user's group; `None` where it has one for the gid. A group that is the
    /// user's alone has the user's name, whoever has that number in the image.
    pub fn group(&self, image: Option<&str>) -> Option<String> {
        let root = if self.gid == 0 { "" } else { "root:x:0:\n" };
        if let (Some(was), Some(image)) = (self.was, image) {
            return self.regrouped(was, image);
        }
        let is_own = self.gid == self.uid && !self.is_the_images;
        let has_gid = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next();
            fields.nth(1) == Some(&self.gid.to_string()) && (!is_own || name == Some(&self.name))
        };
        let known = image.is_some_and(|text| text.lines().any(has_gid));
        prepend(&format!("{}:x:{}:\n", self.name, self.gid), image, root, known)
    }

    /// The image's `/etc/passwd` with their line first, so that it names the uid whoever else has it, and with their new ids.
    fn renumbered(&self, image: &str) -> String {
        let is_theirs = |line: &&str| line.split(':').next() == Some(self.name.as_str());
        let own = image.lines().filter(is_theirs).map(|line| {
            let mut fields: Vec<String> = line.split(':').map(str::to_owned).collect();
            if let [_, _, uid, gid, ..] = fields.as_mut_slice() {
                (*uid, *gid) = (self.uid.to_string(), self.gid.to_string());
            }
            fields.join(":")
        });
        let others = image.lines().filter(|line| !is_theirs(line)).map(str::to_owned);
        own.chain(others).map(|line| line + "\n").collect()
    }

    /// The image's `/etc/group` with their group's new gid; `None` where another group has that, which is theirs then.
    fn regrouped(&self, was: Ids, image: &str) -> Option<String> {
        let has = |line: &str, gid: u32| line.split(':').nth(2) == Some(&gid.to_string());
        if image.lines().any(|line| has(line, self.gid)) {
            return None;
        }
        let lines = image.lines().map(|line| match line.split(':').collect::<Vec<_>>()[..] {
            [name, password, _, ref members @ ..] if has(line, was.gid) => {
                format!("{name}:{password}:{}:{}\n", self.gid, members.join(":"))
            }
            _ => format!("{line}\n"),
        });
        Some(lines.collect())
    }

    /// Which of the image's users have another's number or name now, as `name (uid)`.
    pub fn hidden(&self, passwd: &str) -> Vec<String> {
        if self.uid == 0 || self.is_the_images {
            return Vec::new();
        }
        let users = passwd.lines().filter_map(|line| {
            let mut fields = line.split(':');
            Some((fields.next()?, fields.nth(1)?.parse::<u32>().ok()?))
        });
        let hidden = users.filter(|&(name, uid)| (name == self.name) != (uid == self.uid));
        hidden.map(|(name, uid)| format!("{name} ({uid})")).collect()
    }

    /// The directories between the home directory and a project below it. The engine would create them as root's own.
    pub fn directories_towards(&self, project: &Path) -> Vec<String> {
        let home = self.home();
        let mut directories: Vec<String> = project
            .ancestors()
            .skip(1)
            .take_while(|ancestor| ancestor.starts_with(&home) && *ancestor != Path::new(&home))
            .filter_map(|ancestor| ancestor.to_str().map(str::to_owned))
            .collect();
        directories.reverse();
        directories
    }
}

fn prepend(line: &str, image: Option<&str>, otherwise: &str, known: bool) -> Option<String> {
    let existing = image.unwrap_or(otherwise);
    if known || existing.starts_with(line) {
        return None;
    }
    let newline = if existing.is_empty() || existing.ends_with('\n') { "" } else { "\n" };
    Some(format!("{line}{existing}{newline}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = "root:x:0:0:root:/root:/bin/bash\nubuntu:x:1000:1000::/home/ubuntu:/bin/bash";

    #[test]
    fn the_users_line_comes_before_the_images_own_for_that_uid() {
        let ada = HostUser::new(1000, 1000, Some("ada"));
        let passwd = ada.passwd(Some(IMAGE), "/bin/bash").unwrap();
        assert_eq!(passwd, format!("ada:*:1000:1000::/home/ada:/bin/bash\n{IMAGE}\n"));
        assert_eq!(ada.passwd(Some(&passwd), "/bin/bash"), None);
    }

    #[test]
    fn an_image_without_passwd_gets_root_too() {
        let ada = HostUser::new(1000, 1000, Some("ada"));
        assert_eq!(ada.passwd(None, "/bin/sh").unwrap(), "ada:*:1000:1000::/home/ada:/bin/sh\nroot:x:0:0:root:/root:/bin/sh\n");
        assert_eq!(ada.group(None).unwrap(), "ada:x:1000:\nroot:x:0:\n");
    }

    #[test]
    fn a_number_and_a_name_that_the_image_has_for_others() {
        let passwd = "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nada:x:1500:1500::/srv/ada:/bin/sh\n";
        let ada = HostUser::new(1000, 1000, Some("ada"));
        assert_eq!(ada.passwd(Some(passwd), "/bin/sh").unwrap(), format!("ada:*:1000:1000::/home/ada:/bin/sh\n{passwd}"));
        assert_eq!(ada.hidden(passwd), ["node (1000)", "ada (1500)"]);
        assert_eq!(ada.group(Some("root:x:0:\nnode:x:1000:\n")).unwrap(), "ada:x:1000:\nroot:x:0:\nnode:x:1000:\n");
        assert_eq!(ada.group(Some("ada:x:1000:\nroot:x:0:\n")), None);
        // A group of many keeps its name.
        assert_eq!(HostUser::new(1000, 100, Some("ada")).group(Some("users:x:100:\n")), None);
        assert_eq!(HostUser::new(1500, 1500, Some("ada")).hidden(passwd), [""; 0]);
    }

    #[test]
    fn root_is_left_as_the_image_has_it() {
        let root = HostUser::new(0, 0, Some("root"));
        assert_eq!(root.passwd(Some(IMAGE), "/bin/bash"), None);
        assert_eq!(root.passwd(None, "/bin/sh").unwrap(), "root:*:0:0::/root:/bin/sh\n");
        assert_eq!(root.group(Some("root:x:0:\n")), None);
    }

    #[test]
    fn the_images_user_is_as_the_image_has_them() {
        let passwd =
            format!("{IMAGE}\nnode:x:1001:1002:Node:/srv/node:/bin/sh\nnobody:x:65534:65534::/nonexistent:\nbad:x:x:1::/:\n");
        let node = HostUser::of_image("node", &passwd).unwrap();
        assert_eq!((node.id_pair().as_str(), node.home().as_str()), ("1001:1002", "/srv/node"));
        assert_eq!(node.passwd(Some(&passwd), "/bin/bash"), None);
        assert_eq!(node.group(Some("root:x:0:\n")).unwrap(), "node:x:1002:\nroot:x:0:\n");
        assert_eq!(HostUser::of_image("nobody", &passwd).unwrap().home(), "/home/nobody");
        for name in ["nod", "bad", ""] {
            assert_eq!(HostUser::of_image(name, &passwd), None, "{name}");
        }
    }

    #[test]
    fn a_login_that_would_break_the_file_is_replaced() {
        for login in ["a:b", "a\nb", "", "Ada", "root", "-x"] {
            assert_eq!(HostUser::new(1000, 1000, Some(login)).name, "user", "{login:?}");
        }
    }

    #[test]
    fn directories_between_home_and_project() {
        let ada = HostUser::new(1000, 1000, Some("ada"));
        assert_eq!(ada.directories_towards(Path::new("/home/ada/src/work/api")), ["/home/ada/src", "/home/ada/src/work"]);
        assert!(ada.directories_towards(Path::new("/home/ada/api")).is_empty());
        assert!(ada.directories_towards(Path::new("/srv/ada/api")).is_empty());
    }
}
