//! An sshd of the session's user, with a configuration and a host key of its own: nothing of the image's is read or written.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use rustix::fs::{FlockOperation, flock};
use rustix::process::getuid;

use super::{find_program, is_executable, life_dir};
use crate::digest::sha256_hex;
use crate::guest::command_line::SshdVerb;
use crate::model::exit;
use crate::protocol::RUNTIME_DIR;
use crate::protocol::sshd::{NO_SSHD, NOT_ALLOWED, PORT_VARIABLE};

const HOST_KEY: &str = "ssh_host_ed25519_key";
/// The number of CAP_SYS_CHROOT (capabilities(7)).
const SYS_CHROOT: u32 = 18;
/// What a login sets itself, or what is this process's own.
const NOT_PASSED_ON: [&str; 9] = ["HOME", "USER", "LOGNAME", "SHELL", "TERM", "PWD", "OLDPWD", "SHLVL", "_"];

pub fn run(verb: SshdVerb) -> ExitCode {
    let done = match verb {
        SshdVerb::HostKey => print_host_key(),
        SshdVerb::Serve(keys) => serve(&keys),
        SshdVerb::Listen(keys) => listen(&keys),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Lacks(program)) => fail(NO_SSHD, &format!("there is no {program} in this container")),
        Err(Failure::NotAllowed) => fail(NOT_ALLOWED, "root may not do here what its sshd needs"),
        Err(Failure::Io(error)) => fail(1, &format!("could not run sshd: {error}")),
    }
}

fn fail(code: i32, message: &str) -> ExitCode {
    eprintln!("wharf: {message}");
    exit::with(code)
}

enum Failure {
    Lacks(&'static str),
    NotAllowed,
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn print_host_key() -> Result<(), Failure> {
    find_sshd()?;
    io::stdout().write_all(&fs::read(host_key()?.with_extension("pub"))?)?;
    Ok(())
}

fn serve(keys: &str) -> Result<(), Failure> {
    let sshd = find_sshd()?;
    let configuration = configuration(&host_key()?, &put("authorized", keys)?);
    let file = put("config", &configuration)?;
    Err(Command::new(sshd).args(["-i", "-e", "-f"]).arg(file).exec().into())
}

fn listen(keys: &str) -> Result<(), Failure> {
    let Some(port) = env::var(PORT_VARIABLE).ok().and_then(|port| port.parse::<u16>().ok()) else {
        return Ok(());
    };
    let sshd = find_sshd()?;
    // Under one name, so that who listens already goes by the keys of now.
    let keys = put_as(&directory()?.join("authorized"), keys)?;
    if TcpStream::connect(("127.0.0.1", port)).is_ok() {
        return Ok(());
    }
    let configuration = format!("Port {port}\n{}", configuration(&host_key()?, &keys));
    let file = put("config", &configuration)?;
    // It goes into the background itself. Of two that come at once, one has the port.
    let started = Command::new(sshd).arg("-f").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if started.success() || TcpStream::connect(("127.0.0.1", port)).is_ok() {
        Ok(())
    } else {
        Err(io::Error::other(format!("it ended with {started}")).into())
    }
}

/// It has to be run by its whole path.
fn find_sshd() -> Result<PathBuf, Failure> {
    let beside = ["/usr/local/sbin/sshd", "/usr/sbin/sshd", "/sbin/sshd"].map(PathBuf::from);
    let found = find_program("sshd").or_else(|| beside.into_iter().find(|path| is_executable(path)));
    let found = found.ok_or(Failure::Lacks("sshd"))?;
    if getuid().is_root() {
        if !may_chroot() {
            return Err(Failure::NotAllowed);
        }
        // Where root's shuts itself in.
        fs::create_dir_all("/run/sshd")?;
    }
    Ok(found)
}

fn may_chroot() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let capabilities = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok());
    capabilities.is_some_and(|set| set & (1 << SYS_CHROOT) != 0)
}

/// Made once in the container's life.
fn host_key() -> Result<PathBuf, Failure> {
    let directory = life_dir();
    let key = directory.join(HOST_KEY);
    if key.with_extension("pub").exists() {
        return Ok(key);
    }
    let keygen = find_program("ssh-keygen").ok_or(Failure::Lacks("ssh-keygen"))?;
    let lock = OpenOptions::new().write(true).create(true).truncate(false).open(directory.join("ssh.lock"))?;
    flock(&lock, FlockOperation::LockExclusive).map_err(io::Error::from)?;
    if key.with_extension("pub").exists() {
        return Ok(key);
    }
    // Half of one that was interrupted.
    let _ = fs::remove_file(&key);
    let mut command = Command::new(keygen);
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", "wharf", "-f"]).arg(&key);
    let made = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if made.success() { Ok(key) } else { Err(io::Error::other(format!("ssh-keygen ended with {made}")).into()) }
}

fn directory() -> io::Result<PathBuf> {
    let directory = Path::new(RUNTIME_DIR).join("ssh");
    DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    Ok(directory)
}

/// A file that is named after its content: what somebody else reads just now stays what it is.
fn put(kind: &str, content: &str) -> io::Result<PathBuf> {
    put_as(&directory()?.join(format!("{kind}-{}", &sha256_hex(content)[..16])), content)
}

fn put_as(path: &Path, content: &str) -> io::Result<PathBuf> {
    let new = path.with_extension(std::process::id().to_string());
    let mut file: File = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    io::Write::write_all(&mut file, content.as_bytes())?;
    fs::rename(new, path)?;
    Ok(path.to_owned())
}

/// Only keys count; who checks the files' owners would find those above them to be root's or nobody's.
fn configuration(host_key: &Path, keys: &Path) -> String {
    let mut text = format!("HostKey {}\nAuthorizedKeysFile {}\n", host_key.display(), keys.display());
    text.push_str(
        "AuthenticationMethods publickey\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n\
         StrictModes no\nPidFile none\nPrintMotd no\nPrintLastLog no\nUseDNS no\nX11Forwarding no\nLogLevel ERROR\n\
         AcceptEnv LANG LC_* COLORTERM\nSubsystem sftp internal-sftp\n",
    );
    let passed_on = env::vars().filter(|(name, value)| {
        let is_own = NOT_PASSED_ON.contains(&name.as_str()) || name.starts_with("SSH_");
        // What older versions have no way to write.
        !is_own && !format!("{name}{value}").contains(['"', '\\', '\n', '\r'])
    });
    let mut pairs: Vec<String> = passed_on.map(|(name, value)| format!(" \"{name}={value}\"")).collect();
    pairs.sort();
    if !pairs.is_empty() {
        let _ = writeln!(text, "SetEnv{}", pairs.concat());
    }
    text
}
