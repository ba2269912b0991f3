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
/// A tmux that `LOADER` runs.
pub const TMUX_BUNDLE: &str = "bundle/tmux";
/// The libraries of what is not static.
pub const LIBRARIES: &str = "lib";
/// The loader of what is not static.
pub const LOADER: &str = "lib/ld.so";
/// Entries for the terminals that wharf may name in `TERM`.
pub const TERMINFO: &str = "terminfo";
/// There with `TMUX_BUNDLE`: the locale `C.UTF-8`, in the format of the libc that is in `LIBRARIES`.
pub const LOCALE: &str = "locale";
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
        let program = format!("{directory}/{program}");
        match self {
            Self::Static => vec![program],
            // The image's cache of libraries is about another libc. `--argv0` is not given, because only glibc 2.33 and
            // newer know it, and the program's own path will do.
            Self::Bundle => vec![
                format!("{directory}/{LOADER}"),
                "--inhibit-cache".to_owned(),
                "--library-path".to_owned(),
                format!("{directory}/{LIBRARIES}"),
                program,
            ],
        }
    }
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
