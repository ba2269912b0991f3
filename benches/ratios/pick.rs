//! The picker, on an engine that takes connections and says nothing: the first look at it, and a key.

use std::fmt::Write;
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::Result;
use crate::report::{Row, Target, Unit};
use crate::rounds::{interleave, milliseconds};
use crate::run::{self, Run};
use crate::terminal::Attached;

pub fn measure(run: &Run) -> Result<Vec<Row>> {
    run::output(run.tmux(["new-session", "-d", "-x", "80", "-y", "24", "-s", "bench", "tail -f /dev/null"]))?;
    let server = run::output(run.tmux(["display-message", "-p", "#{socket_path},#{pid},0"]))?;
    let socket = run.dir.join("silent.sock");
    let _silent = UnixListener::bind(&socket)?;
    let command = |state: &PathBuf, verb: &str| {
        // The picker is on the terminal that controls it.
        let mut command = run.command("setsid");
        command.arg("--ctty").arg(run.wharf([verb]).get_program()).arg(verb);
        command.env("XDG_STATE_HOME", state).env("TMUX", &server).env("DOCKER_HOST", format!("unix://{}", socket.display()));
        command
    };
    let rows = vec![measure_first_look(run, &command)?, measure_key(run, &command)?];
    run::output(run.tmux(["kill-server"]))?;
    Ok(rows)
}

fn measure_first_look(run: &Run, command: &dyn Fn(&PathBuf, &str) -> Command) -> Result<Row> {
    let count = 1000;
    let state = used(run, count)?;
    let until = |verb: &str, text: &str| -> Result<f64> {
        let mut shown = Attached::spawn(command(&state, verb))?;
        shown.read_until(text)?;
        Ok(milliseconds(shown.started.elapsed()))
    };
    let all = format!("{count}/{count}");
    let [floor, wharf] =
        interleave("pick", run.rounds(25), [Box::new(|| until("--version", "wharf ")), Box::new(|| until("pick", &all))])?;
    let what = format!("pick, {count} projects, the engine silent; --version");
    Ok(Row::new("pick", what, Unit::Milliseconds, Target::AtMost(30.0)).floor(floor).wharf(wharf))
}

fn measure_key(run: &Run, command: &dyn Fn(&PathBuf, &str) -> Command) -> Result<Row> {
    let count = 10_000;
    let state = used(run, count)?;
    let mut picker = Attached::spawn(command(&state, "pick"))?;
    picker.read_until(&format!("{count}/{count}"))?;
    let key = || -> Result<f64> {
        picker.settle()?;
        // It is in every path.
        let pressed = Instant::now();
        picker.send(b"p")?;
        picker.any()?;
        let elapsed = milliseconds(pressed.elapsed());
        picker.settle()?;
        // C-u
        picker.send(b"\x15")?;
        picker.any()?;
        Ok(elapsed)
    };
    let [wharf] = interleave("pick", run.rounds(25), [Box::new(key)])?;
    let what = format!("pick, a key with {count} projects, the engine silent");
    Ok(Row::new("pick-key", what, Unit::Milliseconds, Target::AtMost(10.0)).wharf(wharf))
}

/// A state directory of somebody who has used so many projects.
fn used(run: &Run, count: usize) -> Result<PathBuf> {
    let (state, projects) = (run.dir.join(format!("state-{count}")), run.dir.join(format!("projects-{count}")));
    fs::create_dir_all(state.join("wharf"))?;
    let mut lines = String::new();
    for index in 0..count {
        let project = projects.join(format!("group-{}/project-{index}", index % 20));
        fs::create_dir_all(&project)?;
        writeln!(lines, "{{\"at\":{},\"project\":\"{}\"}}", 1_700_000_000 + index, project.display())?;
    }
    fs::write(state.join("wharf/history"), lines)?;
    Ok(state)
}
