//! Run a program that does nothing, to its end.

use std::process::Command;
use std::time::Instant;

use crate::Result;
use crate::project::Project;
use crate::report::{Row, Target, Unit};
use crate::rounds::{interleave, milliseconds};
use crate::run::Run;

pub fn measure(run: &Run) -> Result<Vec<Row>> {
    let project = Project::create(run, "exec")?;
    project.open_detached(run)?;
    let container = &project.container;
    let to_its_end = |mut command: Command| -> Result<f64> {
        let started = Instant::now();
        let output = command.output()?;
        let elapsed = milliseconds(started.elapsed());
        if output.status.success() { Ok(elapsed) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
    };
    let [floor, by_exec, by_relay, docker] = interleave(
        "exec",
        run.rounds(25),
        [
            Box::new(|| {
                let started = Instant::now();
                run.engine.output(container, &["true".to_owned()])?;
                Ok(milliseconds(started.elapsed()))
            }),
            Box::new(|| to_its_end(run.wharf_by_exec(["exec", container, "--", "true"]))),
            Box::new(|| to_its_end(run.wharf(["exec", container, "--", "true"]))),
            Box::new(|| to_its_end(run.docker(["exec", container, "true"]))),
        ],
    )?;
    project.remove(run)?;
    let row = |name, what, target| Row::new(name, format!("exec -- true, {what}"), Unit::Milliseconds, target);
    Ok(vec![
        row("exec", "by exec", Target::None).floor(floor.clone()).wharf(by_exec).docker(docker.clone()),
        row("exec-relay", "by the relay", Target::Docker(0.2)).floor(floor).wharf(by_relay).docker(docker),
    ])
}
