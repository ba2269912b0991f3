//! Files → the configuration that counts.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs::File as OpenFile;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::decode::{File, Surroundings, decode};
use super::merge::{Config, merge};
use super::part::{Limits, Part, Profile, Way};
use super::source::{Scope, Sourced};
use super::trust::{Trusted, inside_only};
use crate::deadline::{self, DISK};
use crate::error::{Error, Problem, Problems, Result};
use crate::nearest::nearest;
use crate::project::Project;

/// What a project's own file is called.
pub const PROJECT_FILE: &str = "wharf.kdl";
/// More than anybody writes, and no more than a moment's work.
const MOST_BYTES: u64 = 256 << 10;
/// How long a disk may take for who can do without it.
const HASTE: Duration = Duration::from_millis(500);
/// What `--profile agent` is where nobody says otherwise (R47).
const AGENT: (&str, u64, f64) = ("agent", 4 << 30, 2.0);

/// Where the configuration is, and what of the host it depends on.
#[derive(Debug)]
pub struct Locations {
    pub global: PathBuf,
    pub state_dir: PathBuf,
    pub surroundings: Surroundings,
    /// How long a project's disk may take.
    patience: Duration,
    /// What the global file says, once it was read.
    global_part: OnceCell<Part>,
}

/// The configuration that counts for a project, and what of its file does not count yet.
#[derive(Debug)]
pub struct Effective {
    pub config: Config,
    pub waiting: Option<Waiting>,
}

/// The lines of a project's file that wait until it is trusted.
#[derive(Debug, PartialEq, Eq)]
pub struct Waiting {
    pub project: PathBuf,
    /// Their numbers and what they say.
    pub lines: Vec<(usize, String)>,
}

/// The project's own file, at its root.
pub fn own_file(root: &Path) -> PathBuf {
    root.join(PROJECT_FILE)
}

/// Whether there may be such a file, which is so unless there is surely none.
pub fn may_have_file(project: &Project) -> bool {
    !matches!(own_file(project.path()).try_exists(), Ok(false))
}

impl Locations {
    pub fn new(global: PathBuf, state_dir: PathBuf, surroundings: Surroundings) -> Self {
        Self { global, state_dir, surroundings, patience: DISK, global_part: OnceCell::new() }
    }

    /// For who can do without what the project says: a disk that hangs is not what they wait for.
    pub fn hasty(self) -> Self {
        Self { patience: HASTE, ..self }
    }

    /// Merges the defaults, the global file, the project's, the profile of that name, and the flags.
    pub fn effective(&self, project: &Project, profile: Option<&str>, flags: Part) -> Result<Effective> {
        let path = own_file(project.path());
        let (global, own) = (self.global_part(), self.part_and_text(&path));
        let (global, own) = match (global, own) {
            (Ok(global), Ok(own)) => (global, own),
            (global, own) => return Err(Error::all_of_configuration([global.err(), own.err()].into_iter().flatten())),
        };
        let (own, waiting) = match own {
            Some((part, text)) => self.trusted_part(project, part, &text),
            None => (Part::default(), None),
        };
        let mut layers = vec![built_in(), global.clone(), own];
        if let Some(name) = profile {
            let chosen = profile_layers(&layers, name)?;
            layers.extend(chosen);
        }
        layers.push(flags);
        Ok(Effective { config: merge(layers), waiting })
    }

    /// The directories that projects are in.
    pub fn roots(&self) -> Result<Vec<PathBuf>> {
        let global = self.global_part()?;
        Ok(global.projects.iter().map(|root| self.surroundings.expand(&root.value.0)).collect())
    }

    /// The way into containers of projects that say nothing of it.
    pub fn way(&self) -> Result<Way> {
        Ok(self.global_part()?.attach.as_ref().map_or(Way::Relay, |way| way.value))
    }

