//! What a project's file may do before somebody has read and trusted it (R62).

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::part::{Part, Profile};
use super::source::{Source, Sourced};
use crate::digest::sha256_hex;
use crate::project::{Project, git_directory};

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
    let (shared, own_volumes): (Vec<_>, Vec<_>) = part.volumes.into_iter().partition(|volume| volume.is_shared);
    each(&part.mounts, &mut waits);
    each(&shared, &mut waits);
    each(&part.ports, &mut waits);
    for hooks in [&part.on_host, &part.on_create, &part.after_create, &part.on_start, &part.on_attach] {
        each(hooks, &mut waits);
    }
    each(part.workspace_source.as_slice(), &mut waits);
    each(&part.allowed, &mut waits);
    each(&part.projects, &mut waits);
    each(&inherited, &mut waits);
    each(part.build.as_slice(), &mut waits);
    each(&part.features, &mut waits);
    each(part.user.as_slice(), &mut waits);
    each(part.sudo.as_slice(), &mut waits);
    each(part.ssh.as_slice(), &mut waits);
    each(part.worktrees.as_slice(), &mut waits);
    each(part.network.as_slice(), &mut waits);
    each(part.privileged.as_slice(), &mut waits);
    each(&part.security, &mut waits);
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
        directory: part.directory,
        shell: part.shell,
        sessions: part.sessions,
        volumes: own_volumes,
        variables: given,
        session_variables: part.session_variables,
        limits: super::part::Limits { gpus: None, ..part.limits },
        machine,
        idle_stop: part.idle_stop,
        stop_timeout: part.stop_timeout,
        ready: part.ready,
        masks: part.masks,
        attach: part.attach,
        profiles,
        properties: part.properties,
        ..Part::default()
    };
    (inside, waiting)
}

fn each<T>(values: &[Sourced<T>], waits: &mut impl FnMut(&Source)) {
    for value in values {
        waits(&value.from);
    }
}

/// What a file reaches, as text that is the same wherever it is written in the file: what is trusted when somebody trusts the file. All
/// that waits is in it, and the images, which are who gets it.
pub fn reach(part: &Part) -> String {
    let (_, waiting) = inside_only(part.clone());
    let mut reached = String::new();
    collect(&serde_json::to_value(part).unwrap_or_default(), "", &waiting, &mut reached);
    reached
}

/// Adds the values that are written in these lines, each with the keys that lead to it.
fn collect(value: &Value, path: &str, lines: &BTreeSet<usize>, into: &mut String) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, path, lines, into)),
        Value::Object(fields) => {
            if let (Some(value), Some(Value::String(from))) = (fields.get("value"), fields.get("from")) {
                let line = from.rsplit(':').next().and_then(|line| line.parse().ok());
                if line.is_some_and(|line| lines.contains(&line)) || path.ends_with("/image") {
                    let _ = writeln!(into, "{path} {value}");
                } else {
                    collect(value, path, lines, into);
                }
                return;
            }
            // A profile's.
            let name = fields.get("name").and_then(Value::as_str).unwrap_or_default();
            fields.iter().for_each(|(key, value)| collect(value, &format!("{path}{name}/{key}"), lines, into));
        }
        _ => {}
    }
}

/// The note of what a project's files may reach: for each a line as `sha256sum` prints it, of [`reach`], by the project's path. Another is
/// by its repository's directory, so that what is trusted in one work tree is in all of them.
pub struct Trusted<'a> {
    pub state_dir: &'a Path,
    pub project: &'a Project,
}

impl Trusted<'_> {
    /// Whether somebody has trusted what this file reaches.
    pub fn is(&self, file: &Path, reach: &str) -> bool {
        self.has_noted(file, |of| line(reach, of))
    }

    /// Whether this person lets the file have a container that is no boundary.
    pub fn is_privileged(&self, file: &Path, reach: &str) -> bool {
        self.has_noted(file, |of| privileged_line(reach, of))
    }

    fn has_noted(&self, file: &Path, line: impl Fn(&Path) -> String) -> bool {
        self.places().iter().any(|of| {
            let line = line(&self.name_in(of, file));
            fs::read_to_string(self.note(of)).is_ok_and(|note| note.split_inclusive('\n').any(|known| known == line))
        })
    }

    /// The project's own file stands for its directory, as others by their path in it.
    fn name_in(&self, of: &Path, file: &Path) -> PathBuf {
        match file.strip_prefix(self.project.path()) {
            Ok(inside) if inside != Path::new(super::PROJECT_FILE) => of.join(inside),
            _ => of.to_owned(),
        }
    }

    /// Notes what each of these files reaches. In one step: another launch may read it just now.
    pub fn put<'t>(&self, files: impl Iterator<Item = (&'t Path, &'t str)> + Clone, is_privileged: bool) -> io::Result<()> {
        for of in self.places() {
            let note = self.note(&of);
            let directory = note.parent().unwrap_or(Path::new("/"));
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
            let new = directory.join(format!(".{}", std::process::id()));
            let lines = files.clone().map(|(file, reach)| {
                let name = self.name_in(&of, file);
                line(reach, &name) + &if is_privileged { privileged_line(reach, &name) } else { String::new() }
            });
            fs::write(&new, lines.collect::<String>())?;
            fs::rename(new, note)?;
        }
        Ok(())
    }

    /// Whether there was anything to take back.
    pub fn revoke(&self) -> io::Result<bool> {
        let mut was = false;
        for of in self.places() {
            match fs::remove_file(self.note(&of)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => was |= removed.map(|()| true)?,
            }
        }
        Ok(was)
    }

    /// The project's directory, and its repository's where it has one.
    fn places(&self) -> Vec<PathBuf> {
        [Some(self.project.path_buf()), git_directory(self.project.path())].into_iter().flatten().collect()
    }

    fn note(&self, of: &Path) -> PathBuf {
        self.state_dir.join("trusted").join(sha256_hex(of.as_os_str().as_encoded_bytes()))
    }
}

fn line(reach: &str, of: &Path) -> String {
    format!("{}  {}\n", sha256_hex(reach), of.display())
}

fn privileged_line(reach: &str, of: &Path) -> String {
    format!("privileged {}", line(reach, of))
}
