//! The cells that `capture-pane -eN` tells of. Two captures that look the same may differ: in how styles are switched, in whether
//! blank cells at a line's end were ever written, and in the names of the first 16 colours and of line drawing.

use std::collections::BTreeSet;

#[derive(Clone, Default, PartialEq)]
struct Style {
    attributes: BTreeSet<String>,
    foreground: String,
    background: String,
    underline: String,
    is_line_drawing: bool,
}

/// The same text for the same cells: each run of a style begins with what it is, in brackets.
pub fn canonical(captured: &str) -> String {
    let mut style = Style::default();
    captured.split('\n').map(|line| canonical_line(line, &mut style)).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn canonical_line(line: &str, style: &mut Style) -> String {
    let mut cells: Vec<(Style, char)> = Vec::new();
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match next {
            '\x0e' => style.is_line_drawing = true,
            '\x0f' => style.is_line_drawing = false,
            '\x1b' => {
                if let Some((codes, after)) = rest.strip_prefix('[').and_then(|codes| codes.split_once('m')) {
                    style.switch(codes);
                    rest = after;
                } else {
                    // A hyperlink, as 3.4 and newer tell of it. A tmux gives one that has no name of its own another name.
                    cells.push((style.clone(), '⎋'));
                    if let Some((_, after)) = rest.strip_prefix("]8;id=").and_then(|link| link.split_once(';')) {
                        cells.extend("]8;;".chars().map(|c| (style.clone(), c)));
                        rest = after;
                    }
                }
            }
            // From 3.6 on, a tab is kept as one.
            '\t' => cells.extend((cells.len() % 8..8).map(|_| (style.clone(), ' ')).collect::<Vec<_>>()),
            _ if style.is_line_drawing => cells.push((style.clone(), line_drawing(next))),
            _ => cells.push((style.clone(), next)),
        }
    }
    while cells.last().is_some_and(|(_, text)| *text == ' ') {
        cells.pop();
    }
    let mut shown = String::new();
    let mut current = Style::default();
    for (mut style, text) in cells {
        style.is_line_drawing = false;
        if style != current {
            shown.push_str(&style.to_string());
            current = style;
        }
        shown.push(text);
    }
    shown
}

impl Style {
    fn switch(&mut self, codes: &str) {
        let mut codes = codes.split(';').peekable();
        while let Some(code) = codes.next() {
            // A colour takes what follows: `5` and an index, or `2` and three parts.
            let mut colour = || {
                let count = if codes.peek() == Some(&"5") { 2 } else { 4 };
                codes.by_ref().take(count).collect::<Vec<_>>()
            };
            let base = |normal: u8, bright: u8, colour: &[&str]| match colour {
                ["5", index] => match index.parse::<u8>() {
                    Ok(index @ 0..8) => (normal + index).to_string(),
                    Ok(index @ 8..16) => (bright + index - 8).to_string(),
                    _ => colour.join(";"),
                },
                _ => colour.join(";"),
            };
            match code {
                "" | "0" => *self = Self { is_line_drawing: self.is_line_drawing, ..Self::default() },
                "38" => self.foreground = base(30, 90, &colour()),
                "48" => self.background = base(40, 100, &colour()),
                "58" => self.underline = colour().join(";"),
                "39" => self.foreground.clear(),
                "49" => self.background.clear(),
                "59" => self.underline.clear(),
                _ if code.starts_with("58:") => code.clone_into(&mut self.underline),
                _ => match code.parse() {
                    Ok(30..=37 | 90..=97) => code.clone_into(&mut self.foreground),
                    Ok(40..=47 | 100..=107) => code.clone_into(&mut self.background),
                    _ => drop(self.attributes.insert(code.to_owned())),
                },
            }
        }
    }
}

impl std::fmt::Display for Style {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let attributes: Vec<&str> = self.attributes.iter().map(String::as_str).collect();
        let Self { foreground, background, underline, .. } = self;
        write!(f, "⟦{} fg={foreground} bg={background} ul={underline}⟧", attributes.join(","))
    }
}

/// As tmux itself shows it to a terminal that knows UTF-8.
fn line_drawing(letter: char) -> char {
    const LINES: [(char, char); 11] = [
        ('j', '┘'),
        ('k', '┐'),
        ('l', '┌'),
        ('m', '└'),
        ('n', '┼'),
        ('q', '─'),
        ('t', '├'),
        ('u', '┤'),
        ('v', '┴'),
        ('w', '┬'),
        ('x', '│'),
    ];
    LINES.iter().find(|(name, _)| *name == letter).map_or(letter, |(_, line)| *line)
}

#[test]
fn what_looks_the_same_is_the_same_text() {
    let padded = "\x1b[1mab\x1b[0m   \n\x1b[44m |\x1b[49m  ";
    assert_eq!(canonical(padded), canonical("\x1b[1ma\x1b[1mb\x1b[0m\n\x1b[48;5;4m |\x1b[0m"));
    assert_ne!(canonical(padded), canonical("\x1b[1mab\n\x1b[44m |"));
    assert_eq!(canonical("\x1b[38;5;9;4:3mx"), "⟦4:3 fg=91 bg= ul=⟧x");
    assert_eq!(canonical("\x0elq\x0fq"), canonical("┌─q"));
}
