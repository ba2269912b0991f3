//! An engine on another machine, reached as if it listened at a socket of this one: each connection to that is passed on by TCP,
//! or by the person's own ssh to what docker has there for that (`docker system dial-stdio`).

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::process::Command;
use tokio::task::JoinHandle;

use super::one_line;

/// How long ssh keeps a connection that nobody uses, for the next request or command.
const PERSIST: &str = "ControlPersist=60";
/// How much of what ssh says is kept.
const MAX_SAID: usize = 4096;
/// Several engines of one process each have a place of their own.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Where another machine's engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remote {
    /// `HOST:PORT`
    Tcp(String),
    Ssh {
        /// `HOST`, or `USER@HOST`, as ssh takes it.
        destination: String,
        port: Option<u16>,
        /// The engine's socket there; the one that docker finds where `None`.
        socket: Option<String>,
    },
}

impl Remote {
    /// Reads a URL with `tcp://` or `ssh://`; `None` where it is none that can be reached.
    pub fn parse(address: &str) -> Option<Self> {
        if let Some(authority) = address.strip_prefix("tcp://") {
            let authority = authority.trim_end_matches('/');
            let (host, port) = authority.rsplit_once(':')?;
            return (!host.is_empty() && port.parse::<u16>().is_ok()).then(|| Self::Tcp(authority.to_owned()));
        }
        let rest = address.strip_prefix("ssh://")?;
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        let (destination, port) = match authority.rsplit_once(':') {
            Some((destination, port)) => (destination, Some(port.parse().ok()?)),
            None => (authority, None),
        };
        // What begins with a dash would be an option of ssh's.
        let host = destination.rsplit('@').next()?;
        let is_safe = !destination.starts_with('-') && !host.starts_with('-') && !host.is_empty();
        let socket = path.filter(|path| !path.is_empty()).map(|path| format!("/{path}"));
        is_safe.then(|| Self::Ssh { destination: destination.to_owned(), port, socket })
    }

    fn ssh(destination: &str, port: Option<u16>, socket: Option<&str>, directory: &Path) -> Command {
        let mut ssh = Command::new("ssh");
        // Nobody is there to be asked: who has to be, connects once by hand.
        ssh.args(["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ControlMaster=auto", "-o", PERSIST]);
        ssh.arg("-o").arg(format!("ControlPath={}/%C", directory.display()));
        if let Some(port) = port {
            ssh.arg("-p").arg(port.to_string());
        }
        ssh.args(["--", destination]);
        // The words become one line for the shell there.
        match socket {
            Some(socket) => {
                ssh.arg(format!("docker --host {} system dial-stdio", crate::quote::shell(&format!("unix://{socket}"))))
            }
            None => ssh.arg("docker system dial-stdio"),
        };
        ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        ssh
    }
}

/// The socket here that leads there, for as long as this is kept.
#[derive(Debug)]
pub struct Forward {
    directory: PathBuf,
    said: Arc<Mutex<String>>,
    passing: JoinHandle<()>,
}

impl Forward {
    /// Listens for connections to pass on. Whether the engine is there shows with the first.
    pub fn open(remote: Remote, runtime_dir: Option<&Path>) -> io::Result<Self> {
        let base = runtime_dir.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = base.join(format!("wharf-engine-{}-{number}", std::process::id()));
        fs::DirBuilder::new().mode(0o700).create(&directory)?;
        // Shared by all of this user's commands, so that only the first has to connect; by one's own where there is no directory
        // that nobody else can write to.
        let shared = runtime_dir.map_or_else(|| directory.clone(), |dir| dir.join("wharf-ssh"));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&shared)?;
        let listener = UnixListener::bind(directory.join("socket"))?;
        let said = Arc::new(Mutex::new(String::new()));
        let passing = tokio::spawn(pass_on(listener, remote, shared, Arc::clone(&said)));
        Ok(Self { directory, said, passing })
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.join("socket")
    }

    /// What was said in place of a connection, in one line; empty where nothing was.
    pub fn said(&self) -> String {
        self.said.lock().map(|said| one_line(&said)).unwrap_or_default()
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.passing.abort();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

async fn pass_on(listener: UnixListener, remote: Remote, shared: PathBuf, said: Arc<Mutex<String>>) {
    while let Ok((here, _)) = listener.accept().await {
        let (remote, shared, said) = (remote.clone(), shared.clone(), Arc::clone(&said));
        tokio::spawn(async move {
            let problem = match connect(here, &remote, &shared).await {
                Ok(problem) => problem,
                Err(error) => error.to_string(),
            };
            if let (Ok(mut said), false) = (said.lock(), problem.is_empty()) {
                *said = problem;
            }
        });
    }
}

/// Passes on one connection until it ends; gives what was said beside it.
async fn connect(mut here: UnixStream, remote: &Remote, shared: &Path) -> io::Result<String> {
    match remote {
        Remote::Tcp(authority) => {
            let mut there = TcpStream::connect(authority).await?;
            there.set_nodelay(true)?;
            copy_bidirectional(&mut here, &mut there).await.map(|_| String::new())
        }
        Remote::Ssh { destination, port, socket } => {
            let mut ssh = Remote::ssh(destination, *port, socket.as_deref(), shared).spawn()?;
            let (Some(input), Some(output), Some(errors)) = (ssh.stdin.take(), ssh.stdout.take(), ssh.stderr.take()) else {
                return Ok(String::new());
            };
            let mut text = Vec::new();
            let mut errors = errors.take(MAX_SAID as u64);
            let (passed, _) = tokio::join!(pass_both(here, input, output), errors.read_to_end(&mut text));
            let _ = ssh.wait().await;
            passed.map(|()| String::from_utf8_lossy(&text).into_owned())
        }
    }
}

async fn pass_both(here: UnixStream, mut input: impl AsyncWrite + Unpin, mut output: impl AsyncRead + Unpin) -> io::Result<()> {
    let (mut from, mut to) = here.into_split();
    let sent = async {
        let _ = copy(&mut from, &mut input).await;
        let _ = input.shutdown().await;
        drop(input);
    };
    let received = async {
        let copied = copy(&mut output, &mut to).await;
        let _ = to.shutdown().await;
        copied
    };
    // What was sent is over when the other side is.
    tokio::select! {
        copied = received => copied.map(drop),
        () = async { sent.await; std::future::pending().await } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_other_machines() {
        let ssh = |destination: &str, port, socket: Option<&str>| {
            Some(Remote::Ssh { destination: destination.to_owned(), port, socket: socket.map(str::to_owned) })
        };
        for (address, expected) in [
            ("tcp://10.0.0.1:2375", Some(Remote::Tcp("10.0.0.1:2375".to_owned()))),
            ("tcp://[::1]:2375/", Some(Remote::Tcp("[::1]:2375".to_owned()))),
            ("ssh://me@box", ssh("me@box", None, None)),
            (
                "ssh://box:2222/run/user/1000/podman/podman.sock",
                ssh("box", Some(2222), Some("/run/user/1000/podman/podman.sock")),
            ),
            ("tcp://10.0.0.1", None),
            ("ssh://-oProxyCommand=x", None),
            ("ssh://me@-x", None),
            ("ssh://", None),
            ("npipe:////./pipe/docker", None),
        ] {
            assert_eq!(Remote::parse(address), expected, "{address}");
        }
    }
}
