//! The list as a table.

use std::path::Path;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use tabled::builder::Builder;

use super::{Row, SessionRow};
use crate::model::{SessionState, State};
use crate::output::ago::ago;
use crate::output::print;
use crate::quote::visible;

/// The columns, and which of them go first when the terminal is narrow.
const COLUMNS: [(&str, u8); 7] =
    [("NAME", 0), ("STATE", 0), ("SESSIONS", 1), ("IMAGE", 4), ("PORTS", 5), ("PROJECT", 2), ("LAST USED", 3)];
const LEAST: u8 = 5;

const HEAD: Style = Style::new().bold();
const MARK: Style = AnsiColor::Yellow.on_default();

/// What a table is shown with.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// In cells; as wide as it takes where `None`.
    pub width: Option<usize>,
    pub home: Option<&'a Path>,
    pub now: Timestamp,
}

/// As many columns as fit; the last two are cut where not even they do.
pub fn table(rows: &[Row], look: Look) -> String {
    let cells: Vec<[String; 7]> = rows.iter().map(|row| cells(row, look)).collect();
    let Some(width) = look.width else {
        return draw(&cells, LEAST, None);
    };
    let fits = |text: &String| text.lines().all(|line| tabled::grid::util::string::get_line_width(line) <= width);
    let tables = (0..=LEAST).rev().map(|rank| draw(&cells, rank, None));
    tables.into_iter().find(fits).unwrap_or_else(|| draw(&cells, 0, Some(width)))
}

fn draw(cells: &[[String; 7]], rank: u8, width: Option<usize>) -> String {
    let kept: Vec<usize> = (0..COLUMNS.len()).filter(|&column| COLUMNS[column].1 <= rank).collect();
    let mut builder = Builder::default();
    builder.push_record(kept.iter().map(|&column| format!("{HEAD}{}{HEAD:#}", COLUMNS[column].0)));
    for row in cells {
        builder.push_record(kept.iter().map(|&column| row[column].clone()));
    }
    print::table(builder, width)
}

fn cells(row: &Row, look: Look) -> [String; 7] {
    let style = style_of(row.state);
    let orphaned = if row.orphaned { format!(" {MARK}(orphaned){MARK:#}") } else { String::new() };
    let sessions = row.session_states.as_ref().map_or_else(|| "?".to_owned(), |sessions| or_dash(join(sessions)));
    let changed = if row.drift.is_empty() { String::new() } else { format!(" {MARK}(changed){MARK:#}") };
    [
        visible(&row.name),
        format!("{style}{}{style:#}{orphaned}", row.state),
        sessions,
        format!("{}{changed}", visible(&row.image)),
        or_dash(row.ports.join(",")),
        visible(&short(&row.project, look.home)),
        row.last_used.map_or_else(|| "-".to_owned(), |then| ago(then, look.now)),
    ]
}

