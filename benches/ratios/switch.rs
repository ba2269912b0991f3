//! Switch to a window that is open. The engine is out of reach meanwhile: a request to it would fail.

use std::cell::Cell;
use std::process::Command;
use std::time::Instant;

use crate::Result;
use crate::project::Project;
use crate::report::{Row, Target, Unit};
use crate::rounds::{interleave, milliseconds};
use crate::run::{self, Run};
use crate::terminal::Attached;

pub fn measure(run: &Run) -> Result<Vec<Row>> {
    run::output(run.tmux(["new-session", "-d", "-x", "80", "-y", "24", "-s", "bench", "tail -f /dev/null"]))?;
    let server = run::output(run.tmux(["display-message", "-p", "#{socket_path},#{pid},0"]))?;
    let pane = run::output(run.tmux(["display-message", "-p", "#{pane_id}"]))?;
    let mut attach = run.tmux(["attach-session", "-t", "bench"]);
    attach.env("TERM", "xterm-256color");
    let mut somebody = Attached::spawn(attach)?;
    somebody.first_byte()?;

    let open = |project: &Project| {
        let mut command = run.wharf(["open", &project.text()]);
        command.env("TMUX", &server).env("TMUX_PANE", &pane);
        command
    };
    let projects = [Project::create(run, "switch-a")?, Project::create(run, "switch-b")?];
    let mut windows = Vec::new();
    for project in &projects {
        project.open_detached(run)?;
        run::output(open(project))?;
        windows.push(active_window(run)?);
    }
    // Away from the window at hand, and back by the next turn.
    let at = Cell::new(1);
    let switch = |command: &dyn Fn(usize) -> Command| -> Result<f64> {
        let to = 1 - at.get();
        let mut command = command(to);
        let started = Instant::now();
        let status = command.status()?;
        let elapsed = milliseconds(started.elapsed());
        at.set(to);
        if !status.success() || active_window(run)? != windows[to] {
            return Err(format!("`{}` did not switch", command.get_program().display()).into());
        }
        Ok(elapsed)
    };
    let [floor, wharf] = interleave(
        "switch",
        run.rounds(50),
        [
            Box::new(|| switch(&|to| run.tmux(["select-window", "-t", &windows[to]]))),
            Box::new(|| {
                switch(&|to| {
                    let mut command = open(&projects[to]);
                    command.env("DOCKER_HOST", "unix:///nonexistent");
                    command
                })
            }),
        ],
    )?;
    run::output(run.tmux(["kill-server"]))?;
    for project in projects {
        project.remove(run)?;
    }
    let row = Row::new("switch", "switch to an open window, the engine out of reach", Unit::Milliseconds, Target::Floor(2.0));
    Ok(vec![row.floor(floor).wharf(wharf)])
}

fn active_window(run: &Run) -> Result<String> {
    run::output(run.tmux(["display-message", "-p", "-t", "bench:", "#{window_id}"]))
}
