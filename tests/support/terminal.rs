//! A person's terminal, byte for byte: what a program writes to it, and what it sends as keys.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, kill_process};

use super::{Host, World, wait_for, wait_until};

/// What a terminal is asked, and says, as those do that people have. tmux waits longer for what may follow an Esc while one
/// has not answered.
const ANSWERS: [(&[u8], &[u8]); 6] = [
    // It has sixel.
    (b"\x1b[c", b"\x1b[?62;4;22c"),
    (b"\x1b[>c", b"\x1b[>1;1;0c"),
    (b"\x1b[>q", b"\x1bP>|test(1)\x1b\\"),
    (b"\x1b]10;?", b"\x1b]10;rgb:eeee/eeee/eeee\x1b\\"),
    (b"\x1b]11;?", b"\x1b]11;rgb:1111/1111/1111\x1b\\"),
    // It is dark.
    (b"\x1b[?996n", b"\x1b[?997;1n"),
];

/// To the questions that have ended since there were `before` bytes.
fn answers(written: &[u8], before: usize) -> Vec<u8> {
    let ends = before + 1..=written.len();
    ends.filter_map(|end| ANSWERS.iter().find(|(question, _)| written[..end].ends_with(question)))
        .flat_map(|(_, answer)| *answer)
        .copied()
        .collect()
}

pub struct RawTerminal {
    pty: pty_process::blocking::Pty,
    client: std::process::Child,
    written: Arc<Mutex<Vec<u8>>>,
}

impl RawTerminal {
    /// With a client of the host's tmux that shows a session.
    pub fn attach(world: &World, host: &Host, session: &str) -> Self {
        let socket = host.tmux(["display-message", "-p", "#{socket_path}"]);
        let terminal = Self::running(world, &["tmux", "-u", "-S", &socket, "attach-session", "-t", session]);
        // A watcher's client has no terminal.
        wait_until("the client", || host.tmux(["list-clients", "-F", "#{client_tty}"]).lines().any(|tty| !tty.is_empty()));
        terminal
    }

    /// With any program, 100 by 24 cells of 10 by 20 pixels.
    pub fn running(world: &World, words: &[&str]) -> Self {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(pty_process::Size::new_with_pixel(24, 100, 1000, 480)).unwrap();
        let command = pty_process::blocking::Command::new(words[0]).args(&words[1..]);
        let client = command.env_clear().envs(world.environment()).spawn(pts).unwrap();
        let written = Arc::default();
        let mut output = File::from(pty.as_fd().try_clone_to_owned().unwrap());
        let mut input = output.try_clone().unwrap();
        let seen: Arc<Mutex<Vec<u8>>> = Arc::clone(&written);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                let mut seen = seen.lock().unwrap();
                // A question can come in two pieces.
                let before = seen.len();
                seen.extend_from_slice(&buffer[..count]);
                let answers = answers(&seen, before);
                drop(seen);
                let _ = input.write_all(&answers);
            }
        });
        Self { pty, client, written }
    }

    /// Gives the terminal another size, in cells and in pixels.
    pub fn resize(&self, (columns, rows): (u16, u16), (width, height): (u16, u16)) {
        self.pty.resize(pty_process::Size::new_with_pixel(rows, columns, width, height)).unwrap();
    }

    /// How much was written so far: a place to look from.
    pub fn mark(&self) -> usize {
        self.written.lock().unwrap().len()
    }

    pub fn since(&self, mark: usize) -> Vec<u8> {
        self.written.lock().unwrap()[mark..].to_vec()
    }

    /// What a key sends, or several.
    pub fn press(&self, bytes: &[u8]) {
        (&self.pty).write_all(bytes).unwrap();
    }

    /// Types on and on, as fast as it is taken; how many bytes that is so far.
    pub fn paste(&self) -> Arc<AtomicUsize> {
        let mut input = File::from(self.pty.as_fd().try_clone_to_owned().unwrap());
        let taken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&taken);
        std::thread::spawn(move || {
            while let Ok(written @ 1..) = input.write(&[b'x'; 1024]) {
                count.fetch_add(written, Relaxed);
            }
        });
        taken
    }

    #[track_caller]
    pub fn wait_for_text(&self, mark: usize, text: &str) {
        let is_there = || self.since(mark).windows(text.len()).any(|window| window == text.as_bytes());
        wait_until(&format!("the text {text:?}"), is_there);
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.client), signal).unwrap();
    }

    /// Waits for the program's end; its exit code.
    #[track_caller]
    pub fn end(&mut self) -> Option<i32> {
        wait_for("the end of the program", || self.client.try_wait().unwrap()).code()
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}
