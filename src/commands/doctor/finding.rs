//! What a check has found.

use serde::Serialize;

use crate::error::Error;
use crate::quote;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    /// wharf works, and could do more.
    Warning,
    Problem,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in one word.
    pub check: &'static str,
    pub state: Verdict,
    pub found: String,
    /// What helps; there wherever the state is not ok.
    pub hint: Option<String>,
}

impl Finding {
    pub fn ok(check: &'static str, found: &str) -> Self {
        Self { check, state: Verdict::Ok, found: quote::printable(found), hint: None }
    }

    pub fn warning(check: &'static str, found: &str, hint: &str) -> Self {
        Self { state: Verdict::Warning, hint: Some(quote::visible(hint)), ..Self::ok(check, found) }
    }

    pub fn problem(check: &'static str, found: &str, hint: &str) -> Self {
        Self { state: Verdict::Problem, ..Self::warning(check, found, hint) }
    }

    /// What has failed; `hint` is for errors that have none of their own. That the engine is lost is a problem of the engine's.
    pub fn of(check: &'static str, error: &Error, hint: &str) -> Self {
        if error.is_engine_lost() {
            return Self::without_engine(check);
        }
        Self::problem(check, &error.to_string(), error.hint().as_deref().unwrap_or(hint))
    }

    pub fn without_engine(check: &'static str) -> Self {
        Self::warning(check, "nobody can say without the engine", "see to the engine first")
    }

    /// What could not be found out in time.
    pub fn late(check: &'static str) -> Self {
        Self::warning(check, "nobody has said in time", "the engine or the disk is slow: `wharf doctor` again when it is not")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_failed_has_a_hint_and_is_one_line() {
        let wrong = Error::Options { problems: vec!["a\u{1b}[31m".to_owned(), "b".to_owned()] };
        assert_eq!(Finding::of("keys", &wrong, "correct it"), Finding::problem("keys", "a [31m b", "correct it"));
        let none = Error::NoImage { image: "wharf-default:latest".to_owned() };
        let hint = "make it with `wharf image build`, or name another with `--image`";
        let found = "there is no image `wharf-default:latest` on this engine";
        assert_eq!(Finding::of("image", &none, ""), Finding::problem("image", found, hint));
    }

    #[test]
    fn an_engine_that_is_lost_is_not_the_images_fault() {
        let lost = Error::EngineForbidden { socket: "/x".into() };
        assert_eq!(Finding::of("image", &lost, "").state, Verdict::Warning);
    }
}
