//! The relay of a container, as who has the shared directory sees it; and listeners in its place that tell lies, as any
//! program in the container could.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

use super::program::{output_within, spawn};
use super::world::{Outcome, Run, World};
use super::{Docker, wait_for};

/// No engine is there, so what works has no need of one.
pub const NO_ENGINE: &str = "unix:///nonexistent/docker.sock";

/// What the host's side begins with, and a relay of this version too.
pub const HELLO: &[u8] = b"H\0\0\0\x09wharf\0\x01{}";

/// A frame of the protocol (`src/protocol/`), by its kind.
pub fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    [&[kind][..], &length.to_be_bytes(), payload].concat()
}

/// The host's side of a container's shared directory.
pub fn shared(world: &World, container: &str) -> PathBuf {
    world.root().join("state/wharf/containers").join(container)
}

pub fn connect(shared: &Path) -> UnixStream {
    let stream = UnixStream::connect(shared.join("relay.sock")).unwrap();
    stream.set_read_timeout(Some(super::DEADLINE)).unwrap();
    stream
}

/// The numbers of a container's processes whose words, each followed by a space, contain this. busybox has no `pgrep`.
#[track_caller]
pub fn processes(container: &str, words: &str) -> Vec<String> {
    let script = r#"for p in /proc/[0-9]*; do echo "${p#/proc/} $(tr '\0' ' ' <$p/cmdline)"; done 2>/dev/null"#;
    let listed = Docker::shell(container, script);
    let found = listed.lines().filter(|line| line.contains(words) && !line.contains("[0-9]"));
    found.filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect()
}

/// The relay's number in the container.
#[track_caller]
pub fn relay(container: &str) -> String {
    wait_for("one relay", || <[String; 1]>::try_from(processes(container, "wharf relay --serve ")).ok().map(|[pid]| pid))
}

/// The relay's memory in KiB, by its name in `/proc/PID/status`.
#[track_caller]
pub fn memory(container: &str, name: &str) -> u64 {
    let status = Docker::shell(container, &format!("cat /proc/{}/status", relay(container)));
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Lets this process have as many open files as it may.
pub fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum.map(|most| most.min(65_536));
    setrlimit(Resource::Nofile, limit).unwrap();
}

/// A listener that stands where a container's relay should.
pub struct Liar {
    /// How many have connected.
    pub visitors: Arc<AtomicUsize>,
}

impl Liar {
    /// `talk` speaks with each that connects, on a thread of its own.
    pub fn at(path: &Path, world: &World, talk: impl Fn(UnixStream) + Send + Sync + 'static) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let short = world.root().join(format!("liar-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let listener = UnixListener::bind(&short).unwrap();
        fs::rename(short, path).unwrap();
        let visitors = Arc::new(AtomicUsize::new(0));
        let (talk, count) = (Arc::new(talk), Arc::clone(&visitors));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
                let talk = Arc::clone(&talk);
                thread::spawn(move || talk(stream));
            }
        });
        Self { visitors }
    }

    /// One that greets as it should, and answers every request with `answer` until the other side has gone.
    pub fn greets(shared: &Path, world: &World, answer: impl Fn(&mut UnixStream) + Send + Sync + 'static) -> Self {
        Self::at(&shared.join("relay.sock"), world, move |mut stream| {
            if stream.write_all(HELLO).is_err() || !skip_frame(&mut stream, b'H') {
                return;
            }
            if skip_frame(&mut stream, b'R') {
                answer(&mut stream);
            }
        })
    }

    pub fn visitors(&self) -> usize {
        self.visitors.load(Ordering::Relaxed)
    }
}

/// Reads up to the next frame of this kind; false where the other side has gone.
fn skip_frame(stream: &mut UnixStream, kind: u8) -> bool {
    loop {
        let mut header = [0; 5];
        if stream.read_exact(&mut header).is_err() {
            return false;
        }
        let [found, length @ ..] = header;
        let mut payload = vec![0; u32::from_be_bytes(length) as usize];
        if stream.read_exact(&mut payload).is_err() {
            return false;
        }
        if found == kind {
            return true;
        }
    }
}

/// Runs wharf and sees how it ended; one that hangs is killed, and fails the test.
#[track_caller]
pub fn ends(run: Run) -> Outcome {
    let mut command = run.into_command();
    let output = output_within(super::PATIENCE, spawn(&mut command));
    assert!(output.status.signal().is_none(), "{command:?} hangs");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// How it ended, and after how long.
#[track_caller]
pub fn timed(run: Run) -> (Outcome, Duration) {
    let started = Instant::now();
    let outcome = ends(run);
    (outcome, started.elapsed())
}
