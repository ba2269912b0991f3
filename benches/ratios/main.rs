//! How far wharf is from what its machine allows: every request is measured beside the same request over a raw socket,
//! and beside docker's own client, in turn. Ratios within one run mean something on any machine; milliseconds do not.
//!
//! Real engine, real tmux. `scripts/bench` builds what is needed and runs this.

mod attach;
mod client;
mod engine;
mod exec;
mod lifecycle;
mod list;
mod pick;
mod project;
mod report;
mod rounds;
mod run;
mod silent;
mod size;
mod status;
mod switch;
mod terminal;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use report::{Report, Row};
use run::Run;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Measures wharf against the floor: the same requests over a raw socket.
#[derive(Debug, Parser)]
#[command(name = "scripts/bench")]
struct Options {
    /// Measure only what has this in its name
    filter: Option<String>,
    /// More rounds, and 200 containers to list
    #[arg(long)]
    full: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The program to measure
    #[arg(long, value_name = "PATH", default_value = env!("CARGO_BIN_EXE_wharf"), hide = true)]
    wharf: PathBuf,
    /// What cargo passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is measured, each by its name and in the order of the table. One can give several rows.
const MEASUREMENTS: [(&str, Measurement); 13] = [
    ("attach", attach::measure),
    ("exec", exec::measure),
    ("memory", client::measure_memory),
    ("cpu", client::measure_cpu),
    ("start", lifecycle::measure_start),
    ("create", lifecycle::measure_create),
    ("switch", switch::measure),
    ("status", status::measure),
    ("list", list::measure),
    ("sessions", list::measure_running),
    ("pick", pick::measure),
    ("silent", silent::measure),
    ("size", size::measure),
];

type Measurement = fn(&Run) -> Result<Vec<Row>>;

fn main() -> ExitCode {
    let options = Options::parse();
    match measure(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all that was asked for could be measured. What came out is another matter: a slow machine is not a failure.
fn measure(options: &Options) -> Result<bool> {
    let is_wanted = |name: &str| options.filter.as_deref().is_none_or(|filter| name.contains(filter));
    let wanted: Vec<_> = MEASUREMENTS.into_iter().filter(|(name, _)| is_wanted(name)).collect();
    if wanted.is_empty() {
        return Err(format!("there is nothing to measure called `{}`", options.filter.as_deref().unwrap_or_default()).into());
    }
    let run = Run::start(options.wharf.canonicalize()?, options.full)?;
    let mut report = Report::new(&run)?;
    let mut all_ran = true;
    for (name, measurement) in wanted {
        match measurement(&run) {
            Ok(rows) => report.rows.extend(rows),
            Err(error) => {
                rounds::clear_progress();
                eprintln!("error: could not measure {name}: {error}");
                all_ran = false;
            }
        }
    }
    rounds::clear_progress();
    // Before the report, so that whoever has read it knows that nothing is left behind.
    drop(run);
    report.print(options.json)?;
    Ok(all_ran)
}
