//! What belongs to a terminal and not to a container: it goes into each attach, and is never baked in at create.

use std::fs;
use std::path::Path;

/// Where a session finds the agent of the terminal that attached last.
const AGENT_SOCKET: &str = "/run/wharf/host/agent.sock";

/// The entries of terminfo that every Debian and Alpine image with ncurses has.
const COMMON_TERMINALS: [&str; 16] = [
    "ansi",
    "dumb",
    "linux",
    "rxvt",
    "screen",
    "screen-256color",
    "sun",
    "tmux",
    "tmux-256color",
    "vt100",
    "vt102",
    "vt220",
    "vt52",
    "xterm",
    "xterm-256color",
    "xterm-color",
];

/// Variables passed on as they are, where set.
const PASSED_ON: [&str; 3] = ["COLORTERM", "LC_ALL", "LC_CTYPE"];

/// `NAME=value` for a program in the container, from the environment of the terminal at hand.
///
/// `host` looks a variable up. `TERM` becomes `xterm-256color` where images can't be expected to know the terminal,
/// `LANG` becomes `C.UTF-8` where none is set, and `TZ` is read from `/etc/localtime` where it is not.
pub fn for_terminal(host: impl Fn(&str) -> Option<String>, has_agent: bool) -> Vec<String> {
    let host = |name: &str| host(name).filter(|value| !value.is_empty());
    let term = host("TERM").filter(|term| COMMON_TERMINALS.contains(&term.as_str()));
    let mut environment = vec![
        format!("TERM={}", term.as_deref().unwrap_or("xterm-256color")),
        format!("LANG={}", host("LANG").as_deref().unwrap_or("C.UTF-8")),
    ];
    environment.extend(PASSED_ON.iter().filter_map(|name| host(name).map(|value| format!("{name}={value}"))));
    environment.extend(host("TZ").or_else(|| zone_of(Path::new("/etc/localtime"))).map(|zone| format!("TZ={zone}")));
    if has_agent {
        environment.push(format!("SSH_AUTH_SOCK={AGENT_SOCKET}"));
    }
    environment
}

/// The zone's name, as in `Europe/Berlin`, from where the link points.
fn zone_of(localtime: &Path) -> Option<String> {
    let target = fs::read_link(localtime).ok()?;
    let (_, zone) = target.to_str()?.split_once("zoneinfo/")?;
    Some(zone.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)], has_agent: bool) -> Vec<String> {
        let host = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        for_terminal(host, has_agent)
    }

    #[test]
    fn the_terminal_at_hand_decides() {
        let given = [
            ("TERM", "screen-256color"),
            ("COLORTERM", "truecolor"),
            ("LANG", "de_DE.UTF-8"),
            ("TZ", "Asia/Tokyo"),
            ("EDITOR", "vi"),
        ];
        assert_eq!(
            from(&given, true),
            [
                "TERM=screen-256color",
                "LANG=de_DE.UTF-8",
                "COLORTERM=truecolor",
                "TZ=Asia/Tokyo",
                "SSH_AUTH_SOCK=/run/wharf/host/agent.sock",
            ]
        );
    }

    #[test]
    fn an_unknown_terminal_is_called_what_images_know() {
        let environment = from(&[("TERM", "xterm-kitty"), ("TZ", "UTC")], false);
        assert_eq!(environment, ["TERM=xterm-256color", "LANG=C.UTF-8", "TZ=UTC"]);
    }
}
