//! When a container has been idle for so long that it is to be stopped.

use std::time::Duration;

use crate::model::Session;

/// How much longer nobody may use a container before it is stopped; `None` where that has been long enough.
///
/// `unused` is how long nobody has had a program or a terminal in it, and `now` the seconds since the epoch.
pub fn time_left<Name>(limit: Duration, unused: Duration, sessions: &[Session<Name>], now: Duration) -> Option<Duration> {
    if sessions.iter().any(|session| session.attached > 0) {
        return Some(limit);
    }
    // tmux says in which second it was, so it may have been at that one's end.
    let quiet = sessions.iter().map(|session| {
        let last = u64::try_from(session.activity.max(session.created)).unwrap_or_default();
        now.saturating_sub(Duration::from_secs(last.saturating_add(1)))
    });
    let idle = quiet.fold(unused, Duration::min);
    Some(limit.saturating_sub(idle)).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_idle_since_the_last_thing_that_happened_in_it() {
        let seconds = Duration::from_secs;
        let session = |created, activity, attached| Session { created, activity, attached, ..Session::new("long build") };
        for (unused, sessions, left) in [
            (0, vec![], Some(60)),
            (59, vec![], Some(1)),
            (60, vec![], None),
            (600, vec![], None),
            // A program that runs for a client counts as a client.
            (0, vec![session(1, 1, 0)], Some(60)),
            (600, vec![session(1, 1, 1)], Some(60)),
            (600, vec![session(1, 1, 0)], None),
            (600, vec![session(1, 990, 0)], Some(51)),
            (30, vec![session(1, 990, 0)], Some(51)),
            (5, vec![session(1, 990, 0)], Some(55)),
            (600, vec![session(1, 939, 0)], None),
            (600, vec![session(1, 940, 0)], Some(1)),
            (600, vec![session(995, 0, 0)], Some(56)),
            (600, vec![session(1, 1, 0), session(1, 990, 0)], Some(51)),
            (600, vec![session(1, 1, 0), session(1, 1, 2)], Some(60)),
            // The clock has been set back, or the container lies.
            (600, vec![session(1, 5000, 0)], Some(60)),
            (600, vec![session(1, i64::MAX, 0)], Some(60)),
            (600, vec![session(i64::MIN, i64::MIN, 0)], None),
        ] {
            let found = time_left(seconds(60), seconds(unused), &sessions, seconds(1000));
            assert_eq!(found, left.map(seconds), "{unused} {sessions:?}");
        }
    }
}
