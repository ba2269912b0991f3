//! The default image where no registry answers: a root file system by `debootstrap`, from the mirrors that this machine's apt
//! has. It takes root, or `sudo`.

use std::cell::RefCell;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::mpsc;

use super::{PACKAGES, SUDO};
use crate::connection::signals::Signals;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::output::progress;

/// Not /tmp: it is often a small file system in memory, mounted so that debootstrap can't make device nodes in it.
const PLACE: &str = "/var/tmp";
/// These are missing from the PATH of an ordinary user on Debian.
const SBIN: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// After debootstrap: apt's sources are on standard input. A session inside would come up with an unknown terminal without its
/// entry; of the rest, only what a container doesn't need goes: licences stay.
const FINISH: &str = r#"set -eu
root=$1
cat >"$root/etc/apt/sources.list"
chroot "$root" infocmp tmux-256color >/dev/null || { echo "there is no terminfo entry tmux-256color"; exit 1; }
chroot "$root" apt-get clean
printf %s "$2" >"$root/usr/local/bin/sudo"
chmod 755 "$root/usr/local/bin/sudo"
find "$root/var/lib/apt/lists" "$root/var/log" "$root/usr/share/man" "$root/usr/share/info" -type f -delete
find "$root/usr/share/doc" -type f ! -name copyright -delete
rm -f "$root/etc/hostname" "$root/etc/resolv.conf" "$root/etc/machine-id"
"#;
/// debootstrap mounts these for its second stage, and forgets them when it is killed.
const CLEAN_UP: &str = r#"for mounted in "$1/root/proc" "$1/root/sys"; do
    ! mountpoint -q "$mounted" || umount "$mounted"
done
rm -rf --one-file-system -- "$1"
"#;

/// Whether this machine and this user can make one.
pub fn can_be_made() -> bool {
    is_there("debootstrap") && (is_root() || is_there("sudo"))
}

/// Makes the root file system, and the image of it.
pub async fn import(engine: &Engine, image: &str) -> Result<()> {
    let mut signals = Signals::listen().map_err(|source| Error::io("listen for signals", source))?;
    let progress = RefCell::new(progress::Build::begin(image));
    let made = progress::turning(&progress, make(&progress, &mut signals)).await;
    let progress = progress.into_inner();
    let tree = match made {
        Ok(tree) => tree,
        Err(Error::Rootfs { message, .. }) => return Err(Error::Rootfs { message, output: progress.failed().1 }),
        Err(error) => return Err(error),
    };
    let root = tree.root();
    let changes = [
        "LABEL org.opencontainers.image.title=wharf-default",
        r#"CMD ["/bin/bash"]"#,
        "ENV LANG=C.UTF-8",
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ];
    let importing = engine.import(image, &changes, move |mut into| {
        let mut tar = as_root("tar");
        tar.arg("-C").arg(&root).args(["--numeric-owner", "--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./sys/*"]);
        let mut tar = tar.args(["-c", "."]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let copied = tar.stdout.take().map_or(Ok(0), |mut from| io::copy(&mut from, &mut into));
        let status = tar.wait()?;
        copied?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("tar failed: {status}"))) }
    });
    tokio::select! {
        imported = importing => imported?,
        _ = signals.recv() => return Err(Error::Cancelled),
    }
    progress.done();
    Ok(())
}

async fn make(progress: &RefCell<progress::Build<'_>>, signals: &mut Signals) -> Result<Tree> {
    let sources = Sources::of_this_machine()?;
    let tree = Tree::new()?;
    let mut debootstrap = as_root("env");
    debootstrap.args(sources.proxy.iter().map(|proxy| format!("http_proxy={proxy}")));
    debootstrap.args(["debootstrap", "--variant=minbase"]);
    debootstrap.arg(format!("--components={}", sources.components.join(",")));
    debootstrap.arg(format!("--include={}", PACKAGES.split_whitespace().collect::<Vec<_>>().join(",")));
    debootstrap.arg(&sources.codename).arg(tree.root()).arg(&sources.uri);
    let mut stage = String::new();
    let told = |line: &str| {
        let mut progress = progress.borrow_mut();
        // It says a line or two for each of 200 packages: a terminal sees all of them pass by, a log each new stage.
        let word = line.strip_prefix("I: ").and_then(|line| line.split(' ').next()).unwrap_or("?");
        let word = if word == "Validating" { "Retrieving" } else { word };
        if progress.is_live() || word == "?" || word != stage {
            word.clone_into(&mut stage);
            progress.tell(&format!("{line}\n"));
        }
    };
    run("debootstrap", debootstrap, None, told, signals).await?;
    let mut finish = as_root("sh");
    finish.args(["-c", FINISH, "sh"]).arg(tree.root()).arg(SUDO);
    let told = |line: &str| progress.borrow_mut().tell(&format!("{line}\n"));
    run("what follows debootstrap", finish, Some(sources.list), told, signals).await?;
    Ok(tree)
}

