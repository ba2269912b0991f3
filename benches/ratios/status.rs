//! From an event of the engine to the status line that a person sees.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Result;
use crate::engine::query;
use crate::project::Project;
use crate::report::{Row, Target, Unit};
use crate::rounds::{Samples, interleave, milliseconds};
use crate::run::{self, Run};
use crate::terminal::Attached;

const PATIENCE: Duration = Duration::from_secs(30);

pub fn measure(run: &Run) -> Result<Vec<Row>> {
    run::output(run.tmux(["new-session", "-d", "-x", "80", "-y", "24", "-s", "bench", "tail -f /dev/null"]))?;
    for (option, value) in [("status-interval", "0"), ("status-right", "<#{E:@wharf-status}>")] {
        run::output(run.tmux(["set-option", "-g", option, value]))?;
    }
    let server = run::output(run.tmux(["display-message", "-p", "#{socket_path},#{pid},0"]))?;
    let mut setup = run.wharf(["setup"]);
    setup.env("TMUX", &server);
    run::output(setup)?;
    let mut attach = run.tmux(["attach-session", "-t", "bench"]);
    attach.env("TERM", "xterm-256color");
    let mut somebody = Attached::spawn(attach)?;
    somebody.first_byte()?;
    let project = Project::create(run, "status")?;
    project.open_detached(run)?;
    let mut open = run.wharf(["open", &project.text()]);
    open.env("TMUX", &server);
    run::output(open)?;
    somebody.read_until("●")?;
    somebody.settle()?;

    let events = events(run, &project)?;
    let mut change = |action: &str, shown: &str| -> Result<f64> {
        run.engine.post(&format!("/containers/{}/{action}", project.container), &json!({}))?;
        let happened = events.recv_timeout(PATIENCE)?;
        let shown = somebody.read_until_at(shown)?;
        let elapsed = milliseconds(shown.saturating_duration_since(happened));
        somebody.settle()?;
        Ok(elapsed)
    };
    let [samples] = interleave(
        "status",
        run.rounds(100),
        [Box::new(|| {
            let paused = change("pause", "paused")?;
            change("unpause", "●").map(|resumed| paused.max(resumed))
        })],
    )?;
    run::output(run.tmux(["kill-server"]))?;
    project.remove(run)?;
    let row = |what: &str| Row::new("status", format!("event to status line, {what}"), Unit::Milliseconds, Target::AtMost(50.0));
    let worst = Samples::from(samples.quantile(0.99));
    Ok(vec![row("median").wharf(samples), row("p99").wharf(worst)])
}

/// When events of a project's container arrive at a client of the engine that does nothing else.
fn events(run: &Run, project: &Project) -> Result<Receiver<Instant>> {
    let filters = query(&json!({ "container": [project.container], "event": ["pause", "unpause"] }));
    let mut stream = UnixStream::connect(&run.engine.socket)?;
    // HTTP/1.0, so that nothing comes but the events.
    write!(stream, "GET /events?filters={filters} HTTP/1.0\r\nHost: docker\r\n\r\n")?;
    let mut lines = BufReader::new(stream).lines();
    // The head, which comes once the engine tells of events.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in lines.map_while(std::io::Result::ok) {
            if line.starts_with('{') && sender.send(Instant::now()).is_err() {
                break;
            }
        }
    });
    Ok(receiver)
}
