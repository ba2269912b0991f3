//! How long ago, as people say it.

use jiff::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Units, each until the next one is more than one.
const UNITS: [(i64, &str); 6] =
    [(MINUTE, "minute"), (HOUR, "hour"), (DAY, "day"), (7 * DAY, "week"), (30 * DAY, "month"), (365 * DAY, "year")];

/// `2 hours ago`. A clock that was ahead counts as now.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let age = now.as_second().saturating_sub(then.as_second());
    match UNITS.iter().rev().find(|(length, _)| age >= *length) {
        None => "just now".to_owned(),
        Some((length, unit)) => {
            let count = age / length;
            format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        for (age, said) in [
            (-5, "just now"),
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (2 * MINUTE + 59, "2 minutes ago"),
            (HOUR, "1 hour ago"),
            (2 * HOUR, "2 hours ago"),
            (DAY, "1 day ago"),
            (6 * DAY, "6 days ago"),
            (7 * DAY, "1 week ago"),
            (29 * DAY, "4 weeks ago"),
            (60 * DAY, "2 months ago"),
            (3 * 365 * DAY, "3 years ago"),
        ] {
            let then = Timestamp::from_second(now.as_second() - age).unwrap();
            assert_eq!(ago(then, now), said);
        }
    }
}
