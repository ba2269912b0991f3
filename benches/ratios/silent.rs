//! How long a person waits for the error where no engine is, and where one accepts connections and says nothing.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Instant;

use crate::Result;
use crate::report::{Row, Target, Unit};
use crate::rounds::{Samples, interleave, milliseconds};
use crate::run::Run;

pub fn measure(run: &Run) -> Result<Vec<Row>> {
    let silent = run.dir.join("says-nothing.sock");
    let listener = UnixListener::bind(&silent)?;
    let nobody = run.dir.join("nobody.sock");
    let until_the_error = |socket: &Path, error: &str| -> Result<f64> {
        let mut list = run.wharf(["list"]);
        list.env("DOCKER_HOST", format!("unix://{}", socket.display()));
        let started = Instant::now();
        let output = list.output()?;
        let elapsed = milliseconds(started.elapsed());
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains(error) { Ok(elapsed) } else { Err(format!("wharf said: {said}").into()) }
    };
    let [of_nobody, of_silence] = interleave(
        "silent",
        run.rounds(5),
        [
            Box::new(|| until_the_error(&nobody, "no container engine at")),
            Box::new(|| until_the_error(&silent, "did not answer within")),
        ],
    )?;
    drop(listener);
    // The worst of them: it is a promise.
    let row = |what: &str, samples: &Samples| {
        let what = format!("until the error, {what}, worst");
        Row::new("silent", what, Unit::Milliseconds, Target::AtMost(2000.0)).wharf(Samples::from(samples.quantile(1.0)))
    };
    Ok(vec![row("no engine", &of_nobody), row("an engine that says nothing", &of_silence)])
}