    /// Read once: of many projects, it counts for each.
    fn global_part(&self) -> Result<&Part> {
        if let Some(part) = self.global_part.get() {
            return Ok(part);
        }
        let part = self.part(Scope::Global, &self.global)?.unwrap_or_default();
        Ok(self.global_part.get_or_init(|| part))
    }

    fn trusted_part(&self, project: &Project, part: Part, text: &str) -> (Part, Option<Waiting>) {
        if (Trusted { state_dir: &self.state_dir, project }).is(&part) {
            return (part, None);
        }
        let (inside, waiting) = inside_only(part);
        let lines = lines_of(text, &waiting);
        let waiting = (!lines.is_empty()).then(|| Waiting { project: project.path_buf(), lines });
        (inside, waiting)
    }

    /// What a file says; `None` where there is none.
    pub fn part(&self, scope: Scope, path: &Path) -> Result<Option<Part>> {
        let Some(text) = read(path)? else {
            return Ok(None);
        };
        let path = path.to_string_lossy();
        let part = decode(File { scope, path: &path, text: &text }, &self.surroundings);
        part.map(Some).map_err(|problems| Error::Configuration { files: vec![problems] })
    }

    /// What a project's file says, with the text that was decoded; `None` where there is none.
    pub fn part_and_text(&self, path: &Path) -> Result<Option<(Part, String)>> {
        let read = {
            let path = path.to_owned();
            deadline::block_within(self.patience, move || read(&path))
        };
        let silent = || Err(Error::io(format!("read `{}`", path.display()), io::Error::other("its disk does not answer")));
        let Some(text) = read.unwrap_or_else(silent)? else {
            return Ok(None);
        };
        let shown = path.to_string_lossy();
        match decode(File { scope: Scope::Project, path: &shown, text: &text }, &self.surroundings) {
            Ok(part) => Ok(Some((part, text))),
            Err(problems) => Err(Error::Configuration { files: vec![problems] }),
        }
    }
}

/// The lines of these numbers.
pub fn lines_of(text: &str, numbers: &BTreeSet<usize>) -> Vec<(usize, String)> {
    let numbered = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    numbered.filter(|(number, _)| numbers.contains(number)).map(|(number, line)| (number, line.trim().to_owned())).collect()
}

fn built_in() -> Part {
    let (name, memory, cpus) = AGENT;
    let limits = Limits { memory: Some(Sourced::default(memory)), cpus: Some(Sourced::default(cpus)), ..Limits::default() };
    let part = Part { limits, ..Part::default() };
    Part { profiles: vec![Sourced::default(Profile { name: name.to_owned(), part })], ..Part::default() }
}

/// A profile in each layer that has it: they are merged like all else.
fn profile_layers(layers: &[Part], name: &str) -> Result<Vec<Part>> {
    let all = || layers.iter().flat_map(|part| &part.profiles);
    let chosen: Vec<Part> = all().filter(|profile| profile.name == name).map(|profile| profile.part.clone()).collect();
    if chosen.is_empty() {
        let nearest = nearest(name, all().map(|profile| profile.name.as_str())).map(str::to_owned);
        return Err(Error::NoProfile { name: name.to_owned(), nearest });
    }
    Ok(chosen)
}

fn read(path: &Path) -> Result<Option<String>> {
    let failed = |source| Error::io(format!("read `{}`", path.display()), source);
    // To open a pipe would be to wait for whoever writes to it.
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(failed(io::Error::other("it is not a file")));
    }
    let file = match OpenFile::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(Error::MayNotRead { path: path.to_owned() });
        }
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(failed(io::Error::other(format!("it has more than {MOST_BYTES} bytes"))));
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let hint = Some("save it as UTF-8".to_owned());
        let problem = Problem { span: at..at + 1, message: "these bytes are not UTF-8".to_owned(), hint };
        Error::Configuration { files: vec![Problems::new(&path.to_string_lossy(), &text, vec![problem])] }
    })
}
