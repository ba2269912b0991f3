//! The tools that every container gets: where they are in it, and how a program of them is run.

use std::fmt;
use std::str::FromStr;

/// The directory of the tools in a container.
pub const TOOLS_DIR: &str = "/run/wharf/tools";
/// The guest, below `TOOLS_DIR` as all that follow. A host finds it by this name in containers that others of its versions
/// have made, so it stays.
pub const GUEST: &str = "wharf";
/// A tmux that needs no other file. There is at most one of this and `TMUX_BUNDLE`. Both files are called `tmux`, because that
/// is what it calls itself in its errors and where it says its version.
pub const TMUX_STATIC: &str = "static/tmux";
/// A tmux that its own `LOADER` runs.
pub const TMUX_BUNDLE: &str = "bundle/tmux";
/// The directory, beside a program that is not static, of the libraries that it needs. Each program has its own: another
/// libc than wharf's comes with a tmux that was built elsewhere, and a loader works only with its own libc.
const LIBRARIES: &str = "lib";
/// In there, what runs the program.
pub const LOADER: &str = "ld.so";
/// Entries for the terminals that wharf may name in `TERM`.
pub const TERMINFO: &str = "terminfo";
/// There with `TMUX_BUNDLE`: the locale `C.UTF-8`, in the format of the libc that comes with it.
pub const LOCALE: &str = "locale";
/// There with a tmux: its version.
pub const TMUX_VERSION: &str = "tmux-version";
/// The configuration of the tmux inside.
pub const TMUX_CONFIG: &str = "tmux.conf";

/// How a program of the tools is run: as it is, or by the loader that came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Launch {
    Static,
    Bundle,
}

impl Launch {
    /// How this very build is run.
    pub fn of_this_build() -> Self {
        if cfg!(target_feature = "crt-static") { Self::Static } else { Self::Bundle }
    }

    /// The command that runs the guest in a container; its arguments follow.
    pub fn guest(self) -> Vec<String> {
        self.command(TOOLS_DIR, GUEST)
    }

    /// The command that runs the tools' tmux in a container; its arguments follow.
    pub fn tmux(self) -> Vec<String> {
        self.command(
            TOOLS_DIR,
            match self {
                Self::Static => TMUX_STATIC,
                Self::Bundle => TMUX_BUNDLE,
            },
        )
    }

    /// Where the tools' tmux must find its locale: the value of `LOCPATH`, for it alone. What a session runs has a libc of its
    /// own, and files of another's format are of no use to it; so `tmux.conf` takes the variable away again.
    pub fn tmux_locale(self) -> Option<String> {
        (self == Self::Bundle).then(|| format!("{TOOLS_DIR}/{LOCALE}"))
    }

    pub fn command(self, directory: &str, program: &str) -> Vec<String> {
        let libraries = format!("{directory}/{}", libraries_of(program));
        let program = format!("{directory}/{program}");
        match self {
            Self::Static => vec![program],
            // The image's cache of libraries is about another libc. `--argv0` is not given, because only glibc 2.33 and
            // newer know it, and the program's own path will do.
            Self::Bundle => vec![
                format!("{libraries}/{LOADER}"),
                "--inhibit-cache".to_owned(),
                "--library-path".to_owned(),
                libraries,
                program,
            ],
        }
    }
}

/// The directory of a program's libraries, as the program's own path is: below `TOOLS_DIR`.
pub fn libraries_of(program: &str) -> String {
    program.rsplit_once('/').map_or_else(|| LIBRARIES.to_owned(), |(directory, _)| format!("{directory}/{LIBRARIES}"))
}

impl fmt::Display for Launch {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Static => "static",
            Self::Bundle => "bundle",
        })
    }
}

/// What is neither was not written by this wharf.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownLaunch;

impl FromStr for Launch {
    type Err = UnknownLaunch;

    fn from_str(text: &str) -> Result<Self, UnknownLaunch> {
        match text {
            "static" => Ok(Self::Static),
            "bundle" => Ok(Self::Bundle),
            _ => Err(UnknownLaunch),
        }
    }
}
