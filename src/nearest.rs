//! What somebody may have meant who has misspelt a word.

/// The known word that is most like the text, where any is at all: nothing like it would be no help.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known = known.into_iter().map(|word| (strsim::jaro_winkler(word, text), word));
    let alike = known.filter(|(likeness, _)| *likeness > 0.7);
    alike.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
}
