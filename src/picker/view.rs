//! Draws the screen. Every name comes as characters that a terminal shows and nothing else.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::keys::HELP;
use super::row::{Row, Standing};
use super::screen::{Mode, Screen, Tone};
use crate::quote;

const PLAIN: Style = Style::new();
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const HIT: Style = Style::new().fg(Color::Yellow).add_modifier(Modifier::UNDERLINED);
const SESSION: Style = Style::new().fg(Color::Cyan);
const POINTER: Style = Style::new().fg(Color::Magenta).add_modifier(Modifier::BOLD);
const FAILED: Style = Style::new().fg(Color::Red);
const TROUBLE: Style = Style::new().fg(Color::Yellow);

/// Columns from which a row says how it stands, and not only by its mark.
const WORDS: u16 = 34;
/// Columns from which it is worth showing a path.
const PATH: u16 = 8;

pub fn draw(frame: &mut Frame, screen: &mut Screen) {
    let areas = screen.areas();
    let buffer = frame.buffer_mut();
    let cursor = draw_prompt(buffer, areas.prompt, screen);
    draw_status(buffer, areas.status, screen);
    match &screen.mode {
        Mode::Help => draw_help(buffer, areas.body()),
        Mode::Log { lines, top, .. } => {
            let body = areas.body();
            for (y, line) in lines.iter().skip(*top).take(body.height.into()).enumerate() {
                buffer.set_line(body.x, row_of(body, y), line, body.width);
            }
        }
        _ => {
            draw_list(buffer, areas.list, screen);
            if let Some((divider, preview)) = areas.preview {
                let bar = if divider.width == 1 { "│" } else { "─" };
                for at in divider.positions() {
                    buffer.set_string(at.x, at.y, bar, DIM);
                }
                draw_preview(buffer, preview, screen);
            }
        }
    }
    if screen.is_plain {
        // crossterm 0.29 does it by sequences that take bold and underlines away as well.
        for cell in &mut buffer.content {
            cell.set_fg(Color::Reset).set_bg(Color::Reset);
        }
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

fn row_of(area: Rect, y: usize) -> u16 {
    area.y + u16::try_from(y).unwrap_or(u16::MAX)
}

/// The line that is typed; where its cursor is.
fn draw_prompt(buffer: &mut Buffer, area: Rect, screen: &Screen) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    let (label, prompt) = match &screen.mode {
        Mode::Name(prompt, _) => ("new session: ", prompt),
        Mode::Log { title, .. } => {
            buffer.set_stringn(area.x, area.y, title, area.width.into(), BOLD);
            return None;
        }
        _ => ("> ", &screen.prompt),
    };
    let count = format!("{}/{}", screen.finder.matches().len(), screen.catalog.rows().len());
    let label_width = columns(label).min(area.width / 2);
    let shows_count = matches!(screen.mode, Mode::List) && area.width >= label_width + columns(&count) + 8;
    let room = area.width - label_width - if shows_count { columns(&count) + 1 } else { 1 };
    buffer.set_stringn(area.x, area.y, label, label_width.into(), POINTER);
    if shows_count {
        buffer.set_string(area.right() - columns(&count), area.y, &count, DIM);
    }
    // The end of what is before the cursor is what has to be seen.
    let mut before: Vec<char> = prompt.before_cursor().chars().collect();
    while width_of(&before) > room.saturating_sub(1) && !before.is_empty() {
        before.remove(0);
    }
    let at = area.x + label_width;
    let after = &prompt.text()[prompt.before_cursor().len()..];
    let text: String = before.iter().copied().chain(after.chars()).collect();
    buffer.set_stringn(at, area.y, quote::visible(&text), room.into(), PLAIN);
    let cursor = at + columns(&quote::visible(&before.iter().collect::<String>()));
    Some(Position::new(cursor.min(area.right().saturating_sub(1)), area.y))
}

fn draw_status(buffer: &mut Buffer, area: Rect, screen: &Screen) {
    if area.is_empty() {
        return;
    }
    let (text, style) =
        match (&screen.mode, &screen.message, &screen.busy, screen.trouble.as_ref().or(screen.misconfigured.as_ref())) {
            (Mode::Confirm(..), ..) => (screen.question().unwrap_or_default(), BOLD),
            (_, Some((Tone::Failed, message)), ..) => (message.clone(), FAILED),
            (_, Some((Tone::Told, message)), ..) => (message.clone(), PLAIN),
            (Mode::Name(..), ..) => ("Enter opens it  Esc back".to_owned(), DIM),
            (Mode::Help, ..) => ("any key: back".to_owned(), DIM),
            (Mode::Log { .. }, ..) => ("Up Down PgUp PgDn Home End  Esc back".to_owned(), DIM),
            (_, _, Some(busy), _) => (busy.clone(), PLAIN),
            (.., Some(trouble)) => (trouble.clone(), TROUBLE),
            _ => ("Enter open  M-n session  M-s split  M-x stop  M-l log  ? keys".to_owned(), DIM),
        };
    buffer.set_stringn(area.x, area.y, quote::visible(&text.replace('\n', " · ")), area.width.into(), style);
}

fn draw_help(buffer: &mut Buffer, area: Rect) {
    let widest = HELP.iter().map(|(keys, _)| columns(keys)).max().unwrap_or(0);
    let keys_width = widest.min(area.width / 2);
    for ((keys, does), y) in HELP.iter().zip(area.y..area.bottom()) {
        buffer.set_stringn(area.x, y, keys, keys_width.into(), BOLD);
        let at = area.x + keys_width + 1;
        buffer.set_stringn(at, y, does, area.right().saturating_sub(at).into(), PLAIN);
    }
}

fn draw_list(buffer: &mut Buffer, area: Rect, screen: &mut Screen) {
    let shown = screen.finder.matches().iter().skip(screen.top).take(area.height.into());
    let rows: Vec<_> = shown.map(|found| screen.catalog.rows()[found.row].clone()).collect();
    if rows.is_empty() && !area.is_empty() {
        let text = if screen.catalog.rows().is_empty() { "no project yet" } else { "nothing matches" };
        buffer.set_stringn(area.x + 3.min(area.width), area.y, text, area.width.saturating_sub(3).into(), DIM);
    }
    let label_of = |row: &Row| columns(&row.name) + row.session.as_ref().map_or(0, |session| columns(session.as_str()) + 1);
    let label_width = rows.iter().map(|row| label_of(row)).max().unwrap_or(0);
    let word_width = rows.iter().map(|row| columns(&row.standing.word())).max().unwrap_or(0);
    let word_room = if area.width >= WORDS && word_width > 0 { word_width + 1 } else { 0 };
    let room = area.width.saturating_sub(3 + word_room);
    let label_room = label_width.min(if area.width >= WORDS { room / 2 } else { room });
    let widths = Columns { label_room, path_room: room.saturating_sub(label_room + 2) };
    for (y, row) in rows.iter().enumerate() {
        let is_selected = screen.top + y == screen.selected;
        let hits = screen.finder.hits(row);
        let line = Rect { y: row_of(area, y), height: 1, ..area };
        draw_row(buffer, line, row, &hits, is_selected, widths);
    }
}

/// How wide the columns of the list are.
#[derive(Debug, Clone, Copy)]
struct Columns {
    label_room: u16,
    path_room: u16,
}

fn draw_row(buffer: &mut Buffer, area: Rect, row: &Row, hits: &[u32], is_selected: bool, widths: Columns) {
    let base = if is_selected { BOLD } else { PLAIN };
    if is_selected {
        buffer.set_stringn(area.x, area.y, ">", area.width.into(), POINTER);
    }
    let style = style_of(row.standing);
    buffer.set_stringn(
        area.x + 1.min(area.width),
        area.y,
        row.standing.mark().to_string(),
        area.width.saturating_sub(1).into(),
        style,
    );
    let Columns { label_room, path_room } = widths;
    let mut label = marked(&row.name, 0, hits, base);
    if let Some(session) = &row.session {
        label.push((' ', base));
        label.extend(marked(session.as_str(), row.session_offset(), hits, base.patch(SESSION)));
    }
    put(buffer, Position::new(area.x + 3, area.y), &cut_end(label, label_room));
    if area.width >= WORDS {
        if path_room >= PATH {
            let path = marked(&row.path, row.path_offset(), hits, base.patch(DIM));
            put(buffer, Position::new(area.x + 3 + label_room + 2, area.y), &cut_start(path, path_room));
        }
        let word = row.standing.word();
        buffer.set_string(area.right() - columns(&word), area.y, &word, style);
    }
}

fn style_of(standing: Standing) -> Style {
    match standing {
        Standing::Waiting => Style::new().fg(Color::Magenta).add_modifier(Modifier::BOLD),
        Standing::Open => Style::new().fg(Color::Green).add_modifier(Modifier::BOLD),
        Standing::Running => Style::new().fg(Color::Green),
        Standing::Idle(state) if state.is_up() => Style::new().fg(Color::Yellow),
        Standing::Idle(_) | Standing::New => DIM,
    }
}

type Marked = Vec<(char, Style)>;

/// The characters, with those that match marked; `offset` is the first one's place in what was searched.
fn marked(text: &str, offset: usize, hits: &[u32], base: Style) -> Marked {
    let is_hit = |index: usize| u32::try_from(offset + index).is_ok_and(|place| hits.binary_search(&place).is_ok());
    text.chars().enumerate().map(|(index, c)| (c, if is_hit(index) { base.patch(HIT) } else { base })).collect()
}

fn cut_end(mut text: Marked, room: u16) -> Marked {
    if columns_of(&text) > room {
        while columns_of(&text) > room.saturating_sub(1) && !text.is_empty() {
            text.pop();
        }
        text.push(('…', DIM));
    }
    text
}

/// Of a path, the end says most.
fn cut_start(mut text: Marked, room: u16) -> Marked {
    if columns_of(&text) > room {
        while columns_of(&text) > room.saturating_sub(1) && !text.is_empty() {
            text.remove(0);
        }
        text.insert(0, ('…', DIM));
    }
    text
}

fn put(buffer: &mut Buffer, at: Position, text: &Marked) {
    let (mut x, right) = (at.x, buffer.area.right());
    for (c, style) in text {
        let width = char_width(*c);
        if x + width > right {
            break;
        }
        buffer.set_string(x, at.y, c.encode_utf8(&mut [0; 4]), *style);
        x += width;
    }
}

fn draw_preview(buffer: &mut Buffer, area: Rect, screen: &Screen) {
    let Some((_, preview)) = &screen.shown else { return };
    let hidden = if preview.is_screen { preview.lines.len().saturating_sub(area.height.into()) } else { 0 };
    for (line, y) in preview.lines.iter().skip(hidden).zip(area.y..area.bottom()) {
        buffer.set_line(area.x, y, line, area.width);
    }
}

fn char_width(c: char) -> u16 {
    c.width().and_then(|width| u16::try_from(width).ok()).unwrap_or(0)
}

fn columns(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

fn width_of(text: &[char]) -> u16 {
    text.iter().map(|&c| char_width(c)).fold(0, u16::saturating_add)
}

fn columns_of(text: &Marked) -> u16 {
    text.iter().map(|&(c, _)| char_width(c)).fold(0, u16::saturating_add)
}
