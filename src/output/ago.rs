//! How long ago, as people say it.

use jiff::fmt::friendly::{Designator, Spacing, SpanPrinter};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit};

const PRINTER: SpanPrinter = SpanPrinter::new().designator(Designator::Verbose).spacing(Spacing::BetweenUnitsAndDesignators);

/// `2 hours ago`: the largest unit alone. A clock that was ahead counts as now.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let utc = |time: Timestamp| time.to_zoned(TimeZone::UTC);
    // Months and years differ in length: these are the calendar's.
    let age = utc(now).since((Unit::Year, &utc(then))).unwrap_or_default();
    let weeks = age.get_days() / 7;
    let largest = match age {
        _ if age.get_years() > 0 => Span::new().years(age.get_years()),
        _ if age.get_months() > 0 => Span::new().months(age.get_months()),
        _ if weeks > 0 => Span::new().weeks(weeks),
        _ if age.get_days() > 0 => Span::new().days(age.get_days()),
        _ if age.get_hours() > 0 => Span::new().hours(age.get_hours()),
        _ if age.get_minutes() > 0 => Span::new().minutes(age.get_minutes()),
        _ => return "just now".to_owned(),
    };
    PRINTER.span_to_string(&-largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;

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
            (61 * DAY, "2 months ago"),
            (3 * 365 * DAY, "3 years ago"),
        ] {
            let then = Timestamp::from_second(now.as_second() - age).unwrap();
            assert_eq!(ago(then, now), said);
        }
    }
}
