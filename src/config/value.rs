//! What a single value may be. A reader gives the value, or what is wrong with it.

use std::net::IpAddr;
use std::time::Duration;

use bytesize::ByteSize;
use kdl::KdlValue;

use super::forbidden;
pub use super::wrong::{Read, Wrong};
use crate::config::age::age;
use crate::model::SessionName;
use crate::nearest::nearest;
use crate::protocol::RUNTIME_DIR;

/// The engine refuses less (4 MiB before 20.10.8, then 6).
const LEAST_MEMORY: u64 = 6 << 20;
/// Less is what a launch takes on a busy machine.
const LEAST_DURATION: Duration = Duration::from_secs(1);
/// wharf waits a minute for an engine to stop a container.
const MOST_STOP_TIMEOUT: Duration = Duration::from_secs(50);
/// What the kernel can count (`PID_MAX_LIMIT`).
const MOST_PIDS: u32 = 1 << 22;
/// What wharf itself sets.
const OWN_VARIABLES: [&str; 6] = ["HOME", "USER", "LOGNAME", "WHARF_PROJECT", "WHARF_SSH_PORT", "WHARF_STOP_SIGNAL"];

pub fn text(value: &KdlValue) -> Read<String> {
    match value.as_string() {
        Some(text) if text.contains('\0') => Err(Wrong::new("a NUL byte can't be part of this", "remove it")),
        Some(text) => Ok(text.to_owned()),
        None => Err(wrong_type(value, "a string", "write it in quotes")),
    }
}

pub fn full_text(value: &KdlValue) -> Read<String> {
    let text = text(value)?;
    if text.trim().is_empty() { Err(Wrong::new("this is empty", "write a value, or remove the line")) } else { Ok(text) }
}

/// A regular expression.
pub fn pattern(value: &KdlValue) -> Read<String> {
    let text = full_text(value)?;
    match regex_lite::Regex::new(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Wrong::new(format!("`{text}` is no regular expression: {error}"), "write it as for `grep -E`")),
    }
}

pub fn boolean(value: &KdlValue) -> Read<bool> {
    value.as_bool().ok_or_else(|| wrong_type(value, "`#true` or `#false`", "KDL writes them with `#`"))
}

pub fn port(value: &KdlValue) -> Read<u16> {
    let port = integer(value, "a port")?;
    let port = u16::try_from(port).ok().filter(|&port| port > 0);
    port.ok_or_else(|| Wrong::new(format!("`{value}` is not a port"), "ports are 1 to 65535"))
}

/// Where worktrees are: a path of the host with a place for the branch.
pub fn worktrees(value: &KdlValue) -> Read<String> {
    let path = host_path(value)?;
    let hint = "write it as \"../{repo}-{branch}\"";
    if path.contains("{branch}") { Ok(path) } else { Err(Wrong::new(format!("`{path}` has no place for the branch"), hint)) }
}

/// A port of the host, or 0 for `"auto"`: the engine chooses one that is free.
pub fn host_port(value: &KdlValue) -> Read<u16> {
    if value.as_string() == Some("auto") { Ok(super::part::AUTO) } else { port(value) }
}

/// `~/` and something below it.
pub fn below_home(value: &KdlValue) -> Read<String> {
    let path = container_path(value)?;
    let is_below = path.strip_prefix("~/").is_some_and(|rest| !rest.is_empty());
    if is_below { Ok(path) } else { Err(Wrong::new(format!("`{path}` is not below `~/`"), "`mount` takes any path")) }
}

/// A path, or a name that is looked for in `PATH`.
pub fn program(value: &KdlValue) -> Read<String> {
    let text = full_text(value)?;
    let is_one_word = !text.contains(char::is_whitespace) && (text.starts_with('/') || !text.contains('/'));
    if is_one_word {
        Ok(text)
    } else {
        Err(Wrong::new(format!("`{text}` is no program"), "write a name, as \"fish\", or a whole path"))
    }
}

/// A directory of the host, or what git can clone: a URL, or `user@host:path`.
pub fn dotfiles(value: &KdlValue) -> Read<String> {
    let text = full_text(value)?;
    let is_path = text.starts_with('/') || text.starts_with("~/");
    let is_remote = !text.starts_with('-') && text.contains(':');
    if is_path || is_remote {
        Ok(text)
    } else {
        Err(Wrong::new(format!("`{text}` is neither a directory nor a git repository"), "write `~/dotfiles`, or a URL"))
    }
}

pub fn pids(value: &KdlValue) -> Read<u32> {
    let count = u32::try_from(integer(value, "a number of processes")?).ok().filter(|count| (1..=MOST_PIDS).contains(count));
    let hint = format!("write 1 to {MOST_PIDS}");
    count.ok_or_else(|| Wrong::new(format!("`{value}` is not a number of processes"), hint))
}

