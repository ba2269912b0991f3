//! What is wrong with a file, each with its place.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::quote;

/// So many say enough of one file.
const MOST_SHOWN: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// In bytes of the file.
    pub span: Range<usize>,
    pub message: String,
    pub hint: Option<String>,
}

/// All that is wrong with one file; never nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    pub file: String,
    pub text: String,
    pub all: Vec<Problem>,
}

impl Problems {
    /// In the order of the file, with spans that the text has. What they quote of it is shown and not obeyed.
    pub fn new(file: &str, text: &str, mut problems: Vec<Problem>) -> Self {
        for Problem { span, message, hint } in &mut problems {
            *message = quote::printable(message);
            *hint = hint.as_deref().map(quote::printable);
            let end = floor_char_boundary(text, span.end);
            let start = floor_char_boundary(text, span.start.min(end));
            *span = start..end;
        }
        problems.sort_by_key(|problem| problem.span.start);
        problems.dedup();
        Self { file: quote::printable(file), text: text.to_owned(), all: problems }
    }

    /// Each problem as compilers show theirs.
    pub fn reports(&self, is_styled: bool) -> Vec<String> {
        self.rendered(&Level::ERROR, is_styled)
    }

    /// Likewise, where they keep nobody from anything.
    pub fn warnings(&self, is_styled: bool) -> Vec<String> {
        self.rendered(&Level::WARNING, is_styled)
    }

    fn rendered(&self, level: &Level<'static>, is_styled: bool) -> Vec<String> {
        let renderer = if is_styled { Renderer::styled() } else { Renderer::plain() };
        let shown = self.all.iter().take(MOST_SHOWN).map(|problem| renderer.render(&[self.group(level.clone(), problem)]));
        let left = self.all.len().saturating_sub(MOST_SHOWN);
        shown.chain((left > 0).then(|| format!("and {left} more"))).collect()
    }

    fn group<'a>(&'a self, level: Level<'a>, problem: &'a Problem) -> Group<'a> {
        let snippet = Snippet::source(&self.text).path(&self.file).fold(true);
        let snippet = snippet.annotation(AnnotationKind::Primary.span(problem.span.clone()));
        let group = level.primary_title(&problem.message).element(snippet);
        match &problem.hint {
            Some(hint) => group.element(Level::HELP.with_name("hint").message(hint)),
            None => group,
        }
    }
}

/// One line each, for where there is no room for more.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.all.iter().take(MOST_SHOWN).enumerate() {
            let (line, column) = place(&self.text, problem.span.start);
            let end = if i == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{line}:{column}: {}", self.file, problem.message)?;
        }
        Ok(())
    }
}

/// The line and the column, from 1, in characters.
pub fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..floor_char_boundary(text, offset)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}
