//! A screen as tmux captures it → text for this one. Only colours and styles are taken; whatever else is in it is left out.

use ansi_to_tui::IntoText;
use ratatui::text::{Line, Span};

use crate::quote;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';
/// Between these, tmux prints letters for what lines are drawn with.
const LINES: (char, char) = ('\u{e}', '\u{f}');

/// The lines of a captured screen, without the empty ones at its end.
pub fn lines(captured: &str) -> Vec<Line<'static>> {
    let text = only_styles(captured).into_text().unwrap_or_default();
    let mut lines: Vec<Line<'static>> = text.lines.into_iter().map(shown).collect();
    while lines.last().is_some_and(|line| line.spans.iter().all(|span| span.content.trim().is_empty())) {
        lines.pop();
    }
    lines
}

/// Whatever the parser lets through is not for the terminal.
fn shown(line: Line<'static>) -> Line<'static> {
    let span = |span: Span<'static>| {
        if span.content.chars().all(|c| !c.is_control()) {
            return span;
        }
        Span::styled(span.content.chars().filter(|c| !c.is_control()).collect::<String>(), span.style)
    };
    Line::from(line.spans.into_iter().map(span).collect::<Vec<_>>())
}

/// The text, line feeds, and sequences that set a style.
fn only_styles(captured: &str) -> String {
    let mut text = String::with_capacity(captured.len());
    let mut draws_lines = false;
    let mut chars = captured.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ESCAPE if chars.next_if_eq(&'[').is_some() => {
                let mut sequence = String::new();
                let end = loop {
                    match chars.next_if(|c| c.is_ascii() && !c.is_ascii_control()) {
                        Some(c @ '\u{40}'..='\u{7e}') => break Some(c),
                        Some(c) => sequence.push(c),
                        None => break None,
                    }
                };
                // With colons come underlines of other kinds than there are here.
                if end == Some('m') && sequence.bytes().all(|b| b.is_ascii_digit() || b == b';') {
                    text.extend(["\u{1b}[", &sequence, "m"]);
                }
            }
            // A string, as a title or a link, ends with a bell or with `ESC \`.
            ESCAPE if chars.next_if(|c| matches!(c, ']' | 'P' | '_' | '^' | 'X')).is_some() => {
                while let Some(c) = chars.next_if(|&c| c != '\n') {
                    if c == BELL || (c == ESCAPE && chars.next_if_eq(&'\\').is_some()) {
                        break;
                    }
                }
            }
            ESCAPE => drop(chars.next_if(|c| !c.is_control())),
            c if c == LINES.0 => draws_lines = true,
            c if c == LINES.1 => draws_lines = false,
            '\n' => text.push('\n'),
            '\t' => text.push(' '),
            c if c.is_control() => {}
            c if draws_lines => text.push(drawn(c)),
            c => text.push(c),
        }
    }
    text
}

/// What a terminal draws in place of a letter (VT100's special graphics).
fn drawn(letter: char) -> char {
    const DRAWN: &str = "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·";
    let place = u32::from(letter).checked_sub(u32::from('`')).and_then(|place| usize::try_from(place).ok());
    place.and_then(|place| DRAWN.chars().nth(place)).unwrap_or(letter)
}

/// What a container has printed, as plain lines.
pub fn plain_lines(text: &str) -> Vec<Line<'static>> {
    let shown = |line: &str| -> String {
        line.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|&c| quote::is_shown(c)).collect()
    };
    text.lines().map(|line| Line::raw(shown(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::{Color, Modifier, Style};

    fn spans(captured: &str) -> Vec<(String, Style)> {
        lines(captured).into_iter().flat_map(|line| line.spans).map(|span| (span.content.into_owned(), span.style)).collect()
    }

    #[test]
    fn colours_and_styles_are_kept() {
        let found = spans("\u{1b}[1m\u{1b}[31mred\u{1b}[0m \u{1b}[38;2;1;2;3mtrue\u{1b}[48;5;200mindex");
        let texts: Vec<&str> = found.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["red", " ", "true", "index"]);
        assert_eq!(found[0].1.fg, Some(Color::Red));
        assert!(found[0].1.add_modifier.contains(Modifier::BOLD));
        assert_eq!(found[2].1.fg, Some(Color::Rgb(1, 2, 3)));
        assert_eq!((found[3].1.fg, found[3].1.bg), (Some(Color::Rgb(1, 2, 3)), Some(Color::Indexed(200))));
    }

    #[test]
    fn nothing_else_gets_through() {
        for (captured, shown) in [
            ("a\u{1b}[2J\u{1b}[Hb", "ab"),
            ("a\u{1b}]52;c;aGk=\u{7}b", "ab"),
            ("a\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\b", "alinkb"),
            ("a\u{1b}Pq#0\u{1b}\\b", "ab"),
            ("a\u{1b}]0;never ends", "a"),
            ("a\u{1b}", "a"),
            ("a\u{1b}[", "a"),
            ("a\u{1b}[31", "a"),
            ("a\u{1b}[4:3mb", "ab"),
            ("a\u{1b}c\u{9b}31mb\u{7}\u{8}\r", "a31mb"),
            ("\u{e}lqk\u{f}lqk", "┌─┐lqk"),
        ] {
            let text: String = spans(captured).into_iter().map(|(text, _)| text).collect();
            assert_eq!(text, shown, "{captured:?}");
        }
    }

    #[test]
    fn empty_lines_at_the_end_are_left_out() {
        assert_eq!(lines("a\n\nb\n \n\n").len(), 3);
        assert_eq!(lines("").len(), 0);
        assert_eq!(plain_lines("a\u{1b}[31m\tb\u{202e}\n").first().unwrap().to_string(), "a[31m b");
    }
}
