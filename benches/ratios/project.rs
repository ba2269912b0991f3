//! Projects of a run, and their containers made by hand: the same as wharf makes, without wharf.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Result;
use crate::engine::Exec;
use crate::run::{self, Run};

/// A directory of the run, and the name of its container.
#[derive(Debug, Clone)]
pub struct Project {
    pub path: PathBuf,
    pub container: String,
}

impl Project {
    /// Makes the directory. `name` has to be one that the container's name can take over as it is.
    pub fn create(run: &Run, name: &str) -> Result<Self> {
        let path = run.dir.join(name);
        fs::create_dir_all(&path)?;
        let hash = hex::encode(Sha256::digest(path.to_string_lossy().as_bytes()));
        Ok(Self { container: format!("wharf-{name}-{}", &hash[..12]), path })
    }

    pub fn text(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    pub fn home_volume(&self) -> String {
        format!("{}-home", self.container)
    }

    /// Makes the container and its session, and nobody attached.
    pub fn open_detached(&self, run: &Run) -> Result<()> {
        run::output(run.wharf(["open", "--detach", &self.text()])).map(drop)
    }

    /// What attaches to the session: the request that says the same as the line that wharf prints. The container has to run.
    pub fn attach(&self, run: &Run) -> Result<Exec> {
        let line = run::output(run.wharf(["attach", "--print", &self.container]))?;
        // The line is for a shell, so a shell takes it apart.
        let mut shell = run.command("sh");
        shell.args(["-c", &format!(r#"set -- {line}; printf '%s\n' "$@""#)]);
        let words: Vec<String> = run::output(shell)?.lines().map(str::to_owned).collect();
        let split = words.iter().position(|word| *word == self.container).ok_or("wharf printed another container's name")?;
        let pairs = words[..split].windows(2).filter(|pair| pair[0] == "--env");
        Ok(Exec { environment: pairs.map(|pair| pair[1].clone()).collect(), command: words[split + 1..].to_vec() })
    }

    /// Removes the container and its home volume.
    pub fn remove(&self, run: &Run) -> Result<()> {
        run.engine.delete(&format!("/containers/{}?force=1", self.container))?;
        run.engine.delete(&format!("/volumes/{}", self.home_volume()))
    }
}

impl Exec {
    /// The same tmux in the container, told something else.
    pub fn saying(&self, words: &[&str]) -> Result<Self> {
        let verb = self.command.iter().position(|word| word == "attach-session").ok_or("wharf prints no `attach-session`")?;
        let words = words.iter().map(|&word| word.to_owned());
        Ok(Self { environment: self.environment.clone(), command: self.command[..verb].iter().cloned().chain(words).collect() })
    }

    /// Attaches to the session, which is started first where it does not run.
    pub fn attach_or_create(&self) -> Result<Self> {
        self.saying(&["new-session", "-A", "-s", "main"])
    }

    /// The words for docker's own client.
    pub fn for_docker(&self, container: &str) -> Vec<String> {
        let mut words = vec!["exec".to_owned(), "-it".to_owned()];
        words.extend(self.environment.iter().flat_map(|pair| ["--env".to_owned(), pair.clone()]));
        words.push(container.to_owned());
        words.extend(self.command.iter().cloned());
        words
    }
}

/// What wharf asks the engine to create, as the engine remembers it.
pub struct Template {
    /// What attaches to the session.
    pub exec: Exec,
    of: Project,
    body: String,
}

impl Template {
    /// Learns it from a container that wharf makes, which is removed again.
    pub fn learn(run: &Run) -> Result<Self> {
        let project = Project::create(run, "template")?;
        run::output(run.wharf(["start", &project.text()]))?;
        let inspected = run.engine.get(&format!("/containers/{}/json", project.container))?;
        let mut body = inspected["Config"].clone();
        body["HostConfig"] = inspected["HostConfig"].clone();
        body["Labels"]["wharf.bench"] = json!(run.id);
        let exec = project.attach(run)?;
        project.remove(run)?;
        Ok(Self { exec, of: project, body: body.to_string() })
    }

    /// The request's body for another project. The host's directories that it mounts are made.
    pub fn body(&self, project: &Project) -> Result<Value> {
        let text = self.body.replace(&self.of.container, &project.container).replace(&self.of.text(), &project.text());
        let body: Value = serde_json::from_str(&text)?;
        let mounts = body["HostConfig"]["Mounts"].as_array().into_iter().flatten();
        for source in mounts.filter(|mount| mount["Type"] == "bind").filter_map(|mount| mount["Source"].as_str()) {
            fs::create_dir_all(source)?;
        }
        Ok(body)
    }
}
