//! What a project's file may do before somebody has read and trusted it (R62).

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::part::{Part, Profile};
use super::source::{Source, Sourced};
use crate::digest::sha256_hex;
use crate::project::Project;

/// What of a part stays inside the container, and the lines of the file that reach out of it: they wait for trust.
///
/// All mounts wait, those from within the project too: a link in it may point anywhere. So does another user, who could leave
/// files in the project that the host takes for root's.
pub fn inside_only(part: Part) -> (Part, BTreeSet<usize>) {
    let mut waiting = BTreeSet::new();
    let mut waits = |from: &Source| {
        if let Source::File { line, .. } = from {
            waiting.insert(*line);
        }
    };
    let (inherited, given): (Vec<_>, Vec<_>) = part.variables.into_iter().partition(|variable| variable.value.value.is_none());
    each(&part.mounts, &mut waits);
    each(&part.ports, &mut waits);
    each(&part.on_create, &mut waits);
    each(&part.on_start, &mut waits);
    each(&part.allowed, &mut waits);
    each(&part.projects, &mut waits);
    each(&inherited, &mut waits);
    each(part.build.as_slice(), &mut waits);
    each(part.user.as_slice(), &mut waits);
    each(part.sudo.as_slice(), &mut waits);
    each(part.ssh.as_slice(), &mut waits);
    each(part.network.as_slice(), &mut waits);
    each(part.on_exit.as_slice(), &mut waits);
    each(part.limits.gpus.as_slice(), &mut waits);
    let machine = part.machine.inside_only(&mut waits);
    let mut profiles = Vec::new();
    for Sourced { value: Profile { name, part }, from } in part.profiles {
        let (part, more) = inside_only(part);
        waiting.extend(more);
        profiles.push(Sourced { value: Profile { name, part }, from });
    }
    let inside = Part {
        image: part.image,
        workspace: part.workspace,
        sessions: part.sessions,
        volumes: part.volumes,
        variables: given,
        limits: super::part::Limits { gpus: None, ..part.limits },
        machine,
        idle_stop: part.idle_stop,
        stop_timeout: part.stop_timeout,
        ready: part.ready,
        masks: part.masks,
        attach: part.attach,
        profiles,
        ..Part::default()
    };
    (inside, waiting)
}

fn each<T>(values: &[Sourced<T>], waits: &mut impl FnMut(&Source)) {
    for value in values {
        waits(&value.from);
    }
}

/// The note that a project's file is trusted as it is now: a line as `sha256sum` prints it, by the project's path.
pub struct Trusted<'a> {
    pub state_dir: &'a Path,
    pub project: &'a Project,
}

impl Trusted<'_> {
    pub fn is(&self, text: &str) -> bool {
        fs::read_to_string(self.note()).is_ok_and(|note| note == self.line(text))
    }

    /// In one step: another launch may read it just now.
    pub fn put(&self, text: &str) -> io::Result<()> {
        let note = self.note();
        let directory = note.parent().unwrap_or(Path::new("/"));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let new = directory.join(format!(".{}", std::process::id()));
        fs::write(&new, self.line(text))?;
        fs::rename(new, note)
    }

    /// Whether there was anything to take back.
    pub fn revoke(&self) -> io::Result<bool> {
        match fs::remove_file(self.note()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        }
    }

    fn note(&self) -> PathBuf {
        self.state_dir.join("trusted").join(sha256_hex(self.project.as_str()))
    }

    fn line(&self, text: &str) -> String {
        format!("{}  {}\n", sha256_hex(text), super::own_file(self.project.path()).display())
    }
}
