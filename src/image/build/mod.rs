//! An image of the project's own, from its Dockerfile: what goes into it, and what it is called.

mod context;
mod ignore;

use std::cell::OnceCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::config::Build;
use crate::digest;
use crate::error::{Error, Result};
use crate::model::slug;
use crate::project::{Project, normal};
use context::Files;
use ignore::Ignore;

/// What of the context is left out.
const IGNORE: &str = ".dockerignore";

/// What a Dockerfile is called in a context that it is not in.
const OUTSIDE: &str = ".wharf.Dockerfile";

/// How a project's image is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The directory whose files the build can see.
    context: PathBuf,
    /// The path of the Dockerfile in it.
    dockerfile: PathBuf,
    pub target: Option<String>,
    pub arguments: Vec<(String, String)>,
    pub cache_from: Vec<String>,
    /// What the image is called: `wharf-project-<parent>-<base>:latest`.
    pub tag: String,
    /// What it is called where an image of that name is another project's.
    pub own_tag: String,
    inputs: OnceCell<String>,
}

impl Recipe {
    /// A directory is the context and holds the `Dockerfile`; with a file, the context is the project, unless it says another.
    pub fn of(build: &Build, project: &Project) -> Self {
        let inside: PathBuf = Path::new(&build.path).components().filter(|part| part.as_os_str() != ".").collect();
        let path = project.path().join(&inside);
        let (context, dockerfile) = match &build.context {
            Some(context) => {
                let context = normal(&project.path().join(context));
                let file = normal(&path);
                // One that is elsewhere keeps its whole path.
                let below = file.strip_prefix(&context).map(Path::to_owned);
                (context, below.unwrap_or(file))
            }
            None if path.is_dir() => (path, PathBuf::from("Dockerfile")),
            None => (project.path_buf(), inside),
        };
        let (tag, own_tag) = tags(project);
        Self {
            context,
            dockerfile,
            target: build.target.clone(),
            arguments: build.arguments.clone(),
            cache_from: build.cache_from.clone(),
            tag,
            own_tag,
            inputs: OnceCell::new(),
        }
    }

    /// Whether there is something to build, which takes one look.
    pub fn check(&self) -> Result<()> {
        let path = self.path();
        if path.is_file() { Ok(()) } else { Err(Error::NoDockerfile { path }) }
    }

    /// The Dockerfile.
    pub fn path(&self) -> PathBuf {
        self.context.join(&self.dockerfile)
    }

    /// The Dockerfile, as the engine finds it in the context.
    pub fn name(&self) -> String {
        if self.is_outside() { OUTSIDE.to_owned() } else { self.dockerfile.to_string_lossy().into_owned() }
    }

    /// Whether the Dockerfile is not in the context, and has to be added to it.
    fn is_outside(&self) -> bool {
        self.dockerfile.is_absolute()
    }

    /// The first 12 hex digits of the SHA-256 of all that goes into the image. Read once.
    pub fn inputs(&self) -> Result<&str> {
        if let Some(inputs) = self.inputs.get() {
            return Ok(inputs);
        }
        let mut hash = Sha256::new();
        self.hash_description(&mut hash)?;
        self.files()?.hash(&mut hash)?;
        Ok(self.inputs.get_or_init(|| digest::short(hash)))
    }

    /// The hash of the Dockerfile, the target and the arguments alone, which takes no longer where the context is large.
    pub fn description(&self) -> Result<String> {
        let mut hash = Sha256::new();
        self.hash_description(&mut hash)?;
        Ok(digest::short(hash))
    }

    fn hash_description(&self, hash: &mut Sha256) -> Result<()> {
        self.check()?;
        let text = fs::read(self.path()).map_err(|source| Error::BuildContext { path: self.path(), source })?;
        let said = serde_json::json!([self.name(), self.target, self.arguments]).to_string();
        for bytes in [said.as_bytes(), &text] {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
        Ok(())
    }

    fn files(&self) -> Result<Files<'_>> {
        self.check()?;
        let mut own = self.dockerfile.clone().into_os_string();
        own.push(".dockerignore");
        // One beside the Dockerfile counts in place of the context's, as for docker's newer builder. The older one, which takes
        // from the context what is ignored there, reads only the context's: so it gets the one that counts by that name.
        let (own, general) = (Path::new(&own), Path::new(IGNORE));
        let (file, text) = match (self.read_ignore(own)?, self.read_ignore(general)?) {
            // And takes itself away.
            (Some(text), _) => (own, format!("{text}\n{IGNORE}\n")),
            (None, Some(text)) => (general, text),
            (None, None) => return self.files_but(&Ignore::default()),
        };
        let ignore = Ignore::parse(&self.context.join(file), &text)?;
        let mut files = self.files_but(&ignore)?;
        files.add(general, text);
        Ok(files)
    }

    fn files_but(&self, ignore: &Ignore) -> Result<Files<'_>> {
        if !self.is_outside() {
            return Files::of(&self.context, ignore, &[&self.dockerfile]);
        }
        let mut files = Files::of(&self.context, ignore, &[])?;
        let text = fs::read_to_string(self.path()).map_err(|source| Error::BuildContext { path: self.path(), source })?;
        files.add(Path::new(OUTSIDE), text);
        Ok(files)
    }

    fn read_ignore(&self, file: &Path) -> Result<Option<String>> {
        let path = self.context.join(file);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::BuildContext { path, source }),
        }
    }

    /// Writes the context as a tar archive.
    pub fn pack(&self, into: impl io::Write) -> io::Result<()> {
        self.files().map_err(io::Error::other)?.pack(into)
    }
}

