//! Times as the clock on the wall has them, for people; what programs read stays in UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-01-31 18:05:09`, in the time zone of `TZ` or else of the machine.
pub fn local(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Of a time as labels and engines have it (RFC 3339); what is none stays as it is.
pub fn local_of(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), local)
}
