//! `.dockerignore`, as docker reads it: moby's `patternmatcher`, whose patterns become regular expressions. `.gitignore` has
//! other rules, so crates for that do not fit.

use std::path::Path;

use regex_lite::Regex;

use crate::error::{Error, Result};

/// Which files of a context are left out.
#[derive(Debug, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    text: String,
    regex: Regex,
    /// `!`: what it matches is not left out after all.
    is_exception: bool,
}

impl Ignore {
    /// Errors name the file.
    pub fn parse(file: &Path, text: &str) -> Result<Self> {
        let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.starts_with('#')).map(|(i, line)| (i + 1, line.trim()));
        let patterns = lines.filter(|(_, line)| !line.is_empty()).map(|(number, line)| {
            let pattern = || {
                let (is_exception, pattern) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest.trim()));
                let text = clean(pattern);
                (!pattern.is_empty()).then(|| regex(&text)).flatten().map(|regex| Pattern { text, regex, is_exception })
            };
            pattern().ok_or_else(|| Error::BadIgnorePattern { path: file.to_owned(), line: number, pattern: line.to_owned() })
        });
        Ok(Self { patterns: patterns.collect::<Result<_>>()? })
    }

    /// Whether a file or directory is left out, by its path in the context. The last pattern that matches it, or a directory
    /// above it, decides.
    pub fn leaves_out(&self, path: &str) -> bool {
        let matches = |pattern: &Pattern| {
            let parents = path.match_indices('/').map(|(end, _)| &path[..end]);
            pattern.regex.is_match(path) || parents.into_iter().any(|parent| pattern.regex.is_match(parent))
        };
        let mut left_out = false;
        for pattern in &self.patterns {
            // One that could change nothing need not be asked.
            if pattern.is_exception == left_out && matches(pattern) {
                left_out = !pattern.is_exception;
            }
        }
        left_out
    }

    /// Whether something below a directory that is left out can be an exception. As docker has it, that is told by an
    /// exception's own first names.
    pub fn has_exception_below(&self, directory: &str) -> bool {
        let below = format!("{directory}/");
        self.patterns.iter().any(|pattern| pattern.is_exception && format!("{}/", pattern.text).starts_with(&below))
    }
}

/// As Go's `filepath.Clean`, and relative to the context.
fn clean(pattern: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in pattern.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => drop(names.pop()),
            ".." if pattern.starts_with('/') => {}
            name => names.push(name),
        }
    }
    if names.is_empty() { ".".to_owned() } else { names.join("/") }
}

/// `None` where it is no pattern.
fn regex(pattern: &str) -> Option<Regex> {
    let mut regex = "(?s)^".to_owned();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '*' if rest.peek() == Some(&'*') => {
                rest.next();
                // `**/` is any number of directories, none too.
                rest.next_if_eq(&'/');
                regex.push_str(if rest.peek().is_none() { ".*" } else { "(.*/)?" });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '\\' => regex.push_str(&regex_lite::escape(&rest.next()?.to_string())),
            // A set of characters reads the same there.
            '[' | ']' | '^' | '-' => regex.push(c),
            c => regex.push_str(&regex_lite::escape(&c.to_string())),
        }
    }
    Regex::new(&format!("{regex}$")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignore(text: &str) -> Ignore {
        Ignore::parse(Path::new(".dockerignore"), text).unwrap()
    }

    /// What docker leaves out: most are of patternmatcher's own tests.
    #[test]
    fn a_pattern_leaves_out_what_docker_leaves_out() {
        for (pattern, path, expected) in [
            ("**", "file", true),
            ("**", "dir/file", true),
            ("**/", "file", true),
            ("**/**", "dir/file", true),
            ("dir/**", "dir/file", true),
            ("dir/**", "dir", false),
            ("dir/**", "dir/dir2/file", true),
            ("**/dir2/*", "dir/dir2/file", true),
            ("**/dir2/*", "dir/dir2/dir2/file", true),
            ("**/file", "file", true),
            ("**/file", "dir/file", true),
            ("**/file", "dir/dir/file", true),
            ("**/file*", "dir/dir/file.txt", true),
            ("**/file*txt", "dir/dir/file.txt", true),
            ("**/**/*.txt", "dir/dir/file.txt", true),
            ("**/*.txt2", "dir/dir/file.txt", false),
            ("a**/*.txt", "a/file.txt", true),
            ("a**/*.txt", "a/dir/file.txt", true),
            ("a**b", "a/x/b", true),
            ("a/*.txt", "a/dir/file.txt", false),
            ("a[b-d]e", "ace", true),
            ("a[b-d]e", "aae", false),
            ("a[^b-d]e", "aze", true),
            (".*", ".foo", true),
            (".*", "foo", false),
            ("abc.def", "abcdef", false),
            ("abc?def", "abcZdef", true),
            ("abc?def", "abcdef", false),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("node_modules", "node_modules/a/b", true),
            ("node_modules", "sub/node_modules", false),
            ("/foo", "foo", true),
            ("./foo/", "foo/bar", true),
            ("a/../foo", "foo", true),
            ("# a comment", "# a comment", false),
            ("(a)+{1}$|", "(a)+{1}$|", true),
            ("größe", "größe", true),
            ("*", "a\nb", true),
        ] {
            assert_eq!(ignore(pattern).leaves_out(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        for (patterns, path, expected) in [
            ("*\n!src", "src", false),
            ("*\n!src", "src/a/b", false),
            ("*\n!src\nsrc/target", "src/target/x", true),
            ("*.md\n!README.md", "README.md", false),
            ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true),
            ("!src\n*", "src", true),
            ("**\n!**/*.rs", "a/b.rs", false),
            ("docs\n! docs/api", "docs/api/x", false),
        ] {
            assert_eq!(ignore(patterns).leaves_out(path), expected, "{patterns:?} {path}");
        }
        let some = ignore("*\n!a/b/c");
        assert_eq!(
            ["a", "a/b", "a/b/c", "a/x", "b"].map(|path| some.has_exception_below(path)),
            [true, true, true, false, false]
        );
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        for (text, message) in [
            ("a\n[", "`.dockerignore` has no pattern in line 2: `[`"),
            ("!", "`.dockerignore` has no pattern in line 1: `!`"),
            ("a\\", "`.dockerignore` has no pattern in line 1: `a\\`"),
        ] {
            assert_eq!(Ignore::parse(Path::new(".dockerignore"), text).unwrap_err().to_string(), message);
        }
    }
}