fn tags(project: &Project) -> (String, String) {
    let path = project.as_str();
    let mut names = path.rsplit('/').filter(|name| !name.is_empty());
    let (base, parent) = (names.next().unwrap_or("root"), names.next());
    let name = match parent {
        Some(parent) => format!("wharf-project-{}-{}", slug(parent), slug(base)),
        None => format!("wharf-project-{}", slug(base)),
    };
    let container = project.container_name();
    let hex = container.as_str().rsplit('-').next().unwrap_or_default();
    (format!("{name}:latest"), format!("{name}-{hex}:latest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(path: &str) -> String {
        tags(&Project::from_label(path)).0
    }

    #[test]
    fn an_images_name_is_one_whatever_the_directories_are_called() {
        for (path, expected) in [
            ("/home/ada/src/api", "wharf-project-src-api:latest"),
            ("/srv", "wharf-project-srv:latest"),
            ("/", "wharf-project-root:latest"),
            ("/a/My App", "wharf-project-a-my-app:latest"),
            ("/日本/#(x);\n", "wharf-project-project-x:latest"),
            ("/.a/__..--", "wharf-project-a-project:latest"),
            ("/A:B/c@d", "wharf-project-a-b-c-d:latest"),
        ] {
            assert_eq!(tag(path), expected, "{path:?}");
        }
        assert_eq!(tag(&format!("/{0}/{0}", "x".repeat(255))).len(), "wharf-project--:latest".len() + 80);
        // printf /srv/api | sha256sum
        assert_eq!(tags(&Project::from_label("/srv/api")).1, "wharf-project-srv-api-5afe96def098:latest");
    }

    /// A project with a Dockerfile, and what changes of it.
    fn inputs_of(directory: &Path, build: &str) -> String {
        let project = Project::at(directory).unwrap();
        let build = Build { path: build.to_owned(), context: None, target: None, arguments: vec![], cache_from: vec![] };
        Recipe::of(&build, &project).inputs().unwrap().to_owned()
    }

    #[test]
    fn everything_that_a_build_sees_changes_the_hash_and_nothing_else_does() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("Dockerfile"), "FROM scratch\n").unwrap();
        fs::write(at(".dockerignore"), "ignored\n").unwrap();
        fs::write(at("file"), "a").unwrap();
        symlink("file", at("link")).unwrap();
        let inputs = || inputs_of(directory.path(), "Dockerfile");
        let mut seen = vec![inputs()];
        let mut differs = |what: &str, does: bool| {
            let now = inputs();
            assert_eq!(!seen.contains(&now), does, "{what}");
            seen.push(now);
        };
        fs::write(at("ignored"), "x").unwrap();
        differs("an ignored file", false);
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        fs::File::options().write(true).open(at("file")).unwrap().set_modified(long_ago).unwrap();
        differs("a time", false);
        fs::set_permissions(at("file"), fs::Permissions::from_mode(0o600)).unwrap();
        differs("who may read", false);
        fs::set_permissions(at("file"), fs::Permissions::from_mode(0o755)).unwrap();
        differs("who may execute", true);
        fs::write(at("file"), "b").unwrap();
        differs("content", true);
        fs::rename(at("file"), at("other")).unwrap();
        differs("a name", true);
        fs::remove_file(at("link")).unwrap();
        symlink("other", at("link")).unwrap();
        differs("a link's target", true);
        fs::create_dir(at("empty")).unwrap();
        differs("an empty directory", true);
        fs::write(at("Dockerfile"), "FROM scratch\n#\n").unwrap();
        differs("the Dockerfile", true);
    }

    #[test]
    fn a_directory_is_the_context_and_of_a_file_the_project_is() {
        let directory = tempfile::tempdir().unwrap();
        let sub = directory.path().join("sub");
        fs::create_dir(&sub).unwrap();
        fs::write(sub.join("Dockerfile"), "FROM scratch\n").unwrap();
        let of = |path: &str| {
            let build = Build { path: path.to_owned(), context: None, target: None, arguments: vec![], cache_from: vec![] };
            let recipe = Recipe::of(&build, &Project::at(directory.path()).unwrap());
            let mut packed = Vec::new();
            recipe.pack(&mut packed).unwrap();
            let mut archive = tar::Archive::new(packed.as_slice());
            let paths = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string());
            (recipe.name(), paths.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(of("sub"), ("Dockerfile".to_owned(), "Dockerfile".to_owned()));
        assert_eq!(of("./sub/Dockerfile"), ("sub/Dockerfile".to_owned(), "sub sub/Dockerfile".to_owned()));
        // Ignored, it is there for the engine all the same, and so is what ignores it.
        fs::write(directory.path().join(".dockerignore"), "*\n").unwrap();
        assert_eq!(of("sub/Dockerfile").1, ".dockerignore sub/Dockerfile");
        // What counts for this Dockerfile alone counts alone.
        fs::write(sub.join("Dockerfile.dockerignore"), "sub/*.dockerignore\n").unwrap();
        assert_eq!(of("sub/Dockerfile").1, ".dockerignore sub sub/Dockerfile");
    }
}