pub fn gpus(value: &KdlValue) -> Read<super::part::Gpus> {
    use super::part::Gpus;
    if value.as_string() == Some("all") {
        return Ok(Gpus::All);
    }
    if value.as_string() == Some("optional") {
        return Ok(Gpus::Optional);
    }
    let count = value.as_integer().and_then(|count| u16::try_from(count).ok()).filter(|&count| count > 0);
    count
        .map(Gpus::Count)
        .ok_or_else(|| Wrong::new(format!("{value} is not a number of GPUs"), "write \"all\", \"optional\" or a number from 1"))
}

pub fn cpus(value: &KdlValue) -> Read<f64> {
    // As many as an engine's number of thousandths of a millionth can say, and more than anybody has.
    #[expect(clippy::cast_precision_loss, reason = "an integer that large is refused")]
    let count = value.as_float().or_else(|| value.as_integer().map(|count| count as f64));
    let count = count.ok_or_else(|| wrong_type(value, "a number", "write it without quotes, as `cpus=2` or `cpus=0.5`"))?;
    if (0.01..=8192.0).contains(&count) {
        Ok(count)
    } else {
        Err(Wrong::new(format!("{value} is not a number of CPUs"), "write 0.01 to 8192"))
    }
}

/// How much memory a container may have.
pub fn memory(value: &KdlValue) -> Read<u64> {
    let bytes = bytes(value)?;
    let text = value.as_string().unwrap_or_default();
    if bytes < LEAST_MEMORY { Err(Wrong::new(format!("`{text}` is too little"), "the least is \"6MiB\"")) } else { Ok(bytes) }
}

pub fn bytes(value: &KdlValue) -> Read<u64> {
    let hint = "write a number with its unit, as \"512MiB\" or \"4GiB\"";
    let text = value.as_string().ok_or_else(|| wrong_type(value, "a size", hint))?;
    let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
    let bytes = text.parse::<ByteSize>().ok().filter(|_| has_unit).map(|size| size.as_u64());
    match bytes {
        Some(bytes @ 1..) if i64::try_from(bytes).is_ok() => Ok(bytes),
        _ => Err(Wrong::new(format!("`{text}` is not a size"), hint)),
    }
}

/// As docker writes a size: the units are powers of 1024, by their first letter.
pub fn docker_bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" | "b" => 0,
        "k" | "kb" => 10,
        "m" | "mb" => 20,
        "g" | "gb" => 30,
        "t" | "tb" => 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift).filter(|bytes| i64::try_from(*bytes).is_ok())
}

pub fn duration(value: &KdlValue) -> Read<Duration> {
    let hint = "write a number with its unit, as \"30m\", \"8h\" or \"2d\"";
    let text = value.as_string().ok_or_else(|| wrong_type(value, "a duration", hint))?;
    match age(text) {
        Ok(duration) if duration < LEAST_DURATION => Err(Wrong::new(format!("`{text}` is too little"), "the least is \"1s\"")),
        Ok(duration) => Ok(duration),
        Err(_) => Err(Wrong::new(format!("`{text}` is not a duration"), hint)),
    }
}

/// How long programs may take to end with their container.
pub fn stop_timeout(value: &KdlValue) -> Read<Duration> {
    let limit = duration(value)?;
    if limit > MOST_STOP_TIMEOUT { Err(Wrong::new("this is too long", "the most is \"50s\"")) } else { Ok(limit) }
}

pub fn image(value: &KdlValue) -> Read<String> {
    let text = full_text(value)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    if text.chars().all(is_plain) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Ok(text)
    } else {
        Err(Wrong::new(format!("`{text}` is not the name of an image"), "write it as for `docker pull`, as \"debian:12\""))
    }
}

pub fn session_name(value: &KdlValue) -> Read<SessionName> {
    let parsed = text(value)?.parse::<SessionName>();
    parsed.map_err(|error| Wrong::new(error.to_string(), "a name is letters, digits, `-` and `_`, as \"main\""))
}

pub fn address(value: &KdlValue) -> Read<IpAddr> {
    let text = text(value)?;
    let hint = "write one of this machine's, as \"127.0.0.1\", or \"0.0.0.0\" for all";
    text.parse().map_err(|_| Wrong::new(format!("`{text}` is not an address"), hint))
}

/// The name of a variable that may be set.
pub fn variable(name: &str) -> Read<String> {
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if OWN_VARIABLES.contains(&name) {
        Err(Wrong::new(format!("`{name}` is set by wharf"), "use another name"))
    } else if is_name {
        Ok(name.to_owned())
    } else {
        Err(Wrong::new(format!("`{name}` is not the name of a variable"), "use letters, digits and `_`; no digit first"))
    }
}

