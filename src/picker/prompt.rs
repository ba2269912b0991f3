//! The line that is typed.

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    text: String,
    /// A byte offset, between two characters.
    cursor: usize,
}

/// What a key does to the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    Left,
    Right,
    Start,
    End,
    DeleteBefore,
    DeleteAt,
    DeleteToStart,
    DeleteWord,
}

impl Prompt {
    pub fn new(text: &str) -> Self {
        let mut prompt = Self::default();
        prompt.insert(text);
        prompt
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// What is typed or pasted, without what would not be shown.
    pub fn insert(&mut self, text: &str) {
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        self.text.insert_str(self.cursor, &text);
        self.cursor += text.len();
    }

    pub fn edit(&mut self, edit: Edit) {
        let before = |text: &str| text.chars().next_back().map_or(0, char::len_utf8);
        match edit {
            Edit::Left => self.cursor -= before(self.before_cursor()),
            Edit::Right => self.cursor += self.text[self.cursor..].chars().next().map_or(0, char::len_utf8),
            Edit::Start => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
            Edit::DeleteBefore => self.delete_from(self.cursor - before(self.before_cursor())),
            Edit::DeleteAt => {
                if self.cursor < self.text.len() {
                    self.text.remove(self.cursor);
                }
            }
            Edit::DeleteToStart => self.delete_from(0),
            Edit::DeleteWord => {
                let words = self.before_cursor().trim_end_matches(' ');
                let start = words.rfind(' ').map_or(0, |space| space + 1);
                self.delete_from(start);
            }
        }
    }

    fn delete_from(&mut self, start: usize) {
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_edited_as_in_a_shell() {
        use Edit::{DeleteAt, DeleteBefore, DeleteToStart, DeleteWord, End, Left, Right, Start};
        for (text, edits, expected) in [
            ("", &[Left, Right, Start, End, DeleteBefore, DeleteAt, DeleteToStart, DeleteWord][..], "|"),
            ("größe", &[DeleteBefore], "größ|"),
            ("größe", &[Left, Left, DeleteBefore], "gr|ße"),
            ("größe", &[Start, DeleteAt, Right], "r|öße"),
            ("one two  ", &[DeleteWord], "one |"),
            ("one two", &[Left, DeleteWord], "one |o"),
            ("one two", &[DeleteWord, DeleteWord, DeleteWord], "|"),
            ("one two", &[Left, DeleteToStart, End], "o|"),
        ] {
            let mut prompt = Prompt::new(text);
            for &edit in edits {
                prompt.edit(edit);
            }
            let (before, after) = prompt.text().split_at(prompt.before_cursor().len());
            assert_eq!(format!("{before}|{after}"), expected, "{text} {edits:?}");
        }
    }

    #[test]
    fn what_is_pasted_is_one_line() {
        let mut prompt = Prompt::new("ac");
        prompt.edit(Edit::Left);
        prompt.insert("\u{1b}[31mb\r\n\t");
        assert_eq!((prompt.text(), prompt.before_cursor()), ("a[31mbc", "a[31mb"));
    }
}
