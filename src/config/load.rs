//! Files → the configuration that counts.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fs::File as OpenFile;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::decode::{File, Surroundings, decode};
use super::devcontainer::{self, Decoded};
use super::merge::{Config, merge};
use super::part::{Limits, Part, Profile, Property, Way};
use super::source::{Scope, Sourced};
use super::trust::{Trusted, inside_only, reach};
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
    /// File by file.
    pub waiting: Vec<Waiting>,
    /// What is worth knowing of a file, and no error.
    pub warnings: Vec<Problems>,
    /// The names of the devcontainer.json files of which none counts, because nobody has said which.
    pub undecided: Vec<String>,
}

/// What a person has chosen of what the files have.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    pub profile: Option<&'a str>,
    /// Which of several devcontainer.json files counts.
    pub devcontainer: Option<&'a str>,
}

/// The lines of a project's file that wait until it is trusted.
#[derive(Debug, PartialEq, Eq)]
pub struct Waiting {
    pub project: PathBuf,
    pub file: PathBuf,
    /// Their numbers and what they say.
    pub lines: Vec<(usize, String)>,
}

/// The project's own file, at its root.
pub fn own_file(root: &Path) -> PathBuf {
    root.join(PROJECT_FILE)
}

/// Whether there may be such a file, which is so unless there is surely none.
pub fn may_have_file(project: &Project) -> bool {
    !matches!(own_file(project.path()).try_exists(), Ok(false)) || devcontainer::may_be_in(project.path())
}

/// A project's file as it was read.
#[derive(Debug)]
pub struct ProjectFile {
    pub path: PathBuf,
    pub text: String,
    /// All that it says.
    pub part: Part,
    /// Its lines that reach the host.
    pub reaching: BTreeSet<usize>,
    /// What it reaches, which is what somebody trusts.
    pub reach: String,
    is_trusted: bool,
    pub warnings: Option<Problems>,
}

impl Locations {
    pub fn new(global: PathBuf, state_dir: PathBuf, surroundings: Surroundings) -> Self {
        Self { global, state_dir, surroundings, patience: DISK, global_part: OnceCell::new() }
    }

    /// For who can do without what the project says: a disk that hangs is not what they wait for.
    pub fn hasty(self) -> Self {
        Self { patience: HASTE, ..self }
    }

    /// Merges the defaults, the global file, the project's devcontainer.json and its wharf.kdl, the profile, and the flags.
    pub fn effective(&self, project: &Project, choice: Choice, flags: Part) -> Result<Effective> {
        let found = self.found(project)?;
        let devcontainer = found.choose(choice.devcontainer).map(Path::to_owned);
        if let (Some(name), None) = (choice.devcontainer, &devcontainer) {
            return Err(Error::NoDevcontainer { name: name.to_owned(), known: found.names() });
        }
        let undecided = if devcontainer.is_none() { found.names() } else { Vec::new() };
        let paths = devcontainer.into_iter().chain([own_file(project.path())]);
        let trusted = Trusted { state_dir: &self.state_dir, project };
        let files: Vec<_> = paths.map(|path| self.read_file(&path, Some(&trusted)).transpose()).collect();
        let wrong = |failures| Err(Error::all_of_configuration(failures));
        let (global, files) = match (self.global_part(), files.into_iter().flatten().collect::<Result<Vec<_>>>()) {
            (Ok(global), Ok(files)) => (global, files),
            (global, files) => return wrong([global.err(), files.err()].into_iter().flatten()),
        };
        let mut layers = vec![built_in(), global.clone()];
        let (mut waiting, mut warnings) = (Vec::new(), Vec::new());
        for file in files {
            let is_trusted = file.is_trusted;
            let mut part = if is_trusted { file.part } else { inside_only(file.part).0 };
            if !trusted.is_privileged(&file.path, &file.reach)
                && let Some(Sourced { from, .. }) = part.privileged.take()
            {
                let becomes = "left out: with it, a container is no boundary; `wharf trust --privileged` lets it be".to_owned();
                let property = Property { name: "privileged".to_owned(), becomes, is_notable: true };
                part.properties.push(Sourced { value: property, from });
            }
            layers.push(part);
            warnings.extend(file.warnings);
            let lines = if is_trusted { Vec::new() } else { lines_of(&file.text, &file.reaching) };
            if !lines.is_empty() {
                waiting.push(Waiting { project: project.path_buf(), file: file.path, lines });
            }
        }
        if let Some(name) = choice.profile {
            let chosen = profile_layers(&layers, name)?;
            layers.extend(chosen);
        }
        layers.push(flags);
        Ok(Effective { config: merge(layers), waiting, warnings, undecided })
    }

    /// The project's devcontainer.json files.
    fn found(&self, project: &Project) -> Result<devcontainer::Found> {
        let root = project.path_buf();
        let found = deadline::block_within(self.patience, move || devcontainer::Found::of(&root));
        found.ok_or_else(|| silent(project.path()))
    }

    /// All of a project's files that are there, for whoever looks at each of them; as they will be once they are trusted.
    pub fn project_files(&self, project: &Project) -> Result<Vec<ProjectFile>> {
        let found = self.found(project)?;
        let paths = found.all().map(Path::to_owned).chain([own_file(project.path())]);
        paths.filter_map(|path| self.read_file(&path, None).transpose()).collect()
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

    /// What a file says; `None` where there is none.
    pub fn part(&self, scope: Scope, path: &Path) -> Result<Option<Part>> {
        let Some(text) = read(path)? else {
            return Ok(None);
        };
        let path = path.to_string_lossy();
        let part = decode(File { scope, path: &path, text: &text }, &self.surroundings);
        part.map(Some).map_err(|problems| Error::Configuration { files: vec![problems] })
    }

    /// What a project's file says; `None` where there is none. `trusted` knows whether it may see the host's environment: it may
    /// where nobody asks.
    pub fn read_file(&self, path: &Path, trusted: Option<&Trusted>) -> Result<Option<ProjectFile>> {
        let read = {
            let path = path.to_owned();
            deadline::block_within(self.patience, move || read(&path))
        };
        let Some(text) = read.unwrap_or_else(|| Err(silent(path)))? else {
            return Ok(None);
        };
        let shown = path.to_string_lossy();
        let file = File { scope: Scope::Project, path: &shown, text: &text };
        let decoded = |may_ask: bool| {
            let decoded = if devcontainer::is_devcontainer(path) {
                devcontainer::decode(file, &self.surroundings, may_ask)
            } else {
                decode(file, &self.surroundings).map(|part| Decoded { part, ..Decoded::default() })
            };
            decoded.map_err(|problems| Error::Configuration { files: vec![problems] })
        };
        // What it reaches is the same whatever the host's environment holds.
        let unasked = decoded(false)?;
        let asking: String = lines_of(&text, &unasked.asking).into_iter().map(|(_, line)| format!("asks {line}\n")).collect();
        let reach = reach(&unasked.part) + &asking;
        let is_trusted = trusted.is_none_or(|trusted| trusted.is(path, &reach));
        let asks = is_trusted && !unasked.asking.is_empty();
        let Decoded { part, warnings, asking } = if asks { decoded(true)? } else { unasked };
        let mut reaching = inside_only(part.clone()).1;
        reaching.extend(asking);
        let warnings = (!warnings.is_empty()).then(|| Problems::new(&shown, &text, warnings));
        Ok(Some(ProjectFile { path: path.to_owned(), part, reaching, reach, is_trusted, warnings, text }))
    }
}

fn silent(path: &Path) -> Error {
    Error::io(format!("read `{}`", path.display()), io::Error::other("its disk does not answer"))
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