/// With what a person may want to do something about.
fn join(sessions: &[SessionRow]) -> String {
    let told = sessions.iter().map(|session| match (session.state, session.exit_code) {
        (_, Some(code)) => format!("{} (exited {code})", session.name),
        (SessionState::Waiting | SessionState::Failed, None) => format!("{} {MARK}({}){MARK:#}", session.name, session.state),
        _ => session.name.clone(),
    });
    told.collect::<Vec<_>>().join(",")
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

/// A path as a shell's prompt has it.
fn short(path: &str, home: Option<&Path>) -> String {
    match home.and_then(|home| Path::new(path).strip_prefix(home).ok()) {
        Some(below) if below.as_os_str().is_empty() => "~".to_owned(),
        Some(below) => format!("~/{}", below.display()),
        None => path.to_owned(),
    }
}

fn style_of(state: State) -> Style {
    match state {
        State::Running => AnsiColor::Green.on_default(),
        State::Paused | State::Restarting | State::Removing => AnsiColor::Yellow.on_default(),
        State::Created | State::Exited => AnsiColor::BrightBlack.on_default(),
        State::Dead => AnsiColor::Red.on_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    fn session(name: &str) -> SessionRow {
        SessionRow { name: name.to_owned(), state: SessionState::Working, exit_code: None }
    }

    fn row(path: &str, state: State, sessions: Option<Vec<String>>) -> Row {
        let project = Project::from_label(path);
        Row {
            name: project.short_name().to_owned(),
            project: path.to_owned(),
            container: project.container_name().to_string(),
            state,
            image: "debian:13".to_owned(),
            session_states: sessions.as_ref().map(|names| names.iter().map(|name| session(name)).collect()),
            sessions,
            ports: vec!["127.0.0.1:80->80/tcp".to_owned()],
            created_at: String::new(),
            last_used: None,
            user: None,
            orphaned: false,
            drift: Vec::new(),
        }
    }

    fn rows() -> Vec<Row> {
        let two_hours_ago = Timestamp::from_second(now().as_second() - 7300).ok();
        let sessions = ["main", "logs"].map(str::to_owned).to_vec();
        vec![
            Row { last_used: two_hours_ago, ..row("/home/ada/api", State::Running, Some(sessions)) },
            row("/srv/größe\u{1b}[31m", State::Exited, None),
        ]
    }

    fn plain(width: Option<usize>) -> String {
        let look = Look { width, home: Some(Path::new("/home/ada")), now: now() };
        anstream::adapter::strip_str(&table(&rows(), look)).to_string()
    }

    #[test]
    fn all_columns_where_there_is_room() {
        let expected = concat!(
            "NAME             STATE    SESSIONS   IMAGE      PORTS                 PROJECT               LAST USED\n",
            "api              running  main,logs  debian:13  127.0.0.1:80->80/tcp  ~/api                 2 hours ago\n",
            "größe\\u{1b}[31m  exited   ?          debian:13  127.0.0.1:80->80/tcp  /srv/größe\\u{1b}[31m  -\n",
        );
        assert_eq!(plain(None), expected);
        assert_eq!(plain(Some(120)), expected);
    }

    #[test]
    fn columns_go_one_by_one_where_there_is_not() {
        let head = |width| plain(Some(width)).lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(head(92), "NAME STATE SESSIONS IMAGE PROJECT LAST USED");
        assert_eq!(head(75), "NAME STATE SESSIONS PROJECT LAST USED");
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

    #[test]
    fn what_is_wrong_is_marked() {
        let wrong = Row { orphaned: true, drift: vec!["image".to_owned()], ..row("/srv/api", State::Dead, Some(Vec::new())) };
        let look = Look { width: None, home: None, now: now() };
        let expected = concat!(
            "\u{1b}[1mNAME\u{1b}[0m  \u{1b}[1mSTATE\u{1b}[0m            \u{1b}[1mSESSIONS\u{1b}[0m  ",
            "\u{1b}[1mIMAGE\u{1b}[0m                \u{1b}[1mPORTS\u{1b}[0m                 \u{1b}[1mPROJECT\u{1b}[0m   ",
            "\u{1b}[1mLAST USED\u{1b}[0m\n",
            "api   \u{1b}[31mdead\u{1b}[0m \u{1b}[33m(orphaned)\u{1b}[0m  -         ",
            "debian:13 \u{1b}[33m(changed)\u{1b}[0m  127.0.0.1:80->80/tcp  /srv/api  -\n",
        );
        assert_eq!(table(&[wrong], look), expected);
    }

    #[test]
    fn paths_below_the_home_directory_are_short() {
        let home = Some(Path::new("/home/ada"));
        for (path, shown) in [("/home/ada", "~"), ("/home/ada/src", "~/src"), ("/home/adam", "/home/adam"), ("/srv", "/srv")] {
            assert_eq!(short(path, home), shown);
        }
        assert_eq!(visible("to\u{202e}ward's \"größe\""), "to\\u{202e}ward's \"größe\"");
    }
}
