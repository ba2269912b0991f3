//! List all containers.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Result;
use crate::engine::query;
use crate::project::{Project, Template};
use crate::report::{Row, Target, Unit};
use crate::rounds::{interleave, milliseconds};
use crate::run::Run;

/// How long to wait, in all, for moments when no container runs.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn measure(run: &Run) -> Result<Vec<Row>> {
    let count = if run.full { 200 } else { 20 };
    let template = Template::learn(run)?;
    let mut projects = Vec::new();
    for index in 0..count {
        let project = Project::create(run, &format!("list-{index}"))?;
        run.engine.post(&format!("/containers/create?name={}", project.container), &template.body(&project)?)?;
        projects.push(project);
    }
    let path = format!("/containers/json?all=1&filters={}", query(&json!({ "label": ["wharf=true"] })));
    let running = || -> Result<usize> {
        let containers = run.engine.get(&path)?;
        Ok(containers.as_array().into_iter().flatten().filter(|container| container["State"] == "running").count())
    };
    // Containers that run are asked for their sessions, which no floor is. None of this run's does, but others' may.
    let give_up = Instant::now() + PATIENCE;
    let disturbed = Cell::new(0);
    let list = || -> Result<f64> {
        loop {
            let before = running()?;
            let mut command = run.wharf(["list", "--json"]);
            let started = Instant::now();
            let output = command.output()?;
            let elapsed = milliseconds(started.elapsed());
            let listed: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout)?;
            if !output.status.success() || listed.len() < count {
                return Err(format!("wharf listed {} of {count} containers", listed.len()).into());
            }
            if before == 0 && running()? == 0 {
                return Ok(elapsed);
            }
            if Instant::now() > give_up {
                disturbed.set(disturbed.get() + 1);
                return Ok(elapsed);
            }
            thread::sleep(Duration::from_millis(100));
        }
    };
    let [floor, wharf, docker] = interleave(
        "list",
        run.rounds(25),
        [
            Box::new(|| {
                let started = Instant::now();
                let response = run.engine.request("GET", &path, None)?;
                let elapsed = milliseconds(started.elapsed());
                if response.status == 200 { Ok(elapsed) } else { Err("the engine does not list containers".into()) }
            }),
            Box::new(list),
            Box::new(|| {
                let mut command = run.docker(["ps", "--all", "--filter", "label=wharf=true"]);
                let started = Instant::now();
                command.output()?;
                Ok(milliseconds(started.elapsed()))
            }),
        ],
    )?;
    for project in projects {
        project.remove(run)?;
    }
    let what = format!("list --json, {count} containers");
    // Of few containers, the start of a process outweighs all the rest.
    let target = if run.full { Target::Floor(1.15) } else { Target::None };
    let mut row = Row::new("list", what, Unit::Milliseconds, target).floor(floor).wharf(wharf).docker(docker);
    if disturbed.get() > 0 {
        let note = "list: other containers ran in {} rounds, which wharf asks for their sessions";
        row = row.note(note.replace("{}", &disturbed.get().to_string()));
    }
    Ok(vec![row])
}

/// Containers that run, each with a session that the list shows: their relays say it, and the engine runs nothing.
pub fn measure_running(run: &Run) -> Result<Vec<Row>> {
    let count = if run.full { 50 } else { 10 };
    let mut projects = Vec::new();
    for index in 0..count {
        let project = Project::create(run, &format!("sessions-{index}"))?;
        project.open_detached(run)?;
        projects.push(project);
    }
    let path = format!("/containers/json?all=1&filters={}", query(&json!({ "label": ["wharf=true"] })));
    let list = || -> Result<f64> {
        let mut command = run.wharf(["list", "--json"]);
        let started = Instant::now();
        let output = command.output()?;
        let elapsed = milliseconds(started.elapsed());
        let listed: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout)?;
        for project in &projects {
            let row = listed.iter().find(|row| row["container"] == project.container.as_str());
            if row.is_none_or(|row| row["sessions"] != json!(["main"])) {
                return Err(format!("wharf does not list the session of {}", project.container).into());
            }
        }
        Ok(elapsed)
    };
    let [floor, wharf, docker] = interleave(
        "sessions",
        run.rounds(25),
        [
            Box::new(|| {
                let started = Instant::now();
                run.engine.request("GET", &path, None)?;
                Ok(milliseconds(started.elapsed()))
            }),
            Box::new(list),
            Box::new(|| {
                let mut command = run.docker(["ps", "--all", "--filter", "label=wharf=true"]);
                let started = Instant::now();
                command.output()?;
                Ok(milliseconds(started.elapsed()))
            }),
        ],
    )?;
    for project in &projects {
        let inspected = run.engine.get(&format!("/containers/{}/json", project.container))?;
        if !inspected["ExecIDs"].is_null() {
            return Err(format!("the engine ran something in {}", project.container).into());
        }
        project.remove(run)?;
    }
    let what = format!("list --json with its sessions, {count} containers that run");
    Ok(vec![Row::new("sessions", what, Unit::Milliseconds, Target::None).floor(floor).wharf(wharf).docker(docker)])
}
