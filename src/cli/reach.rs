//! Verbs that reach into a container from this machine.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub struct Forward {
    /// A directory, a project's name or a container's [default: the project at hand]
    pub target: Option<String>,
    /// The container's port, or this machine's and behind a colon the container's, as in `8080:80`; 0 for any that is free
    #[arg(required = true, value_name = "PORT")]
    pub port: Forwarded,
}

/// Which port of this machine leads to which of the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forwarded {
    /// Any that is free where it is 0.
    pub host: u16,
    pub container: u16,
}

impl FromStr for Forwarded {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = |text: &str| text.parse::<u16>().map_err(|_| format!("`{text}` is not a port"));
        let (host, container) = match text.split_once(':') {
            Some((host, container)) => (port(host)?, port(container)?),
            None => (port(text)?, port(text)?),
        };
        if container == 0 { Err("a container has no port 0".to_owned()) } else { Ok(Self { host, container }) }
    }
}

#[derive(Debug, Args)]
pub struct Cp {
    /// A file or directory: of this machine, or of a container as in `api:src/main.rs`, or `:notes` of the project at hand
    #[arg(value_name = "FROM")]
    pub from: Place,
    /// Where it goes: into a directory that is there, else to that name
    #[arg(value_name = "TO")]
    pub to: Place,
}

/// A path, and on which side it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Here(PathBuf),
    Inside {
        /// The project at hand where `None`.
        target: Option<String>,
        path: String,
    },
}

impl FromStr for Place {
    type Err = String;

    /// A colon divides a target from a path, unless a slash is before it: `./a:b` is a file here.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((target, path)) if !is_path(target) => {
                let target = Some(target.to_owned()).filter(|target| !target.is_empty());
                Ok(Self::Inside { target, path: path.to_owned() })
            }
            _ if text.is_empty() => Err("a path is empty".to_owned()),
            _ => Ok(Self::Here(text.into())),
        }
    }
}

/// Whether what stands before a colon begins a path; `parent/base` is a target's name.
fn is_path(text: &str) -> bool {
    text.starts_with('.') || text.starts_with('/') && !PathBuf::from(text).is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_port_stands_for_both() {
        for (text, host, container) in [("3000", 3000, 3000), ("8080:80", 8080, 80), ("0:80", 0, 80)] {
            assert_eq!(text.parse(), Ok(Forwarded { host, container }), "{text}");
        }
        for text in ["", ":80", "80:", "80:0", "0", "70000", "80/tcp"] {
            assert!(text.parse::<Forwarded>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_colon_tells_a_container_from_a_file() {
        let inside =
            |target: Option<&str>, path: &str| Place::Inside { target: target.map(str::to_owned), path: path.to_owned() };
        for (text, place) in [
            ("api:src", inside(Some("api"), "src")),
            ("work/api:/etc/hosts", inside(Some("work/api"), "/etc/hosts")),
            (":a:b", inside(None, "a:b")),
            ("./a:b", Place::Here("./a:b".into())),
            ("/nowhere/a:b", Place::Here("/nowhere/a:b".into())),
            ("notes", Place::Here("notes".into())),
        ] {
            assert_eq!(text.parse(), Ok(place), "{text}");
        }
    }
}
