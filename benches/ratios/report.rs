//! The table, and the same as JSON.

use std::io::Write;
use std::thread::available_parallelism;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style as TableStyle};

use crate::Result;
use crate::rounds::Samples;
use crate::run::{self, Run};

#[derive(Debug, Clone, Copy)]
pub enum Unit {
    Milliseconds,
    Megabytes,
}

/// What wharf has to stay below.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// So many times the floor.
    Floor(f64),
    /// So many times docker's own client.
    Docker(f64),
    /// In the row's unit.
    AtMost(f64),
    /// Shown to be seen.
    None,
}

#[derive(Debug)]
pub struct Row {
    name: &'static str,
    what: String,
    unit: Unit,
    target: Target,
    floor: Option<Samples>,
    wharf: Option<Samples>,
    docker: Option<Samples>,
    note: Option<String>,
}

impl Row {
    pub fn new(name: &'static str, what: impl Into<String>, unit: Unit, target: Target) -> Self {
        Self { name, what: what.into(), unit, target, floor: None, wharf: None, docker: None, note: None }
    }

    pub fn floor(self, samples: Samples) -> Self {
        Self { floor: Some(samples), ..self }
    }

    pub fn wharf(self, samples: Samples) -> Self {
        Self { wharf: Some(samples), ..self }
    }

    pub fn docker(self, samples: Samples) -> Self {
        Self { docker: Some(samples), ..self }
    }

    pub fn note(self, note: String) -> Self {
        Self { note: Some(note), ..self }
    }

    /// wharf's median, as a multiple of what the row compares with; on its own where the target is a number.
    fn measured(&self) -> Option<f64> {
        match self.target {
            Target::Floor(_) => ratio(self.wharf.as_ref(), self.floor.as_ref()),
            Target::Docker(_) => ratio(self.wharf.as_ref(), self.docker.as_ref()),
            Target::AtMost(_) => self.wharf.as_ref().map(Samples::median),
            Target::None => None,
        }
    }

    fn passes(&self) -> Option<bool> {
        let limit = match self.target {
            Target::Floor(limit) | Target::Docker(limit) | Target::AtMost(limit) => limit,
            Target::None => return None,
        };
        self.measured().map(|measured| measured <= limit)
    }

    fn cells(&self) -> [String; 7] {
        let (measured, target) = match self.target {
            Target::Floor(limit) => (self.measured().map(|ratio| format!("{ratio:.2} × floor")), format!("≤ {limit:.2}")),
            Target::Docker(limit) => (self.measured().map(|ratio| format!("{ratio:.2} × docker")), format!("≤ {limit:.2}")),
            Target::AtMost(limit) => (self.measured().map(|value| self.unit.show(value)), format!("≤ {}", self.unit.show(limit))),
            Target::None => {
                (ratio(self.wharf.as_ref(), self.docker.as_ref()).map(|ratio| format!("{ratio:.2} × docker")), "-".to_owned())
            }
        };
        let mark = match self.passes() {
            Some(true) => styled(AnsiColor::Green, "ok"),
            Some(false) => styled(AnsiColor::Red, "MISS"),
            None => String::new(),
        };
        let value =
            |samples: &Option<Samples>| samples.as_ref().map_or_else(|| "-".to_owned(), |samples| self.unit.show_all(samples));
        let dash = || "-".to_owned();
        [
            self.what.clone(),
            value(&self.floor),
            value(&self.wharf),
            value(&self.docker),
            measured.unwrap_or_else(dash),
            target,
            mark,
        ]
    }

    fn json(&self) -> Value {
        let samples = |samples: &Option<Samples>| {
            samples
                .as_ref()
                .map(|samples| json!({ "median": samples.median(), "spread": samples.spread(), "values": samples.values() }))
        };
        let (target, against) = match self.target {
            Target::Floor(limit) => (Some(limit), Some("floor")),
            Target::Docker(limit) => (Some(limit), Some("docker")),
            Target::AtMost(limit) => (Some(limit), None),
            Target::None => (None, None),
        };
        json!({
            "name": self.name,
            "what": self.what,
            "unit": self.unit.name(),
            "floor": samples(&self.floor),
            "wharf": samples(&self.wharf),
            "docker": samples(&self.docker),
            "against": against,
            "measured": self.measured(),
            "target": target,
            "pass": self.passes(),
            "note": self.note,
        })
    }
}

fn ratio(ours: Option<&Samples>, theirs: Option<&Samples>) -> Option<f64> {
    Some(ours?.median() / theirs?.median())
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Megabytes => "MB",
        }
    }

    /// Three digits say all that a median knows.
    fn show(self, value: f64) -> String {
        let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
        format!("{value:.decimals$} {}", self.name())
    }

    fn show_all(self, samples: &Samples) -> String {
        if samples.values().len() < 2 {
            return self.show(samples.median());
        }
        let value = samples.median();
        let decimals = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
        format!("{value:.decimals$} ±{:.decimals$} {}", samples.spread(), self.name())
    }
}

/// What was measured, and on what.
pub struct Report {
    pub rows: Vec<Row>,
    engine: String,
    tmux: String,
    processors: usize,
}

impl Report {
    pub fn new(run: &Run) -> Result<Self> {
        let version = run.engine.get("/version")?;
        Ok(Self {
            rows: Vec::new(),
            engine: version["Version"].as_str().unwrap_or("unknown").to_owned(),
            tmux: run::output(run.tmux(["-V"]))?,
            processors: available_parallelism()?.get(),
        })
    }

    pub fn print(&self, as_json: bool) -> Result<()> {
        let text = if as_json { self.json()? } else { self.table() };
        Ok(anstream::stdout().write_all(text.as_bytes())?)
    }

    fn json(&self) -> Result<String> {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        let report = json!({ "engine": self.engine, "tmux": self.tmux, "processors": self.processors, "measured": rows });
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    }

    fn table(&self) -> String {
        let mut builder = Builder::default();
        builder.push_record(["WHAT", "FLOOR", "WHARF", "DOCKER", "MEASURED", "TARGET", ""]);
        for row in &self.rows {
            builder.push_record(row.cells());
        }
        let mut table = builder.build();
        table.with(TableStyle::empty()).with(Padding::new(0, 2, 0, 0)).modify(Columns::new(1..=5), Alignment::right());
        let mut lines: Vec<String> = table.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
        let machine = format!("engine {}, {}, {} processors", self.engine, self.tmux, self.processors);
        lines.extend([String::new(), format!("{machine}; medians, ± half the distance between the quartiles")]);
        lines.extend(self.rows.iter().filter_map(|row| row.note.clone()));
        lines.push(self.verdict());
        lines.join("\n") + "\n"
    }

    fn verdict(&self) -> String {
        let judged: Vec<bool> = self.rows.iter().filter_map(Row::passes).collect();
        match judged.iter().filter(|passes| !**passes).count() {
            0 => styled(AnsiColor::Green, &format!("all {} targets met", judged.len())),
            missed => styled(AnsiColor::Red, &format!("{missed} of {} targets missed", judged.len())),
        }
    }
}

fn styled(color: AnsiColor, text: &str) -> String {
    let style: Style = color.on_default().bold();
    format!("{style}{text}{style:#}")
}
