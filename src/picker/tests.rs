//! What the screen shows and what keys make of it, without a terminal.

use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::text::Line;

use super::catalog::Catalog;
use super::keys::Action;
use super::preview::Preview;
use super::screen::{Choice, Effect, Mode, Screen};
use super::view;
use crate::engine::{Listed, Published};
use crate::model::{SessionName, State};
use crate::project::Project;
use crate::tmux::OpenPane;

fn project(path: &str) -> Project {
    Project::from_label(path)
}

fn screen() -> Screen {
    let mut catalog = Catalog::new(Some(std::path::Path::new("/home/ada")));
    let long = format!("/home/ada/{}", "x".repeat(255));
    let paths = ["/home/ada/src/api", "/home/ada/src/web", "/srv/größe 日本", "/p/#(touch x)\n\u{1b}[31m", &long];
    catalog.add_directories(&paths.map(project));
    let session: SessionName = "main".parse().unwrap();
    let web = project("/home/ada/src/web");
    catalog.set_panes(vec![OpenPane { pane: "%1".parse().unwrap(), project: web, session }]);
    catalog.set_containers(vec![Listed {
        name: project("/home/ada/src/api").container_name(),
        project: project("/home/ada/src/api"),
        state: State::Exited,
        image: "debian:13".to_owned(),
        image_id: None,
        has_current_image: true,
        effective: None,
        dockerfile: None,
        ports: vec![Published { container: 80, protocol: "tcp".to_owned(), address: "127.0.0.1".to_owned(), host: 8080 }],
        created_at: String::new(),
        user: None,
    }]);
    Screen::new(catalog, "")
}

fn drawn(screen: &mut Screen, columns: u16, rows: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let drawn = terminal.draw(|frame| {
        screen.resize(frame.area());
        view::draw(frame, screen);
    });
    let buffer = drawn.unwrap().buffer;
    let rows = buffer.content.chunks(usize::from(columns).max(1));
    // The second cell of a wide character holds nothing.
    let line = |cells: &[ratatui::buffer::Cell]| {
        let mut skip = 0;
        let mut line = String::new();
        for cell in cells {
            if skip == 0 {
                line.push_str(cell.symbol());
            }
            skip = if skip > 0 { skip - 1 } else { unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1) };
        }
        line.trim_end().to_owned()
    };
    rows.map(line).collect()
}

fn press(screen: &mut Screen, code: KeyCode) -> Option<Effect> {
    screen.on_event(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

fn press_meta(screen: &mut Screen, c: char) -> Option<Effect> {
    screen.on_event(Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT)))
}

fn type_text(screen: &mut Screen, text: &str) {
    for c in text.chars() {
        assert_eq!(press(screen, KeyCode::Char(c)), None);
    }
}

fn choice(path: &str, session: Option<&str>) -> Choice {
    Choice { project: project(path), session: session.map(|session| session.parse().unwrap()) }
}

#[test]
fn twenty_columns_and_five_rows_are_enough() {
    assert_eq!(
        drawn(&mut screen(), 20, 5),
        [">                5/5", ">● web main", " ○ api", "   xxxxxxxxxxxxxxxx…", "Enter open  M-n sess"].map(str::to_owned)
    );
}

#[test]
fn beside_the_list_is_what_is_known_of_the_selected_row() {
    let mut screen = screen();
    press(&mut screen, KeyCode::Down);
    let subject = screen.subject().unwrap();
    screen.show_what_is_known(&subject, Timestamp::UNIX_EPOCH);
    let name = project("/home/ada/src/api").container_name();
    let lines = drawn(&mut screen, 100, 9);
    assert_eq!(lines[0], format!("> {}5/5", " ".repeat(95)));
    let left: Vec<&str> = lines[1..8].iter().map(|line| line.split('│').next().unwrap().trim_end()).collect();
    assert_eq!(
        left,
        [
            " ● web main              ~/src/web            open",
            ">○ api                   ~/src/api          exited",
            "   xxxxxxxxxxxxxxxxxxx…  …xxxxxxxxxxxxxxxxx",
            "   #(touch x)\\n\\u{1b}[…  …ch x)\\n\\u{1b}[31m",
            "   größe 日本            /srv/größe 日本",
            "",
            "",
        ]
    );
    let right: Vec<&str> = lines[1..8].iter().map(|line| line.split('│').nth(1).unwrap().trim()).collect();
    let facts = [
        "project    /home/ada/src/api",
        &format!("container  {name}"),
        "state      exited",
        "image      debian:13",
        "port       127.0.0.1:8080->80/tcp",
        "",
        "",
    ];
    assert_eq!(right, facts);
}

#[test]
fn every_size_shows_something_and_breaks_nothing() {
    let mut screen = screen();
    let subject = screen.subject().unwrap();
    let lines = vec![Line::raw("日本".repeat(200)); 200];
    screen.show(subject, Preview { lines: lines.clone(), is_screen: true });
    for mode in 0..5 {
        screen.mode = match mode {
            0 => Mode::List,
            1 => Mode::Help,
            2 => Mode::Name(super::prompt::Prompt::new("größe 日本"), choice("/srv/api", None)),
            3 => Mode::Confirm(Action::Remove, choice("/home/ada/src/web", None)),
            _ => Mode::Log { title: "log".to_owned(), lines: lines.clone(), top: 100 },
        };
        for (columns, rows) in (1..110).step_by(3).flat_map(|columns| (1..40).step_by(2).map(move |rows| (columns, rows))) {
            assert_eq!(drawn(&mut screen, columns, rows).len(), usize::from(rows), "{columns}x{rows}");
        }
        drawn(&mut screen, 300, 100);
    }
}

