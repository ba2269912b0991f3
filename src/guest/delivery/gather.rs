//! Where the tools are on this machine.

use std::env;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Files;
use super::bundle;
use super::locate;
use super::program::{Linkage, Program, not_portable, read};
use crate::connection::environment::COMMON_TERMINALS;
use crate::error::{Error, Result};
use crate::model::TmuxVersion;
use crate::protocol::{CONFIG, GUEST, LOCALE, Launch, TERMINFO, TMUX_BUNDLE, TMUX_CONFIG, TMUX_STATIC, TMUX_VERSION};

/// Where systems keep `C.UTF-8`, where it is not one of an archive's.
const LOCALES: [&str; 2] = ["/usr/lib/locale/C.utf8", "/usr/lib/locale/C.UTF-8"];
/// The order is ncurses': what an administrator has written goes first.
const TERMINFO_DIRS: [&str; 4] = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo"];

const TMUX: &str = "tmux";

/// Where to look on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The guest where a person says which.
    pub guest: Option<&'a Path>,
    /// The program that runs: the guest is looked for beside it.
    pub program: &'a Path,
    /// Of the engine, by the name that images use.
    pub architecture: &'a str,
    /// wharf's own directory below `$XDG_DATA_HOME`. A `tmux` in there is taken before any other of its
    /// version.
    pub data_dir: &'a Path,
    /// The program of the host's tmux server, which this runs in.
    pub server_program: Option<&'a Path>,
    /// `$PATH`, for the host's own tmux.
    pub search_path: Option<&'a OsStr>,
}

/// How the guest is run, and how tmux is or why there is none.
pub fn all(sources: &Sources, files: &mut Files) -> Result<(Launch, Result<Launch>)> {
    let guest = locate::guest(sources.guest, sources.program, sources.architecture)?;
    let guest = program(guest, [GUEST, GUEST], files)?;
    let tmux = first_tmux(sources, files);
    for name in COMMON_TERMINALS {
        if let Some(entry) = terminfo(name, []) {
            files.file(format!("{TERMINFO}/{}/{name}", &name[..1]), entry);
        }
    }
    files.file(TMUX_CONFIG, CONFIG.to_owned());
    Ok((guest, tmux))
}

/// Adds a program by the first name if it is static, else by the second and with its libraries.
fn program(program: Program, names: [&str; 2], files: &mut Files) -> Result<Launch> {
    let (name, launch) = match &program.linkage {
        Linkage::Static => (names[0], Launch::Static),
        Linkage::Dynamic { loader } => {
            bundle::add(&program.path, loader, names[1], files)?;
            (names[1], Launch::Bundle)
        }
    };
    files.program(name, program.bytes);
    Ok(launch)
}

/// The first that can travel, of those that are of the version of the host's own before those that are not. Where several fail, the
/// first one's failure is told: it is the one that people mean by `tmux`.
fn first_tmux(sources: &Sources, files: &mut Files) -> Result<Launch> {
    let path = sources.search_path.map(|path| env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    let in_path = path.into_iter().filter(|directory| directory.is_absolute()).map(|directory| directory.join(TMUX));
    let hosts = sources.server_program.into_iter().filter(|path| path.is_absolute()).map(Path::to_owned).chain(in_path);
    // Some are no programs, as the scripts that version managers put in front of one.
    let mut hosts = hosts.filter_map(|path| Candidate::read(&path)).peekable();
    let host = hosts.peek().and_then(|host| host.version);
    let own = Candidate::read(&sources.data_dir.join(TMUX));
    let (others, same): (Vec<_>, Vec<_>) = own.into_iter().chain(hosts).partition(|candidate| candidate.is_other_than(host));
    let mut failure = None;
    for candidate in same.into_iter().chain(others) {
        if candidate.program.architecture != Some(sources.architecture) {
            let reason = format!("it is not for {}", sources.architecture);
            failure = failure.or(Some(not_portable(&candidate.program.path, reason)));
            continue;
        }
        match tmux(candidate, files) {
            Ok(launch) => return Ok(launch),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or(Error::NoTmuxOnHost))
}

/// A tmux, and which.
struct Candidate {
    program: Program,
    /// `None` where it does not say.
    version: Option<TmuxVersion>,
}

impl Candidate {
    fn read(path: &Path) -> Option<Self> {
        let program = Program::read(path).ok()?;
        let asked = Command::new(path).arg0(TMUX).arg("-V").stdin(Stdio::null()).stderr(Stdio::null()).output();
        let version = asked.ok().and_then(|output| String::from_utf8_lossy(&output.stdout).parse().ok());
        Some(Self { program, version })
    }

    fn is_other_than(&self, host: Option<TmuxVersion>) -> bool {
        self.version.zip(host).is_some_and(|(version, host)| version != host)
    }
}

fn tmux(tmux: Candidate, files: &mut Files) -> Result<Launch> {
    let Candidate { program: tmux, version } = tmux;
    let launch = portable(tmux, files)?;
    files.file(TMUX_VERSION, version.map(|version| version.to_string()).unwrap_or_default().into_bytes());
    Ok(launch)
}

fn portable(tmux: Program, files: &mut Files) -> Result<Launch> {
    if tmux.linkage == Linkage::Static {
        return program(tmux, [TMUX_STATIC, TMUX_BUNDLE], files);
    }
    // tmux 3.3a needs a locale with UTF-8 to start, and glibc has none within; an image's is in its own libc's format.
    // Of the locale, tmux sets these two, and can do without the second.
    let Some(directory) = LOCALES.map(PathBuf::from).into_iter().find(|directory| directory.join("LC_CTYPE").is_file()) else {
        return Err(not_portable(&tmux.path, "this machine has no locale C.UTF-8 to go with it"));
    };
    let characters = read(&directory.join("LC_CTYPE"))?;
    let launch = program(tmux, [TMUX_STATIC, TMUX_BUNDLE], files)?;
    files.file(format!("{LOCALE}/C.utf8/LC_CTYPE"), characters);
    if let Ok(times) = read(&directory.join("LC_TIME")) {
        files.file(format!("{LOCALE}/C.utf8/LC_TIME"), times);
    }
    Ok(launch)
}

/// A terminal's entry, in `first` or where systems have theirs; none of what can't be a name. Directories are named after its
/// first letter, or that letter's code where files have no case.
pub fn terminfo(name: &str, first: impl IntoIterator<Item = PathBuf>) -> Option<Vec<u8>> {
    let first_byte = *name.as_bytes().first().filter(|_| name.bytes().all(|b| b.is_ascii_graphic() && b != b'/'))?;
    let hashes = [char::from(first_byte).to_string(), format!("{first_byte:x}")];
    let directories = first.into_iter().chain(TERMINFO_DIRS.map(PathBuf::from));
    let places = directories.flat_map(|directory| hashes.each_ref().map(|hash| directory.join(hash)));
    places.map(|place| place.join(name)).find_map(|entry| read(&entry).ok())
}
