//! Who commits in a container: whoever would on the host.
//!
//! It is told in a file that git inside reads in place of `/etc/gitconfig`, so that what people have set in their home
//! directory in the container, or in the project, counts more. Nothing is written there.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::connection::shared_directory::SharedDirectory;
use crate::protocol::HOST_DIR;

const FILE: &str = "gitconfig";
/// What it says where the host's git knows of nobody. The image's own comes first: what is said later counts.
const NOBODY: &str = "[include]\n\tpath = /etc/gitconfig\n";
/// How long the host's git may take. It reads the project's own configuration too, in which programs in the container can
/// include anything.
const ANSWER: Duration = Duration::from_millis(500);
const LATER: Duration = Duration::from_secs(1);

/// What the host's git says of its user; empty where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    name: Option<String>,
    email: Option<String>,
}

/// Puts the identity that the host's git has in a project within the container's reach; the variable that git inside needs,
/// in an environment, and `None` where there is no such directory. Where an identity is there from before, nobody waits for
/// the host's git: it is brought up to date meanwhile.
pub async fn share(project: &Path, host_dir: &Path) -> Option<String> {
    share_unless(|length| length > NOBODY.len() as u64, project, host_dir).await
}

/// Shares the identity with a session, which reads it when somebody commits: that nobody is known yet is no reason to wait for
/// the host's git, but for the first time.
pub async fn share_with_session(project: &Path, host_dir: &Path) -> Option<String> {
    share_unless(|_| true, project, host_dir).await
}

/// Waits unless what was shared before will do, by its length in bytes.
async fn share_unless(will_do: impl FnOnce(u64) -> bool, project: &Path, host_dir: &Path) -> Option<String> {
    let before = fs::symlink_metadata(host_dir.join(FILE)).ok().filter(fs::Metadata::is_file);
    if !before.is_some_and(|file| will_do(file.len())) {
        return ask_git(project).await.share(host_dir);
    }
    let (project, host_dir) = (project.to_owned(), host_dir.to_owned());
    tokio::spawn(async move {
        // What the person waits for comes first.
        tokio::time::sleep(LATER).await;
        ask_git(&project).await.share(&host_dir)
    });
    Some(variable())
}

fn variable() -> String {
    format!("GIT_CONFIG_SYSTEM={HOST_DIR}/{FILE}")
}

/// What is not found out in time is nothing: git inside says what it lacks.
async fn ask_git(project: &Path) -> Identity {
    let mut git = Command::new("git");
    git.arg("-C").arg(project).args(["config", "--null", "--show-scope", "--get-regexp", r"^user\.(name|email)$"]);
    // As in a hook of another repository.
    git.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
    git.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(ANSWER, git.output()).await {
        Ok(Ok(output)) => Identity::parse(&String::from_utf8_lossy(&output.stdout)),
        _ => Identity::default(),
    }
}

impl Identity {
    /// Reads pairs of a scope and a setting, which is a key and a line feed before its value. What the project's own
    /// configuration says, git inside reads there.
    fn parse(printed: &str) -> Self {
        let mut identity = Self::default();
        let mut words = printed.split('\0');
        while let (Some(scope), Some(setting)) = (words.next(), words.next()) {
            let Some((key, value)) = setting.split_once('\n').filter(|_| !matches!(scope, "local" | "worktree")) else {
                continue;
            };
            match key {
                "user.name" => identity.name = Some(value.to_owned()),
                "user.email" => identity.email = Some(value.to_owned()),
                _ => {}
            }
        }
        identity
    }

    fn share(&self, host_dir: &Path) -> Option<String> {
        SharedDirectory::open(host_dir).and_then(|directory| directory.put(FILE, self.config().as_bytes())).ok()?;
        Some(variable())
    }

    /// What git-config(1) reads.
    fn config(&self) -> String {
        let settings = [("name", &self.name), ("email", &self.email)];
        let is_sane = |value: &&String| !value.is_empty() && !value.chars().any(char::is_control);
        let line = |(key, value): (&str, &Option<String>)| {
            let value = value.as_ref().filter(is_sane)?.replace('\\', r"\\").replace('"', r#"\""#);
            Some(format!("\t{key} = \"{value}\"\n"))
        };
        let lines: String = settings.into_iter().filter_map(line).collect();
        if lines.is_empty() { NOBODY.to_owned() } else { format!("{NOBODY}[user]\n{lines}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_project_says_is_left_to_it() {
        let printed = "system\0user.name\nSystem\0global\0user.name\nAda\0global\0user.email\na@example.org\0\
            local\0user.email\nlocal@example.org\0worktree\0user.name\nW\0global\0user.names\nx\0global\0user.name\0";
        let ada = Identity { name: Some("Ada".to_owned()), email: Some("a@example.org".to_owned()) };
        assert_eq!(Identity::parse(printed), ada);
        assert_eq!(Identity::parse(""), Identity::default());
    }

    #[test]
    fn what_a_container_has_put_in_the_way_is_replaced_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (shared, file) = (dir.path().join("shared"), dir.path().join("shared/gitconfig"));
        let of_the_host = dir.path().join("of-the-host");
        std::fs::create_dir(&shared).unwrap();
        std::fs::write(&of_the_host, "kept").unwrap();
        let ada = Identity { name: Some("Ada".to_owned()), email: None };
        let share = || ada.share(&shared);
        let given = Some("GIT_CONFIG_SYSTEM=/run/wharf/host/gitconfig".to_owned());
        for in_the_way in ["nothing", "link", "fifo", "text"] {
            match in_the_way {
                "link" => std::os::unix::fs::symlink(&of_the_host, &file).unwrap(),
                "fifo" => assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success()),
                "text" => std::fs::write(&file, ada.config().replace("Ada", "Eve")).unwrap(),
                _ => {}
            }
            assert_eq!(share(), given, "{in_the_way}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), ada.config(), "{in_the_way}");
            assert!(!file.is_symlink());
            std::fs::remove_file(&file).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&of_the_host).unwrap(), "kept");
        std::fs::create_dir(&file).unwrap();
        assert_eq!(share(), None);
    }

    #[test]
    fn a_name_cannot_say_more_than_a_name() {
        let of =
            |name: &str, email: Option<&str>| Identity { name: Some(name.to_owned()), email: email.map(str::to_owned) }.config();
        let expected =
            "[include]\n\tpath = /etc/gitconfig\n[user]\n\tname = \"A \\\"B\\\" \\\\ ;C\"\n\temail = \"a@example.org\"\n";
        assert_eq!(of("A \"B\" \\ ;C", Some("a@example.org")), expected);
        assert_eq!(of("a\n[core]\n\tpager = x", None), NOBODY);
        assert_eq!(Identity::default().config(), NOBODY);
    }
}
