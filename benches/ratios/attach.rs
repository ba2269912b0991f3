//! Attach to a running container, to the first byte.

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
    let [floor, wharf, docker] = interleave(
        "attach",
        run.rounds(25),
        [
            Box::new(|| enter_and_leave(run.engine.attach(&project.container, &exec)?)),
            Box::new(|| enter_and_leave(Attached::spawn(run.wharf(["attach", &project.container]))?)),
            Box::new(|| enter_and_leave(Attached::spawn(run.docker(exec.for_docker(&project.container)))?)),
        ],
    )?;
    project.remove(run)?;
    let row = Row::new("attach", "attach to a running container, first byte, by exec", Unit::Milliseconds, Target::Floor(1.05));
    Ok(vec![row.floor(floor).wharf(wharf).docker(docker)])
}
