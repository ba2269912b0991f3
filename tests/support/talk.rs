//! A wharf that runs, with pipes for its standard streams: it is written to, read from and signalled while it does.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};

use super::world::Run;
use super::{wait_for, wait_until};

pub struct Talk {
    child: Child,
    stdin: Option<ChildStdin>,
    fed: Arc<AtomicUsize>,
    stdout: Stream,
    stderr: Stream,
    unread: Option<ChildStdout>,
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

type Stream = (Arc<Mutex<Vec<u8>>>, Option<JoinHandle<()>>);

impl Talk {
    pub fn start(run: Run) -> Self {
        let mut talk = Self::start_unread(run);
        talk.read_on();
        talk
    }

    /// Nobody reads its standard output, until [`Talk::read_on`].
    pub fn start_unread(run: Run) -> Self {
        let mut command = run.into_command();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdin, unread) = (child.stdin.take(), child.stdout.take());
        let stderr = collect(child.stderr.take().unwrap());
        Self { child, stdin, fed: Arc::default(), stdout: Stream::default(), stderr, unread }
    }

    pub fn read_on(&mut self) {
        self.stdout = collect(self.unread.take().unwrap());
    }

    /// As when the program that reads has ended.
    pub fn close_stdout(&mut self) {
        self.unread = None;
    }

    /// Writes to standard input, which stays open.
    pub fn say(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Writes all of this to standard input and closes it, as fast as it is taken.
    pub fn feed(&mut self, bytes: Vec<u8>) {
        let mut stdin = self.stdin.take().unwrap();
        let fed = Arc::clone(&self.fed);
        thread::spawn(move || {
            for piece in bytes.chunks(4096) {
                // Whoever ends without reading it all does no wrong.
                if stdin.write_all(piece).is_err() {
                    return;
                }
                fed.fetch_add(piece.len(), Relaxed);
            }
        });
    }

    /// How much was taken of what it is fed.
    pub fn fed(&self) -> usize {
        self.fed.load(Relaxed)
    }

    /// What it has printed so far.
    pub fn stdout(&self) -> Vec<u8> {
        self.stdout.0.lock().unwrap().clone()
    }

    #[track_caller]
    pub fn wait_for_output(&self, text: &str) {
        wait_until(&format!("the output {text:?}"), || {
            let stdout = self.stdout.0.lock().unwrap();
            stdout.windows(text.len()).any(|window| window == text.as_bytes())
        });
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let status = wait_for("the end of wharf", || self.child.try_wait().unwrap());
        assert_eq!(status.signal(), None);
        for stream in [&mut self.stdout, &mut self.stderr] {
            if let Some(reader) = stream.1.take() {
                reader.join().unwrap();
            }
        }
        let stderr = String::from_utf8(std::mem::take(&mut self.stderr.0.lock().unwrap())).unwrap();
        let stdout = std::mem::take(&mut *self.stdout.0.lock().unwrap());
        Ended { code: status.code(), stdout, stderr }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(mut from: impl Read + Send + 'static) -> Stream {
    let into: Arc<Mutex<Vec<u8>>> = Arc::default();
    let reader = {
        let into = Arc::clone(&into);
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                into.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        })
    };
    (into, Some(reader))
}
