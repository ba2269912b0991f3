//! The signals by which a session's command can be told to end.

use rustix::process::Signal;

pub const NAMES: [&str; 7] = ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH"];

/// The signal of one of the names.
pub fn named(name: &str) -> Option<Signal> {
    Some(match name {
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "QUIT" => Signal::QUIT,
        "TERM" => Signal::TERM,
        "USR1" => Signal::USR1,
        "USR2" => Signal::USR2,
        "WINCH" => Signal::WINCH,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_a_signals() {
        assert!(NAMES.iter().all(|name| named(name).is_some()));
        assert_eq!(named("KILL"), None);
    }
}
