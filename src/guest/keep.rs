//! A session's command, with what it showed last kept on the screen until a person has read how it ended.
//!
//! tmux's `remain-on-exit` would do, but for what its 3.3a as of Debian does now and then: libutempter takes the signal away
//! that tells of the pane's end, and the pane neither dies nor lives.

use std::env;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getpgrp, kill_process_group};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

use super::tmux::invocation;
use super::{could_not_run, runtime, stopping};
use crate::model::exit;
use crate::protocol::{EXIT_CODE, ON_FAILURE, RESTART_VARIABLE, STOP_SIGNAL_VARIABLE};

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
/// The end of any sequence that was left half-written; all margins, the usual characters, the visible cursor, plain text
/// that overwrites; no mouse, focus or paste reports. Only the screen is left as it was.
const SANE: &str = "\x18\x1b\\\x1b7\x1b[r\x1b8\x1b(B\x1b)B\x0f\x1b[4l\x1b[?6l\x1b[?7h\x1b[?25h\x1b[0m\
    \x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1004l\x1b[?2004l";

/// A command that ran for less than this has failed at once.
const AT_ONCE: Duration = Duration::from_secs(10);
/// How many failures at once in a row are enough.
const MOST_FAILURES: u32 = 5;
/// How long to wait before it is run again for the first time; each time twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// What a person wants who has read how the command ended.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Close,
    Again,
}

/// Runs a command to its end, and waits for a key, which can run it again. One that is to be run again when it fails is,
/// unless it fails at once each time.
pub fn run(command: &[String]) -> ExitCode {
    let restarts = env::var(RESTART_VARIABLE).is_ok_and(|value| value == ON_FAILURE);
    let modes = tcgetattr(io::stdin());
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let status = match runtime().and_then(|runtime| runtime.block_on(run_to_end(command))) {
            Ok(status) => status,
            Err(error) => return could_not_run(&command[0], &error),
        };
        let code = exit::code_of(status);
        failures = if begun.elapsed() < AT_ONCE { failures + 1 } else { 1 };
        let may_run = restarts && !stopping::has_begun();
        let pause = (may_run && code != 0 && failures < MOST_FAILURES).then(|| FIRST_PAUSE * 2_u32.pow(failures - 1));
        if pause.is_none() {
            note(Some(code));
        }
        tell(&how_it_ended(&command[0], status), pause);
        match wait_for_wish(pause) {
            Ok(Wish::Again) => {}
            Ok(Wish::Close) | Err(_) => {
                note(Some(code));
                return exit::with(code);
            }
        }
        if pause.is_none() {
            failures = 0;
            note(None);
        }
        if let Ok(modes) = &modes {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, modes);
        }
        let _ = write!(io::stdout(), "\r\n").and_then(|()| io::stdout().flush());
    }
}

fn how_it_ended(program: &str, status: ExitStatus) -> String {
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy().replace(char::is_control, "?");
    match status.signal() {
        Some(signal) => format!("{name} was killed by signal {signal}"),
        None => format!("{name} ended with exit code {}", exit::code_of(status)),
    }
}

/// Nobody may be there to read it.
fn tell(how: &str, pause: Option<Duration>) {
    let keys = match pause {
        Some(pause) => format!("runs again in {} s · r now · Enter closes", pause.as_secs()),
        None => "Enter closes · r runs it again".to_owned(),
    };
    let _ = write!(io::stdout(), "{SANE}\r\n\x1b[K\x1b[7m {how} · {keys} \x1b[0m").and_then(|()| io::stdout().flush());
}

/// The keys that mean the command reach this process too, and are not for it.
async fn run_to_end(command: &[String]) -> io::Result<ExitStatus> {
    let _interrupt = signal(SignalKind::interrupt())?;
    let _quit = signal(SignalKind::quit())?;
    let mut stop = signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?;
    let mut child = tokio::process::Command::new(&command[0])
        .args(&command[1..])
        .env_remove(RESTART_VARIABLE)
        .env_remove(STOP_SIGNAL_VARIABLE)
        .spawn()?;
    loop {
        tokio::select! {
            ended = child.wait() => return ended,
            // There is no shell that could continue it; tmux does the same with what it runs itself.
            _ = stop.recv() => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let _ = kill_process_group(getpgrp(), Signal::CONT);
            }
        }
    }
}

/// For `sessions`, on the pane; for the client outside, under the session's name. `None` takes it back.
fn note(code: Option<i32>) {
    let code = code.map(|code| code.to_string());
    let by_name = format!("{EXIT_CODE}-#{{session_name}}");
    let mut words = Vec::new();
    for (set, unset, option) in [("-p", "-pu", EXIT_CODE), ("-s", "-su", &by_name)] {
        words.extend(["set-option", if code.is_some() { set } else { unset }, option]);
        words.extend(code.as_deref());
        words.push(";");
    }
    words.extend(["wait-for", "-S", "wharf-sessions"]);
    let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    if let Ok(tmux) = invocation(&words) {
        let _ = tmux.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// Not any key: people select text there, and may still be typing. Without one, it goes on after a pause, where there is one.
fn wait_for_wish(pause: Option<Duration>) -> io::Result<Wish> {
    let mut modes = tcgetattr(io::stdin())?;
    modes.make_raw();
    tcsetattr(io::stdin(), OptionalActions::Flush, &modes)?;
    let until = pause.map(|pause| Instant::now() + pause);
    let mut keys = [0; 64];
    loop {
        if let Some(until) = until {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap_or_default();
            if poll(&mut [PollFd::new(&io::stdin(), PollFlags::IN)], Some(&left))? == 0 {
                return Ok(Wish::Again);
            }
        }
        let count = rustix::io::read(io::stdin(), &mut keys)?;
        match &keys[..count] {
            [] | [b'\r' | b'\n' | b'q' | CTRL_C | CTRL_D] => return Ok(Wish::Close),
            [b'r'] => return Ok(Wish::Again),
            _ => {}
        }
    }
}