/// Runs a program and tells each of its lines. On a signal it is ended first: a tree that is still being written can't be
/// removed.
async fn run(
    name: &str,
    mut command: Command,
    input: Option<String>,
    mut tell: impl FnMut(&str),
    signals: &mut Signals,
) -> Result<()> {
    let failed = |source| Error::io(format!("run {name}"), source);
    let (reader, writer) = io::pipe().map_err(failed)?;
    let piped = writer.try_clone().map_err(failed)?;
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() }).stdout(piped).stderr(writer);
    let mut child = command.spawn().map_err(failed)?;
    // With its ends of the pipe.
    drop(command);
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        io::Write::write_all(&mut stdin, input.as_bytes()).map_err(failed)?;
    }
    let (sender, mut lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).split(b'\n').map_while(io::Result::ok) {
            let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    let mut is_cancelled = false;
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Some(line) => tell(&line),
                None => break,
            },
            _ = signals.recv() => {
                is_cancelled = true;
                let _ = kill_process(Pid::from_child(&child), Signal::TERM);
            }
        }
    }
    let status = child.wait().map_err(failed)?;
    if is_cancelled {
        Err(Error::Cancelled)
    } else if status.success() {
        Ok(())
    } else {
        Err(Error::Rootfs { message: format!("{name} failed ({status})"), output: Vec::new() })
    }
}

/// A directory that goes with this, whoever owns what is in it.
struct Tree {
    directory: PathBuf,
}

impl Tree {
    fn new() -> Result<Self> {
        let now = jiff::Timestamp::now().as_nanosecond();
        let directory = Path::new(PLACE).join(format!("wharf-image-{}-{now}", std::process::id()));
        fs::create_dir(&directory).map_err(|source| Error::io(format!("create `{}`", directory.display()), source))?;
        Ok(Self { directory })
    }

    fn root(&self) -> PathBuf {
        self.directory.join("root")
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let mut clean_up = as_root("sh");
        let _ = clean_up.args(["-c", CLEAN_UP, "sh"]).arg(&self.directory).stdin(Stdio::null()).status();
    }
}

/// Where apt gets this machine's own release from.
struct Sources {
    codename: String,
    uri: String,
    components: Vec<String>,
    proxy: Option<String>,
    /// As a file of apt's.
    list: String,
}

impl Sources {
    fn of_this_machine() -> Result<Self> {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let codename = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).unwrap_or_default();
        let codename = codename.trim_matches('"').to_owned();
        let format = "$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)";
        let targets = || output("apt-get", &["indextargets", "--format", format, "Created-By: Packages"]);
        let mut found = parse(&targets());
        if found.is_empty() {
            // apt knows a source's origin only once its lists are there.
            let _ = as_root("apt-get").args(["-qq", "update"]).stdin(Stdio::null()).stdout(Stdio::null()).status();
            found = parse(&targets());
        }
        let own: Vec<&[String; 3]> = found.iter().filter(|[_, release, _]| *release == codename).collect();
        let Some([uri, ..]) = own.first() else {
            let message = format!("apt has no source for `{codename}`, so debootstrap has no mirror");
            return Err(Error::Rootfs { message, output: Vec::new() });
        };
        let proxy = output("apt-config", &["dump", "--no-empty", "--format", "%v%n", "Acquire::http::Proxy"]);
        Ok(Self {
            uri: uri.clone(),
            components: own.iter().map(|[_, _, component]| component.clone()).collect(),
            proxy: proxy.lines().next().filter(|proxy| !proxy.is_empty()).map(str::to_owned),
            list: found.iter().map(|[uri, release, component]| format!("deb {uri} {release} {component}\n")).collect(),
            codename,
        })
    }
}

/// Of the distribution's own sources: URI, release and component.
fn parse(targets: &str) -> Vec<[String; 3]> {
    let mut found: Vec<[String; 3]> = Vec::new();
    for line in targets.lines() {
        let [origin, uri, release, component] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
        let target = [uri, release, component].map(str::to_owned);
        if ["Debian", "Ubuntu"].contains(&origin) && ["main", "universe"].contains(&component) && !found.contains(&target) {
            found.push(target);
        }
    }
    found.sort();
    found
}

/// What a program prints; nothing where there is none.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

fn as_root(program: &str) -> Command {
    let mut command = if is_root() {
        Command::new(program)
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg(program);
        sudo
    };
    command.env("PATH", search_path());
    command
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

fn is_there(program: &str) -> bool {
    env::split_paths(&search_path()).any(|directory| directory.join(program).is_file())
}

fn search_path() -> std::ffi::OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain(SBIN.map(PathBuf::from));
    env::join_paths(directories).unwrap_or_else(|_| OsStr::new("/usr/sbin:/usr/bin:/sbin:/bin").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_distributions_own_sources_count() {
        let targets = "Debian http://m/debian trixie main\nDebian http://m/debian trixie main\nOther http://o/ x main\n\
                       Debian http://m/debian trixie-updates main\nDebian http://m/debian trixie contrib\nbroken\n";
        let expected = [["http://m/debian", "trixie", "main"], ["http://m/debian", "trixie-updates", "main"]];
        assert_eq!(parse(targets), expected.map(|target| target.map(str::to_owned)));
    }
}
