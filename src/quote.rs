//! Words that pass through a shell, through tmux or to the terminal as they are.

/// A word for a POSIX shell, in single quotes.
pub fn shell(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A word for a POSIX shell, without quotes where a person would write none.
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

/// One word for tmux's parser, whatever is in it.
pub fn tmux_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Text that a format of tmux's shows as it is.
pub fn tmux_format(text: &str) -> String {
    text.replace('#', "##")
}

/// The longest text of a stranger's that is shown, in characters.
const MOST_SHOWN: usize = 500;

/// Whether a terminal shows a character and does nothing else. Not whatever a debugger would not show as it is: control
/// characters, those that turn the writing's direction, and the like.
pub fn is_shown(c: char) -> bool {
    matches!(c, '\'' | '"' | '\\') || c.escape_debug().len() == 1
}

/// A name of somebody else's, all of it: what is not shown is written as in Rust.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_shown(c) { shown.push(c) } else { shown.extend(c.escape_debug()) }
    }
    shown
}

/// Text of several lines, whose breaks stay; what else is not shown is written as in Rust.
pub fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// What a program in a container says, for one line of the terminal: shown and not obeyed.
pub fn printable(text: &str) -> String {
    let words = text.split(|c| !is_shown(c) || c == ' ').filter(|word| !word.is_empty());
    let mut line = String::new();
    for (i, word) in words.enumerate() {
        line.extend((i > 0).then_some(' '));
        line.push_str(word);
        if line.chars().count() > MOST_SHOWN {
            line = line.chars().take(MOST_SHOWN).chain(['…']).collect();
            break;
        }
    }
    line
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

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        assert_eq!(visible_lines("`a\u{1b}]0;x\u{7}`\r\n  größe\t"), "`a\\u{1b}]0;x\\u{7}`\\r\n  größe\\t");
        assert_eq!(visible("a\nb"), "a\\nb");
    }

    #[test]
    fn what_strangers_say_is_one_line() {
        for (text, shown) in [
            ("it's \"größe\"\\n", "it's \"größe\"\\n"),
            ("a\u{1b}[2J\u{7}b\r\n  c\t\u{9b}1m", "a [2J b c 1m"),
            ("to\u{202e}ward", "to ward"),
            ("\n", ""),
        ] {
            assert_eq!(printable(text), shown);
        }
        let long = printable(&"x".repeat(1 << 20));
        assert_eq!((long.chars().count(), long.chars().last()), (MOST_SHOWN + 1, Some('…')));
    }
}