#[test]
fn typing_searches_and_enter_opens_the_best() {
    let mut screen = screen();
    type_text(&mut screen, "api");
    assert_eq!(drawn(&mut screen, 40, 4)[0], "> api                                1/5");
    assert_eq!(press(&mut screen, KeyCode::Enter), Some(Effect::Open(choice("/home/ada/src/api", None))));
    type_text(&mut screen, "zzz");
    assert_eq!(drawn(&mut screen, 40, 4)[1], "   nothing matches");
    assert_eq!(press(&mut screen, KeyCode::Enter), Some(Effect::OpenNothing));
    assert_eq!(press(&mut screen, KeyCode::Esc), Some(Effect::Leave));
}

#[test]
fn what_was_chosen_stays_selected_when_there_is_news() {
    let mut screen = screen();
    drawn(&mut screen, 80, 24);
    press(&mut screen, KeyCode::Down);
    screen.catalog.add_directories(&["/a", "/b"].map(project));
    let session: SessionName = "main".parse().unwrap();
    screen.catalog.set_containers(Vec::new());
    screen.catalog.set_sessions(vec![(project("/home/ada/src/api"), vec![session])]);
    screen.refresh();
    assert_eq!(press(&mut screen, KeyCode::Enter), Some(Effect::Open(choice("/home/ada/src/api", Some("main")))));
}

#[test]
fn what_ends_something_asks_first() {
    let mut screen = screen();
    screen.has_heard_engine = true;
    let web = choice("/home/ada/src/web", Some("main"));
    assert_eq!(press_meta(&mut screen, 'd'), None);
    let question = "Remove the container of web, and keep its volumes; it ends main? [y/N]";
    assert_eq!(drawn(&mut screen, 80, 5)[4], question);
    assert_eq!(press(&mut screen, KeyCode::Enter), None);
    assert!(matches!(screen.mode, Mode::List));
    press_meta(&mut screen, 'x');
    assert_eq!(press(&mut screen, KeyCode::Char('y')), Some(Effect::Do(Action::Stop, web)));
    // Nothing lives in this one.
    press(&mut screen, KeyCode::Down);
    assert_eq!(press_meta(&mut screen, 'x'), Some(Effect::Do(Action::Stop, choice("/home/ada/src/api", None))));
    press(&mut screen, KeyCode::End);
    assert_eq!(press_meta(&mut screen, 'd'), None);
    assert_eq!(drawn(&mut screen, 80, 5)[4], "größe 日本 has no container");
}

#[test]
fn a_new_session_has_a_name_that_is_one() {
    let mut screen = screen();
    press_meta(&mut screen, 'n');
    type_text(&mut screen, "a b");
    assert_eq!(press(&mut screen, KeyCode::Enter), None);
    let lines = drawn(&mut screen, 80, 5);
    assert_eq!(
        (lines[0].as_str(), lines[4].as_str()),
        ("new session: a b", "`a b` is not a name for a session: use letters, digits, `-` and `_`")
    );
    press(&mut screen, KeyCode::Backspace);
    press(&mut screen, KeyCode::Backspace);
    assert_eq!(press(&mut screen, KeyCode::Enter), Some(Effect::Open(choice("/home/ada/src/web", Some("a")))));
}

#[test]
fn a_double_click_opens_and_the_wheel_moves() {
    let mut screen = screen();
    drawn(&mut screen, 80, 24);
    let mouse = |kind, row| Event::Mouse(MouseEvent { kind, column: 5, row, modifiers: KeyModifiers::NONE });
    let click = MouseEventKind::Down(MouseButton::Left);
    assert_eq!(screen.on_event(mouse(click, 2)), None);
    assert_eq!(screen.selected, 1);
    assert_eq!(screen.on_event(mouse(click, 2)), Some(Effect::Open(choice("/home/ada/src/api", None))));
    screen.on_event(mouse(MouseEventKind::ScrollDown, 2));
    screen.on_event(mouse(MouseEventKind::ScrollDown, 2));
    assert_eq!(screen.selected, 3);
    assert_eq!(screen.on_event(mouse(click, 20)), None);
    assert_eq!(screen.selected, 3);
}

#[test]
fn far_down_the_list_the_selected_row_is_seen() {
    let mut catalog = Catalog::new(None);
    catalog.add_directories(&(0..100).map(|i| project(&format!("/p/{i:02}"))).collect::<Vec<_>>());
    let mut screen = Screen::new(catalog, "");
    drawn(&mut screen, 20, 12);
    press(&mut screen, KeyCode::End);
    assert_eq!(drawn(&mut screen, 20, 12)[10], ">  99");
    press(&mut screen, KeyCode::PageUp);
    assert_eq!(drawn(&mut screen, 20, 12)[1], ">  89");
    press(&mut screen, KeyCode::Home);
    assert_eq!(drawn(&mut screen, 20, 12)[1], ">  00");
}
