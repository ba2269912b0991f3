//! The variables that a devcontainer.json can name.

use crate::config::wrong::Wrong;
use crate::nearest::nearest;
use crate::protocol::variables::replace;

/// What a file may write as `${…}`.
pub const VARIABLES: [&str; 8] = [
    "localEnv",
    "env",
    "containerEnv",
    "localWorkspaceFolder",
    "localWorkspaceFolderBasename",
    "containerWorkspaceFolder",
    "containerWorkspaceFolderBasename",
    "devcontainerId",
];
/// What a template has in their place, until somebody fills it in.
const OF_TEMPLATES: &str = "templateOption";

/// What is known where a file is read. What a container has is not.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub local_folder: String,
    pub local_basename: String,
    pub container_folder: String,
    pub id: String,
}

/// A text with its variables replaced.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    pub text: String,
    /// Whether it asks for something of the host's environment.
    pub asks_host: bool,
    pub wrong: Option<Wrong>,
}

impl Known {
    /// `host` looks up a variable of the host's environment.
    pub fn replace(&self, text: &str, host: impl Fn(&str) -> Option<String>) -> Replaced {
        let (mut asks_host, mut wrong) = (false, None);
        let text = replace(text, |variable, arguments| match (variable, arguments) {
            ("localEnv" | "env", [name, rest @ ..]) => {
                asks_host = true;
                Some(host(name).unwrap_or_else(|| (*rest.first().unwrap_or(&"")).to_owned()))
            }
            ("localEnv" | "env" | "containerEnv", []) => {
                wrong = Some(Wrong::new(
                    format!("`${{{variable}}}` names no variable"),
                    format!("write it as `${{{variable}:NAME}}`"),
                ));
                None
            }
            ("localWorkspaceFolder", _) => Some(self.local_folder.clone()),
            ("localWorkspaceFolderBasename", _) => Some(self.local_basename.clone()),
            ("containerWorkspaceFolder", _) => Some(self.container_folder.clone()),
            ("containerWorkspaceFolderBasename", _) => Some(basename(&self.container_folder)),
            ("devcontainerId", _) => Some(self.id.clone()),
            ("containerEnv", _) => None,
            _ => {
                wrong = wrong.take().or_else(|| misspelt(variable));
                None
            }
        });
        Replaced { text, asks_host, wrong }
    }
}

/// A shell's own `${HOME}` is no mistake, so only what is like one of these is.
fn misspelt(variable: &str) -> Option<Wrong> {
    if variable == OF_TEMPLATES {
        return Some(Wrong::new("a template's option has not been filled in", "write the value in its place"));
    }
    let is_shells = !variable.starts_with(|c: char| c.is_ascii_lowercase());
    let meant = nearest(variable, VARIABLES).filter(|_| !is_shells)?;
    Some(Wrong::new(format!("there is no variable `{variable}`"), format!("did you mean `${{{meant}}}`?")))
}

pub fn basename(path: &str) -> String {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_is_what_it_says() {
        let known = Known {
            local_folder: "/home/ada/src/api".to_owned(),
            local_basename: "api".to_owned(),
            container_folder: "/workspaces/api/sub".to_owned(),
            id: "0abc".to_owned(),
        };
        let host = |name: &str| (name == "HOME").then(|| "/home/ada".to_owned());
        for (text, expected, asks_host) in [
            ("${localEnv:HOME}${localEnv:USERPROFILE}/.ssh", "/home/ada/.ssh", true),
            ("${env:HOME}", "/home/ada", true),
            ("${localEnv:NONE:a:b} ${localEnv:HOME:x}", "a /home/ada", true),
            ("${localWorkspaceFolder}|${localWorkspaceFolderBasename}", "/home/ada/src/api|api", false),
            ("${containerWorkspaceFolder}|${containerWorkspaceFolderBasename}", "/workspaces/api/sub|sub", false),
            ("vol-${devcontainerId}", "vol-0abc", false),
            ("${containerEnv:PATH}:${HOME} $x ${", "${containerEnv:PATH}:${HOME} $x ${", false),
        ] {
            let replaced = known.replace(text, host);
            assert_eq!(replaced, Replaced { text: expected.to_owned(), asks_host, wrong: None }, "{text}");
        }
        for (text, message) in [
            ("${localWorkspaceFoldr}", "there is no variable `localWorkspaceFoldr`"),
            ("${localEnv}", "`${localEnv}` names no variable"),
            ("${templateOption:tag}", "a template's option has not been filled in"),
        ] {
            assert_eq!(known.replace(text, host).wrong.unwrap().message, message);
        }
    }
}