pub fn variable_name(value: &KdlValue) -> Read<String> {
    variable(&text(value)?)
}

/// What the engine takes for the name of a volume, a network or a profile.
pub fn name(value: &KdlValue) -> Read<String> {
    let text = text(value)?;
    let hint = "use at most 64 letters, digits, `_`, `.` and `-`; a letter or a digit first";
    if is_name(&text) { Ok(text) } else { Err(Wrong::new(format!("`{text}` is not a name"), hint)) }
}

/// As the engine takes it for a volume or a network.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

pub fn network(value: &KdlValue) -> Read<String> {
    let network = text(value)?;
    if network == "host" || network.starts_with("container:") {
        return Err(forbidden::because(&format!("network \"{network}\""), forbidden::NETWORK));
    }
    if ["bridge", "default", "none"].contains(&network.as_str()) {
        return Err(forbidden::because(&format!("network \"{network}\""), forbidden::ENGINES_OWN));
    }
    name(value)
}

/// A user of the image, as in its passwd(5).
pub fn user(value: &KdlValue) -> Read<super::part::User> {
    use super::part::User;
    let text = text(value)?;
    match text.as_str() {
        "host" => Ok(User::Host),
        "root" => Ok(User::Root),
        "image" => Ok(User::Image { is_mapped: false }),
        name if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.len() <= 32
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) =>
        {
            Ok(User::Named(text))
        }
        _ => Err(Wrong::new(
            format!("`{text}` is not a user"),
            "write \"host\", \"root\", \"image\", or the name of a user in the image",
        )),
    }
}

/// One of a few words.
pub fn one_of<T: Copy>(value: &KdlValue, words: &[(&str, T)]) -> Read<T> {
    let allowed = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let text = value.as_string().ok_or_else(|| wrong_type(value, "a word", &format!("write one of {allowed}")))?;
    if let Some((_, meant)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*meant);
    }
    let nearest = nearest(text, words.iter().map(|(word, _)| *word));
    let did_you = nearest.map(|word| format!("did you mean \"{word}\"? ")).unwrap_or_default();
    Err(Wrong::new(format!("`{text}` is not known here"), format!("{did_you}allowed: {allowed}")))
}

/// A path in the container, at or below which something is mounted.
pub fn container_path(value: &KdlValue) -> Read<String> {
    container_path_of(&full_text(value)?)
}

pub fn container_path_of(text: &str) -> Read<String> {
    let path = without_slash(text);
    let refuse = |hint: &str| Err(Wrong::new(format!("`{text}` can't be a path in the container"), hint));
    if !path.starts_with('/') && !path.starts_with("~/") {
        refuse("write an absolute path, or one below `~/`")
    } else if path == "/" {
        refuse("it hides all of the image; write a path below `/`")
    } else if path.split('/').any(|name| name == "..") {
        refuse("write it without `..`")
    } else if path == "/run" || path == RUNTIME_DIR || path.starts_with(&format!("{RUNTIME_DIR}/")) {
        refuse("wharf's own files are there")
    } else {
        Ok(path.to_owned())
    }
}

/// A path of the host: absolute, below `~/`, or relative to the project.
pub fn host_path(value: &KdlValue) -> Read<String> {
    let text = full_text(value)?;
    let is_anothers_home = text.starts_with('~') && text != "~" && !text.starts_with("~/");
    if is_anothers_home {
        return Err(Wrong::new(format!("`{text}` is not a path"), "only your own home directory can be written as `~`"));
    }
    Ok(without_slash(&text).to_owned())
}

/// A path within the project.
pub fn project_path(value: &KdlValue) -> Read<String> {
    let text = full_text(value)?;
    if text.starts_with('/') || text.starts_with('~') || text.split('/').any(|name| name == "..") {
        Err(Wrong::new(format!("`{text}` is not within the project"), "write it relative to the project, without `..`"))
    } else {
        Ok(without_slash(&text).trim_start_matches("./").to_owned())
    }
}

fn integer(value: &KdlValue, what: &str) -> Read<i128> {
    value.as_integer().ok_or_else(|| wrong_type(value, what, "write a whole number, without quotes"))
}

fn wrong_type(value: &KdlValue, expected: &str, hint: &str) -> Wrong {
    let found = match value {
        KdlValue::String(_) => "a string",
        KdlValue::Integer(_) | KdlValue::Float(_) => "a number",
        KdlValue::Bool(_) => "a boolean",
        KdlValue::Null => "`#null`",
    };
    Wrong::new(format!("expected {expected}, found {found}"), hint)
}

fn without_slash(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { &path[..1] } else { trimmed }
}
