//! What an attached client costs while it is attached: memory, and work for what it shows.

use std::cell::{Cell, RefCell};
use std::fs;
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::engine::Exec;
use crate::project::Project;
use crate::report::{Row, Target, Unit};
use crate::rounds::{Samples, interleave};
use crate::run::Run;
use crate::terminal::Attached;

/// How long after it was attached a client is weighed.
const LATER: Duration = Duration::from_secs(3);

pub fn measure_memory(run: &Run) -> Result<Vec<Row>> {
    let clients = Clients::of(run, "memory")?;
    let mut rows = Vec::new();
    for (name, field, target) in [
        // What it has for itself. The pages of its program are the file's, shared by all clients and free to go.
        ("memory", "Pss_Anon", Target::AtMost(1.0)),
        ("memory-rss", "Rss", Target::None),
    ] {
        let weigh = |mut attached: Attached| -> Result<f64> {
            attached.settle()?;
            // What a client keeps for days: it has come to rest by then.
            thread::sleep(LATER);
            let megabytes = memory(attached.client()?, field)?;
            attached.detach()?;
            Ok(megabytes)
        };
        let [by_relay, by_exec, docker] = clients.compare(name, run.rounds(3), &weigh)?;
        let row = |way, target| Row::new(name, format!("attached client: {field}, {way}"), Unit::Megabytes, target);
        rows.push(row("by the relay", target).wharf(by_relay).docker(docker.clone()));
        rows.push(row("by exec", target).wharf(by_exec).docker(docker));
    }
    rows.push(clients.weigh_relay()?);
    clients.project.remove(run)?;
    Ok(rows)
}

/// A session that prints as fast as it can, and one that prints a line now and then. The tmux in the container draws what
/// a screen can show, so of a flood only a few percent reach any client, in many small pieces; how many depends on how
/// fast the client takes them. The slow lines are the same work for all.
pub fn measure_cpu(run: &Run) -> Result<Vec<Row>> {
    let clients = Clients::of(run, "cpu")?;
    let megabytes = if run.full { 100 } else { 25 };
    let flood = format!("head -c {megabytes}M /dev/zero | tr '\\0' x | fold -w 79; echo");
    let lines = "seq 1000 | while read -r n; do echo \"line $n of a program that works\"; sleep 0.001; done".to_owned();
    let shown = RefCell::new(Vec::new());
    let marks = Cell::new(0);
    let print = |command: &str, mut attached: Attached| -> Result<f64> {
        attached.settle()?;
        marks.set(marks.get() + 1);
        let before = processor_time(attached.client()?)?;
        // The quotes tell the line as it is typed from the line that is printed.
        attached.send(format!("clear; {command}; echo the'' end {}.\n", marks.get()).as_bytes())?;
        let count = attached.read_until(&format!("the end {}.", marks.get()))?;
        let after = processor_time(attached.client()?)?;
        shown.borrow_mut().push(count);
        attached.detach()?;
        Ok(after - before)
    };
    let flooded =
        clients.compare("cpu", run.rounds(3), &|attached| Ok(print(&flood, attached)? * 100.0 / f64::from(megabytes)))?;
    let shown = shown.take();
    let [relay_lines, exec_lines, docker_lines] =
        clients.compare("cpu-lines", run.rounds(3), &|attached| print(&lines, attached))?;
    clients.project.remove(run)?;

    let least = shown.iter().min().unwrap_or(&0) / 1000;
    let most = shown.iter().max().unwrap_or(&0) / 1000;
    let note =
        format!("cpu: of {megabytes} MB printed, {least} to {most} kB reached the clients; the tmux inside shows a screen");
    let cpu = |way| {
        let what = format!("attached client: CPU per 100 MB that a session prints, {way}");
        Row::new("cpu", what, Unit::Milliseconds, Target::Docker(0.6))
    };
    let slow = |way| {
        let what = format!("attached client: CPU per 1000 lines, one by one, {way}");
        Row::new("cpu-lines", what, Unit::Milliseconds, Target::None)
    };
    let [relay_flood, exec_flood, docker_flood] = flooded;
    Ok(vec![
        cpu("by the relay").wharf(relay_flood).docker(docker_flood.clone()).note(note),
        cpu("by exec").wharf(exec_flood).docker(docker_flood),
        slow("by the relay").wharf(relay_lines).docker(docker_lines.clone()),
        slow("by exec").wharf(exec_lines).docker(docker_lines),
    ])
}

/// wharf by both ways and docker, each on a terminal of its own.
struct Clients<'a> {
    run: &'a Run,
    project: Project,
    exec: Exec,
}

impl<'a> Clients<'a> {
    fn of(run: &'a Run, name: &str) -> Result<Self> {
        let project = Project::create(run, name)?;
        project.open_detached(run)?;
        let exec = project.attach(run)?;
        Ok(Self { run, project, exec })
    }

    fn compare(&self, name: &str, rounds: usize, observe: &dyn Fn(Attached) -> Result<f64>) -> Result<[Samples; 3]> {
        let attach = |command| -> Result<f64> {
            let mut attached = Attached::spawn(command)?;
            attached.first_byte()?;
            observe(attached)
        };
        let container = &self.project.container;
        interleave(
            name,
            rounds,
            [
                Box::new(|| attach(self.run.wharf(["attach", container]))),
                Box::new(|| attach(self.run.wharf_by_exec(["attach", container]))),
                Box::new(|| attach(self.run.docker(self.exec.for_docker(container)))),
            ],
        )
    }

    /// The container's relay, while ten clients are attached by it.
    fn weigh_relay(&self) -> Result<Row> {
        let container = &self.project.container;
        let mut attached = Vec::new();
        for _ in 0..10 {
            let mut client = Attached::spawn(self.run.wharf(["attach", container]))?;
            client.first_byte()?;
            client.settle()?;
            attached.push(client);
        }
        let top = self.run.engine.get(&format!("/containers/{container}/top?ps_args=-eo%20pid,args"))?;
        let mut programs = top["Processes"].as_array().into_iter().flatten();
        let relay = programs.find(|program| program[1].as_str().is_some_and(|words| words.contains("relay --serve")));
        let relay = relay.and_then(|relay| relay[0].as_str()?.parse().ok()).ok_or("there is no relay in the container")?;
        let megabytes = memory(relay, "Rss")?;
        for client in attached {
            client.detach()?;
        }
        let what = "the relay of a container with ten attached clients: Rss";
        Ok(Row::new("memory-relay", what, Unit::Megabytes, Target::AtMost(4.0)).wharf(Samples::from(megabytes)))
    }
}

/// In megabytes, of 10⁶ bytes.
fn memory(process: u32, field: &str) -> Result<f64> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let mut fields = rollup.lines().filter_map(|line| line.split_once(':'));
    let kilobytes = fields.find(|(name, _)| *name == field).and_then(|(_, value)| value.trim().strip_suffix(" kB"));
    let kilobytes: f64 = kilobytes.ok_or_else(|| format!("the kernel says no {field} of a process"))?.parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

/// User and system time of all threads, in milliseconds. `/proc/PID/stat` says the same in units of 10 ms.
fn processor_time(process: u32) -> Result<f64> {
    let mut nanoseconds = 0.0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let text = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().unwrap_or_default().parse::<f64>()?;
    }
    Ok(nanoseconds / 1e6)
}
