//! Fuzzy search, fast enough to be done at each key.

use std::cmp::Reverse;
use std::rc::Rc;

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};

use super::row::Row;

/// A row that matches, by its place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match {
    pub row: usize,
    score: u32,
}

#[derive(Debug)]
pub struct Finder {
    matcher: Matcher,
    pattern: Pattern,
    query: String,
    matches: Vec<Match>,
}

impl Finder {
    pub fn new() -> Self {
        let mut config = Config::DEFAULT.match_paths();
        // The name comes first, and counts more than the same in the path.
        config.prefer_prefix = true;
        Self { matcher: Matcher::new(config), pattern: Pattern::default(), query: String::new(), matches: Vec::new() }
    }

    /// The best first, and in the list's order among equals.
    pub fn matches(&self) -> &[Match] {
        &self.matches
    }

    /// Searches all rows.
    pub fn search(&mut self, query: &str, rows: &[Rc<Row>]) {
        self.set_query(query);
        self.search_among((0..rows.len()).collect(), rows);
    }

    /// Searches rows that are the same as the last time.
    pub fn search_again(&mut self, query: &str, rows: &[Rc<Row>]) {
        // What goes on matches no more than what it begins with, unless a character of it means something else.
        let is_plain = !query.contains(['!', '^', '$', '\'', '\\']);
        let goes_on = is_plain && !self.query.is_empty() && query.starts_with(&self.query);
        let mut among: Vec<usize> =
            if goes_on { self.matches.iter().map(|found| found.row).collect() } else { (0..rows.len()).collect() };
        among.sort_unstable();
        self.set_query(query);
        self.search_among(among, rows);
    }

    fn set_query(&mut self, query: &str) {
        self.pattern.reparse(query, CaseMatching::Smart, Normalization::Smart);
        query.clone_into(&mut self.query);
    }

    fn search_among(&mut self, among: Vec<usize>, rows: &[Rc<Row>]) {
        let Self { pattern, matcher, .. } = self;
        let mut found = |row: usize| Some(Match { row, score: pattern.score(rows[row].haystack.slice(..), matcher)? });
        self.matches = among.into_iter().filter_map(&mut found).collect();
        self.matches.sort_by_key(|found| Reverse(found.score));
    }

    /// The characters of the row's haystack that match, in their order.
    pub fn hits(&mut self, row: &Row) -> Vec<u32> {
        let mut hits = Vec::new();
        self.pattern.indices(row.haystack.slice(..), &mut self.matcher, &mut hits);
        hits.sort_unstable();
        hits.dedup();
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picker::row::Standing;
    use crate::project::Project;

    fn rows(paths: &[&str]) -> Vec<Rc<Row>> {
        let row = |path: &&str| Rc::new(Row::new(0, &Project::from_label(path), None, Standing::New, None));
        paths.iter().map(row).collect()
    }

    fn found(finder: &Finder) -> Vec<usize> {
        finder.matches().iter().map(|found| found.row).collect()
    }

    #[test]
    fn words_match_in_any_order_and_the_name_counts_most() {
        let rows = rows(&["/src/web/archive-of-pictures", "/work/api", "/src/api", "/src/Größe"]);
        let mut finder = Finder::new();
        for (query, expected) in [
            ("", &[0, 1, 2, 3][..]),
            ("api", &[1, 2, 0]),
            ("src api", &[2, 0]),
            ("api src", &[2, 0]),
            ("src/api", &[2, 0]),
            ("größe", &[3]),
            ("grosz", &[]),
            ("!src", &[1]),
            ("API", &[]),
            ("zzz", &[]),
        ] {
            finder.search(query, &rows);
            assert_eq!(found(&finder), expected, "{query}");
        }
    }

    #[test]
    fn searching_on_finds_what_searching_anew_does() {
        let paths: Vec<String> = (0..500).map(|i| format!("/src/{}/project-{i}", ["api", "web", "Lib"][i % 3])).collect();
        let rows = rows(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        let (mut on, mut anew) = (Finder::new(), Finder::new());
        for query in ["", "p", "pr", "pro 1", "pro 12", "pro 1", "a", "!a", "!ap", "^pro", "^pro$", "web 42", "web 42L", ""] {
            on.search_again(query, &rows);
            anew.search(query, &rows);
            assert_eq!(on.matches(), anew.matches(), "{query}");
        }
    }

    #[test]
    fn hits_are_characters() {
        let rows = rows(&["/p/größe"]);
        let mut finder = Finder::new();
        finder.search("öe", &rows);
        assert_eq!(finder.hits(&rows[0]), [2, 4]);
    }
}
