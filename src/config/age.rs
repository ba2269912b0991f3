//! How long something has been so, as people write it: `30m`, `12h`, `30d`.

use std::time::Duration;

use jiff::SignedDuration;

/// Days have 24 hours here.
pub fn age(text: &str) -> Result<Duration, String> {
    let span: jiff::Span = text.parse().map_err(|_| "it has to be an age, as in `30d` or `12h`".to_owned())?;
    let age = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours());
    let age = age.map_err(|_| "months and years differ in length: say it in days, as in `30d`".to_owned())?;
    age.try_into().map_err(|_| "it has to be in the past, as in `30d`".to_owned())
}

/// What [`age`] reads as the same again; the hour is its largest unit.
pub fn written(age: Duration) -> String {
    SignedDuration::try_from(age).map_or_else(|_| format!("{}s", age.as_secs()), |age| format!("{age:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let day = Duration::from_secs(24 * 60 * 60);
        for (text, expected, shown) in [
            ("30d", 30 * day, "720h"),
            ("2w", 14 * day, "336h"),
            ("36h", day * 3 / 2, "36h"),
            ("1d 12h", day * 3 / 2, "36h"),
            ("90s", Duration::from_secs(90), "1m 30s"),
            ("0s", Duration::ZERO, "0s"),
        ] {
            assert_eq!(age(text), Ok(expected), "{text}");
            assert_eq!((written(expected).as_str(), age(shown)), (shown, Ok(expected)));
        }
        for (text, message) in [
            ("30", "it has to be an age, as in `30d` or `12h`"),
            ("", "it has to be an age, as in `30d` or `12h`"),
            ("1mo", "months and years differ in length: say it in days, as in `30d`"),
            ("-1d", "it has to be in the past, as in `30d`"),
        ] {
            assert_eq!(age(text), Err(message.to_owned()), "{text}");
        }
    }
}
