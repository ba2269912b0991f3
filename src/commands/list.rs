//! `wharf list`

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use tabled::builder::Builder;
use tabled::settings::peaker::Priority;
use tabled::settings::{Padding, Style as TableStyle, Width};

use crate::cli::List;
use crate::context::Context;
use crate::engine::{Engine, Listed, State};
use crate::error::{Error, Result};
use crate::session::{SessionName, control};

/// How many containers to ask for their sessions at once, and how long in all.
const AT_ONCE: usize = 16;
const SESSIONS: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Row {
    name: String,
    project: String,
    container: String,
    state: State,
    image: String,
    /// `null` where the container did not say in time.
    sessions: Option<Vec<String>>,
    ports: Vec<String>,
    created_at: String,
    last_used: Option<String>,
    orphaned: bool,
    drift: Vec<String>,
}

pub async fn run(args: List, context: &Context) -> Result<ExitCode> {
    let engine = context.engine()?;
    let containers = engine.containers().await?;
    let sessions = sessions_of(engine, &containers).await;
    let rows: Vec<Row> = containers.into_iter().zip(sessions).map(|(listed, sessions)| row(listed, sessions)).collect();
    let text = if args.json {
        let json = serde_json::to_string_pretty(&rows).map_err(|error| Error::io("print JSON", error.into()))?;
        format!("{json}\n")
    } else if rows.is_empty() {
        "no project has a container yet; `wharf open` makes one\n".to_owned()
    } else {
        table(&rows, terminal_width())
    };
    match anstream::stdout().write_all(text.as_bytes()) {
        // The reader has seen enough, as in `wharf list | head -1`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        printed => printed.map(|()| ExitCode::SUCCESS).map_err(|source| Error::io("print the list", source)),
    }
}

/// In the order of `containers`. Whoever does not answer in time has unknown sessions, and holds nobody up.
async fn sessions_of(engine: &Engine, containers: &[Listed]) -> Vec<Option<Vec<SessionName>>> {
    let deadline = tokio::time::Instant::now() + SESSIONS;
    let ask = async |listed: &Listed| {
        if !listed.state.can_attach() {
            return Some(Vec::new());
        }
        tokio::time::timeout_at(deadline, control::list(engine, &listed.name)).await.ok()?.ok()
    };
    stream::iter(containers).map(ask).buffered(AT_ONCE).collect().await
}

fn row(listed: Listed, sessions: Option<Vec<SessionName>>) -> Row {
    Row {
        name: listed.project.short_name().to_owned(),
        project: listed.project.to_string(),
        container: listed.name.to_string(),
        state: listed.state,
        image: listed.image,
        sessions: sessions.map(|names| names.iter().map(SessionName::to_string).collect()),
        ports: listed.ports,
        created_at: listed.created_at,
        last_used: None,
        orphaned: listed.project.is_orphaned(),
        drift: Vec::new(),
    }
}

/// The columns, and which of them go first when the terminal is narrow.
const COLUMNS: [(&str, u8); 7] =
    [("NAME", 0), ("STATE", 0), ("SESSIONS", 1), ("IMAGE", 3), ("PORTS", 4), ("PROJECT", 2), ("LAST USED", LEAST)];
const LEAST: u8 = 5;

/// As many columns as fit into `width`; the last two are cut where not even they do.
fn table(rows: &[Row], width: Option<usize>) -> String {
    let cells: Vec<[String; 7]> = rows.iter().map(cells).collect();
    let Some(width) = width else {
        return draw(&cells, LEAST, None);
    };
    let fits = |text: &String| text.lines().all(|line| tabled::grid::util::string::get_line_width(line) <= width);
    let tables = (0..=LEAST).rev().map(|rank| draw(&cells, rank, None));
    tables.into_iter().find(fits).unwrap_or_else(|| draw(&cells, 0, Some(width)))
}

