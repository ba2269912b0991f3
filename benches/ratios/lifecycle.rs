//! From a container that is stopped, or not there at all, to the session's first byte.

use std::cell::Cell;
use std::time::Instant;

use serde_json::{Value, json};

use crate::Result;
use crate::engine::Exec;
use crate::project::{Project, Template};
use crate::report::{Row, Target, Unit};
use crate::rounds::{interleave, milliseconds};
use crate::run::{self, Run};
use crate::terminal::Attached;

pub fn measure_start(run: &Run) -> Result<Vec<Row>> {
    let project = Project::create(run, "start")?;
    project.open_detached(run)?;
    let exec = project.attach(run)?.attach_or_create()?;
    run.engine.stop(&project.container)?;
    let enter_and_stop = |started: Instant, mut attached: Attached| -> Result<f64> {
        attached.started = started;
        let elapsed = attached.first_byte()?;
        attached.detach()?;
        run.engine.stop(&project.container)?;
        Ok(milliseconds(elapsed))
    };
    let [floor, wharf, docker] = interleave(
        "start",
        run.rounds(9),
        [
            Box::new(|| {
                let started = Instant::now();
                run.engine.start(&project.container)?;
                enter_and_stop(started, run.engine.attach(&project.container, &exec)?)
            }),
            Box::new(|| {
                let attached = Attached::spawn(run.wharf(["open", &project.text()]))?;
                enter_and_stop(attached.started, attached)
            }),
            Box::new(|| {
                let started = Instant::now();
                run::output(run.docker(["start", &project.container]))?;
                enter_and_stop(started, Attached::spawn(run.docker(exec.for_docker(&project.container)))?)
            }),
        ],
    )?;
    project.remove(run)?;
    let row = Row::new("start", "start of a stopped container to first byte", Unit::Milliseconds, Target::Floor(1.1));
    Ok(vec![row.floor(floor).wharf(wharf).docker(docker)])
}

/// The floor and docker create a container without the files that wharf writes into it (the user's entries, the session's
/// configuration): nothing of what that costs is taken off wharf's account.
pub fn measure_create(run: &Run) -> Result<Vec<Row>> {
    let template = Template::learn(run)?;
    let exec = unconfigured(template.exec.attach_or_create()?);
    let made = Cell::new(0);
    let next = |contestant: &str| {
        made.set(made.get() + 1);
        Project::create(run, &format!("create-{contestant}-{}", made.get()))
    };
    let [floor, wharf, docker] = interleave(
        "create",
        run.rounds(7),
        [
            Box::new(|| {
                let project = next("floor")?;
                let body = template.body(&project)?;
                let volume = json!({ "Name": project.home_volume(), "Labels": body["Labels"] });
                let started = Instant::now();
                run.engine.post("/volumes/create", &volume)?;
                run.engine.post(&format!("/containers/create?name={}", project.container), &body)?;
                run.engine.start(&project.container)?;
                let elapsed = enter(started, run.engine.attach(&project.container, &exec)?)?;
                project.remove(run)?;
                Ok(elapsed)
            }),
            Box::new(|| {
                let project = next("wharf")?;
                let mut attached = Attached::spawn(run.wharf(["open", &project.text()]))?;
                let elapsed = milliseconds(attached.first_byte()?);
                attached.detach()?;
                project.remove(run)?;
                Ok(elapsed)
            }),
            Box::new(|| {
                let project = next("docker")?;
                let words = docker_run(&project, &template.body(&project)?);
                let started = Instant::now();
                run::output(run.docker([
                    "volume",
                    "create",
                    "--label",
                    "wharf=true",
                    "--label",
                    &format!("wharf.project={}", project.text()),
                    &project.home_volume(),
                ]))?;
                run::output(run.docker(words))?;
                let elapsed = enter(started, Attached::spawn(run.docker(exec.for_docker(&project.container)))?)?;
                project.remove(run)?;
                Ok(elapsed)
            }),
        ],
    )?;
    let row = Row::new("create", "nothing → created, started, first byte", Unit::Milliseconds, Target::Floor(1.15));
    Ok(vec![row.floor(floor).wharf(wharf).docker(docker)])
}

/// The client is not told to detach: its container goes.
fn enter(started: Instant, mut attached: Attached) -> Result<f64> {
    attached.started = started;
    Ok(milliseconds(attached.first_byte()?))
}

/// In a container that was made without wharf, there is no configuration for the tmux.
fn unconfigured(mut exec: Exec) -> Exec {
    for word in exec.command.iter_mut().filter(|word| word.ends_with("/tmux.conf")) {
        "/dev/null".clone_into(word);
    }
    exec
}

/// The words that make docker's own client create and start the same container.
fn docker_run(project: &Project, body: &Value) -> Vec<String> {
    let mut words: Vec<String> = ["run", "--detach", "--init", "--no-healthcheck"].map(str::to_owned).into();
    let mut option = |name: &str, value: &str| words.push(format!("--{name}={value}"));
    option("name", &project.container);
    for (name, key) in [("hostname", "Hostname"), ("user", "User"), ("workdir", "WorkingDir"), ("stop-signal", "StopSignal")] {
        option(name, text(&body[key]));
    }
    option("entrypoint", text(&body["Entrypoint"][0]));
    body["Env"].as_array().into_iter().flatten().for_each(|pair| option("env", text(pair)));
    for (name, value) in body["Labels"].as_object().into_iter().flatten() {
        option("label", &format!("{name}={}", text(value)));
    }
    for mount in body["HostConfig"]["Mounts"].as_array().into_iter().flatten() {
        let [kind, source, target] = ["Type", "Source", "Target"].map(|key| text(&mount[key]));
        option("mount", &format!("type={kind},source={source},target={target}"));
    }
    for (path, options) in body["HostConfig"]["Tmpfs"].as_object().into_iter().flatten() {
        option("tmpfs", &format!("{path}:{}", text(options)));
    }
    words.push(text(&body["Image"]).to_owned());
    // The option takes one word.
    let rest = body["Entrypoint"].as_array().into_iter().flatten().skip(1).chain(body["Cmd"].as_array().into_iter().flatten());
    words.extend(rest.map(|word| text(word).to_owned()));
    words
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
