//! Attach to a running container, to the first byte, by both ways in.

use crate::Result;
use crate::project::Project;
use crate::report::{Row, Target, Unit};
use crate::rounds::{interleave, milliseconds};
use crate::run::Run;
use crate::terminal::Attached;

pub fn measure(run: &Run) -> Result<Vec<Row>> {
    let project = Project::create(run, "attach")?;
    project.open_detached(run)?;
    let exec = project.attach(run)?;
    let list_clients = exec.saying(&["list-clients"])?;
    let nobody_is_left = || match run.engine.output(&project.container, &list_clients.command)?.as_str() {
        "" => Result::Ok(()),
        left => Err(format!("a client that has detached is still there: {left}").into()),
    };
    let enter_and_leave = |mut attached: Attached| -> Result<f64> {
        let elapsed = attached.first_byte()?;
        attached.detach()?;
        nobody_is_left()?;
        Ok(milliseconds(elapsed))
    };
    let [floor, by_exec, by_relay, docker] = interleave(
        "attach",
        // What the engine takes differs by a tenth from one to the next.
        run.rounds(50),
        [
            Box::new(|| enter_and_leave(run.engine.attach(&project.container, &exec)?)),
            Box::new(|| enter_and_leave(Attached::spawn(run.wharf_by_exec(["attach", &project.text()]))?)),
            Box::new(|| enter_and_leave(Attached::spawn(run.wharf(["attach", &project.text()]))?)),
            Box::new(|| enter_and_leave(Attached::spawn(run.docker(exec.for_docker(&project.container)))?)),
        ],
    )?;
    project.remove(run)?;
    let row = |name, what: &str, target| {
        Row::new(name, format!("attach to a running container, first byte, {what}"), Unit::Milliseconds, target)
    };
    Ok(vec![
        row("attach", "by exec", Target::Floor(1.05)).floor(floor).wharf(by_exec).docker(docker.clone()),
        row("attach-relay", "by the relay", Target::Docker(0.25)).wharf(by_relay.clone()).docker(docker),
        row("attach-relay-ms", "by the relay", Target::AtMost(12.0)).wharf(by_relay),
    ])
}
