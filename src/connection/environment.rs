//! What belongs to a terminal and not to a container: it goes into each attach, and is never baked in at create.

use std::fs;
use std::path::Path;

/// Where a session finds the agent of the terminal that attached last.
const AGENT_SOCKET: &str = "/run/wharf/host/agent.sock";

/// The entries of terminfo that every Debian and Alpine image with ncurses has.
pub const COMMON_TERMINALS: [&str; 16] = [
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

/// Variables passed on beside `LANG`, where set.
const LOCALE: [&str; 2] = ["LC_ALL", "LC_CTYPE"];
/// English, sorted by code points, and there without anything installed.
const UTF8: &str = "C.UTF-8";

/// `NAME=value` for a program in the container, from the environment of the terminal at hand.
///
/// `host` looks a variable up. `TERM` becomes `xterm-256color` where images can't be expected to know the terminal,
/// `LANG` becomes `C.UTF-8` where none is set, and `TZ` is read from `/etc/localtime` where it is not. A locale that is
/// about bytes becomes the one that is the same about UTF-8: it is about what the host has installed, not about its terminal.
pub fn for_terminal(host: impl Fn(&str) -> Option<String>, has_agent: bool) -> Vec<String> {
    let host = |name: &str| host(name).filter(|value| !value.is_empty());
    let locale =
        |name: &str| host(name).map(|value| if ["C", "POSIX"].contains(&value.as_str()) { UTF8.to_owned() } else { value });
    // Many call their tmux `screen`, which can do less. In a GNU screen within tmux, it is one.
    let is_tmux = host("TMUX").is_some() && host("STY").is_none();
    let term = host("TERM").map(|term| if is_tmux && term.starts_with("screen") { "tmux-256color".to_owned() } else { term });
    let term = term.filter(|term| COMMON_TERMINALS.contains(&term.as_str()));
    let mut environment = vec![
        format!("TERM={}", term.as_deref().unwrap_or("xterm-256color")),
        format!("LANG={}", locale("LANG").as_deref().unwrap_or(UTF8)),
    ];
    environment.extend(host("COLORTERM").map(|value| format!("COLORTERM={value}")));
    environment.extend(LOCALE.iter().filter_map(|name| locale(name).map(|value| format!("{name}={value}"))));
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
    #[test]
    fn a_tmux_that_is_called_screen_is_tmux() {
        let within = |given: &[(&str, &str)]| from(&[given, &[("TZ", "UTC")]].concat(), false)[0].clone();
        assert_eq!(within(&[("TERM", "screen-256color"), ("TMUX", "/tmp/x,1,0")]), "TERM=tmux-256color");
        assert_eq!(within(&[("TERM", "screen"), ("TMUX", "/tmp/x,1,0"), ("STY", "1.pts")]), "TERM=screen");
        assert_eq!(within(&[("TERM", "xterm-256color"), ("TMUX", "/tmp/x,1,0")]), "TERM=xterm-256color");
    }

    #[test]
    fn a_locale_of_bytes_becomes_one_of_characters() {
        let given = [("TERM", "xterm"), ("LANG", "C"), ("LC_ALL", "POSIX"), ("LC_CTYPE", "de_DE.UTF-8"), ("TZ", "UTC")];
        assert_eq!(from(&given, false), ["TERM=xterm", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "LC_CTYPE=de_DE.UTF-8", "TZ=UTC"]);
    }
}