fn draw(cells: &[[String; 7]], rank: u8, width: Option<usize>) -> String {
    let kept: Vec<usize> = (0..COLUMNS.len()).filter(|&column| COLUMNS[column].1 <= rank).collect();
    let mut builder = Builder::default();
    builder.push_record(kept.iter().map(|&column| COLUMNS[column].0.to_owned()));
    for row in cells {
        builder.push_record(kept.iter().map(|&column| row[column].clone()));
    }
    let mut table = builder.build();
    table.with(TableStyle::empty()).with(Padding::new(0, 2, 0, 0));
    if let Some(width) = width {
        table.with(Width::truncate(width).priority(Priority::max(true)).suffix("…"));
    }
    table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn cells(row: &Row) -> [String; 7] {
    let style = state_style(row.state);
    let orphaned = if row.orphaned { " (orphaned)" } else { "" };
    let sessions = row.sessions.as_ref().map_or_else(|| "?".to_owned(), |names| or_dash(names.join(",")));
    [
        printable(&row.name),
        format!("{style}{}{style:#}{orphaned}", row.state),
        sessions,
        row.image.clone(),
        or_dash(row.ports.join(",")),
        printable(&row.project),
        or_dash(row.last_used.clone().unwrap_or_default()),
    ]
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// A directory's name is shown and not obeyed by the terminal.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

fn state_style(state: State) -> Style {
    match state {
        State::Running => AnsiColor::Green.on_default(),
        State::Paused | State::Restarting | State::Removing => AnsiColor::Yellow.on_default(),
        State::Created | State::Exited => AnsiColor::BrightBlack.on_default(),
        State::Dead => AnsiColor::Red.on_default(),
    }
}

fn terminal_width() -> Option<usize> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    rustix::termios::tcgetwinsize(stdout).ok().map(|size| usize::from(size.ws_col)).filter(|&columns| columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let listed = |path: &str, state| Listed {
            name: crate::project::Project::from_label(path).container_name(),
            project: crate::project::Project::from_label(path),
            state,
            image: "debian:13".to_owned(),
            ports: vec!["127.0.0.1:80->80/tcp".to_owned()],
            created_at: String::new(),
        };
        let sessions = Some(vec!["main".parse().unwrap(), "logs".parse().unwrap()]);
        let mut rows =
            vec![row(listed("/srv/api", State::Running), sessions), row(listed("/srv/größe\u{1b}[31m", State::Exited), None)];
        for row in &mut rows {
            row.orphaned = false;
        }
        rows
    }

    fn plain(width: Option<usize>) -> String {
        anstream::adapter::strip_str(&table(&rows(), width)).to_string()
    }

    #[test]
    fn all_columns_where_there_is_room() {
        let expected = concat!(
            "NAME             STATE    SESSIONS   IMAGE      PORTS                 PROJECT               LAST USED\n",
            "api              running  main,logs  debian:13  127.0.0.1:80->80/tcp  /srv/api              -\n",
            "größe\\u{1b}[31m  exited   ?          debian:13  127.0.0.1:80->80/tcp  /srv/größe\\u{1b}[31m  -\n",
        );
        assert_eq!(plain(None), expected);
        assert_eq!(plain(Some(120)), expected);
    }

    #[test]
    fn columns_go_one_by_one_where_there_is_not() {
        let head = |width| plain(Some(width)).lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(head(92), "NAME STATE SESSIONS IMAGE PORTS PROJECT");
        assert_eq!(head(75), "NAME STATE SESSIONS IMAGE PROJECT");
        assert_eq!(head(64), "NAME STATE SESSIONS PROJECT");
        assert_eq!(head(40), "NAME STATE SESSIONS");
        assert_eq!(head(28), "NAME STATE");
    }

    #[test]
    fn twenty_columns_are_enough_for_something() {
        let text = plain(Some(20));
        assert!(text.lines().all(|line| line.chars().count() <= 20), "{text}");
        assert!(text.contains("api"), "{text}");
    }
}
