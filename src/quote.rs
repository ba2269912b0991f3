//! Words that pass through a shell or through tmux as they are.

/// A word for a POSIX shell, in single quotes.
pub fn shell(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The same, without quotes where a person would write none.
pub fn shell_if_needed(word: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./=:,@%+".contains(&b);
    // zsh expands a word that begins with `=`.
    let is_plain = !word.is_empty() && !word.starts_with('=') && word.bytes().all(is_plain);
    if is_plain { word.to_owned() } else { shell(word) }
}

/// An argument for tmux, which takes a last `;` for the end of the command.
pub fn tmux_argument(word: &str) -> String {
    match word.strip_suffix(';') {
        Some(rest) => format!(r"{rest}\;"),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_shell() {
        assert_eq!(shell("it's"), r"'it'\''s'");
        for (word, quoted) in [("a-b/c.d", "a-b/c.d"), ("", "''"), ("=main", "'=main'"), ("a b", "'a b'"), ("$x", "'$x'")] {
            assert_eq!(shell_if_needed(word), quoted);
        }
    }

    #[test]
    fn a_last_semicolon_is_not_a_separator() {
        for (word, escaped) in [("a;", r"a\;"), ("a;b", "a;b"), (";", r"\;"), (r"a\;", r"a\\;")] {
            assert_eq!(tmux_argument(word), escaped);
        }
    }
}
