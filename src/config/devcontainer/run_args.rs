//! Arguments of `docker run`, those of them that have a meaning here.

use std::ops::Range;

use super::entry::{Becomes, Entry, each, kept, left, notable};
use super::mounts::Asked;
use super::{Decoder, json};
use crate::config::machine::{self, Device, Dns, Host};
use crate::config::part::{Gpus, Variable};
use crate::config::source::{Source, Sourced};
use crate::config::value;
use crate::config::wrong::Wrong;

/// What becomes of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Capability,
    Device,
    Dns,
    Environment,
    Gpus,
    Host,
    Hostname,
    Memory,
    Mount,
    Network,
    Pids,
    Processors,
    Privileged,
    Publish,
    Security,
    Shm,
    Tmpfs,
    Ulimit,
    User,
    Volume,
    /// As it is in every container.
    Usual,
    /// It means nothing here, and nobody misses it.
    Harmless,
}

/// Options, by all of their names; whether a value follows them.
#[rustfmt::skip]
const OPTIONS: [(&[&str], bool, Kind); 34] = [
    (&["--cap-add"], true, Kind::Capability),
    (&["--device"], true, Kind::Device),
    (&["--dns"], true, Kind::Dns),
    (&["--add-host"], true, Kind::Host),
    (&["-h", "--hostname"], true, Kind::Hostname),
    (&["--privileged"], false, Kind::Privileged),
    (&["--security-opt"], true, Kind::Security),
    (&["--shm-size"], true, Kind::Shm),
    (&["--tmpfs"], true, Kind::Tmpfs),
    (&["--ulimit"], true, Kind::Ulimit),
    (&["-e", "--env"], true, Kind::Environment),
    (&["--gpus"], true, Kind::Gpus),
    (&["-m", "--memory"], true, Kind::Memory),
    (&["--mount"], true, Kind::Mount),
    (&["--network", "--net"], true, Kind::Network),
    (&["--pids-limit"], true, Kind::Pids),
    (&["--cpus"], true, Kind::Processors),
    (&["-p", "--publish"], true, Kind::Publish),
    (&["-u", "--user"], true, Kind::User),
    (&["-v", "--volume"], true, Kind::Volume),
    (&["--init"], false, Kind::Usual),
    (&["-d", "--detach"], false, Kind::Usual),
    (&["-i", "--interactive"], false, Kind::Usual),
    (&["-t", "--tty"], false, Kind::Usual),
    (&["-it"], false, Kind::Usual),
    (&["--name"], true, Kind::Harmless),
    (&["-l", "--label"], true, Kind::Harmless),
    (&["--pull"], true, Kind::Harmless),
    (&["-q", "--quiet"], false, Kind::Harmless),
    (&["--restart"], true, Kind::Harmless),
    (&["--log-driver"], true, Kind::Harmless),
    (&["--log-opt"], true, Kind::Harmless),
    (&["--memory-swap"], true, Kind::Harmless),
    (&["--cidfile"], true, Kind::Harmless),
];
/// Options without a value that wharf has nothing for; any other is followed by one.
const FLAGS: [&str; 6] = ["--rm", "-P", "--publish-all", "--read-only", "--no-healthcheck", "--oom-kill-disable"];

/// An option with its value, and where it is.
struct RunOption {
    name: String,
    value: String,
    from: Source,
    span: Range<usize>,
}

pub fn run_args(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let values = each(entry.value);
    let mut words = Vec::new();
    for value in values {
        let from = decoder.source(json::span(value).start);
        words.push((decoder.text(value)?, from, json::span(value), value));
    }
    let mut words = words.into_iter();
    let mut is_empty = true;
    while let Some((word, from, span, value)) = words.next() {
        is_empty = false;
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if word.starts_with('-') => (name.to_owned(), Some(value.to_owned())),
            _ => match word.split_once(' ') {
                // `"--name x"` is one word to docker, and no option of it; people mean two.
                Some((name, value)) if word.starts_with('-') => (name.to_owned(), Some(value.trim().to_owned())),
                _ => short(&word),
            },
        };
        let known = OPTIONS.iter().find(|(names, ..)| names.contains(&name.as_str()));
        let takes_value = known.map_or(!FLAGS.contains(&name.as_str()), |(_, takes, _)| *takes);
        let value_of =
            inline.or_else(|| if takes_value && word.starts_with('-') { words.next().map(|(word, ..)| word) } else { None });
        let option = RunOption { name, value: value_of.unwrap_or_default(), from: from.clone(), span: span.clone() };
        let becomes = match known {
            Some((.., kind)) => decoder.option(*kind, &option),
            None => notable(format!("left out: wharf has nothing for `{}`", option.name)),
        };
        let entry = Entry { name: format!("runArgs {word}"), source: from, value };
        decoder.account(&entry, becomes);
    }
    if is_empty { left("there are none") } else { kept("each by itself") }
}

/// Every name of an option that has a meaning here.
#[cfg(test)]
pub fn names() -> Vec<String> {
    OPTIONS.iter().flat_map(|(names, ..)| *names).map(|name| (*name).to_owned()).collect()
}

/// `-v/a:/b` is short for `-v /a:/b`.
fn short(word: &str) -> (String, Option<String>) {
    let is_short = word.starts_with('-') && !word.starts_with("--") && word.len() > 2 && word.is_char_boundary(2);
    let takes_value = |name: &str| OPTIONS.iter().any(|(names, takes, _)| *takes && names.contains(&name));
    if is_short && takes_value(&word[..2]) {
        return (word[..2].to_owned(), Some(word[2..].to_owned()));
    }
    (word.to_owned(), None)
}

/// As a value of KDL, whose readers say what it may be.
pub fn text(text: &str) -> kdl::KdlValue {
    kdl::KdlValue::String(text.to_owned())
}

impl Decoder<'_> {
    #[expect(clippy::too_many_lines, reason = "a table of options")]
    fn option(&mut self, kind: Kind, option: &RunOption) -> Option<Becomes> {
        let RunOption { value, from, span, .. } = option;
        match kind {
            Kind::Capability => self.capability(value, from),
            Kind::Privileged => self.privileged(option.value != "false", from),
            Kind::Security => self.security(value, from),
            Kind::Device => {
                // What it is called in the container, and what may be done with it, are the device's own.
                let path = value.split(':').next().unwrap_or_default();
                match machine::device_path(&text(path)) {
                    Ok(path) => {
                        let device = Device { path };
                        self.decoded.part.machine.devices.push(Sourced { value: device, from: from.clone() });
                        kept("`device`")
                    }
                    Err(wrong) => notable(format!("left out: {}", wrong.message)),
                }
            }
            Kind::Dns => match machine::address(&text(value)) {
                Ok(address) => {
                    self.decoded.part.machine.dns.push(Sourced { value: Dns { address }, from: from.clone() });
                    kept("`dns`")
                }
                Err(_) => self.no_value(option, "as \"10.0.0.5\""),
            },
            Kind::Host => {
                let (name, address) = value.split_once([':', '=']).unwrap_or((value, ""));
                if address == "host-gateway" && name == "host.docker.internal" {
                    self.decoded.part.machine.host_access = Some(Sourced { value: true, from: from.clone() });
                    return kept("`host-access`");
                }
                match machine::host_name(&text(name)).and_then(|name| Ok((name, machine::address(&text(address))?))) {
                    Ok((name, address)) => {
                        let host = Host { name, address };
                        self.decoded.part.machine.hosts.push(Sourced { value: host, from: from.clone() });
                        kept("`host`")
                    }
                    Err(wrong) => notable(format!("left out: {}", wrong.message)),
                }
            }
            Kind::Hostname => match machine::own_name(&text(value)) {
                Ok(value) => {
                    self.decoded.part.machine.hostname = Some(Sourced { value, from: from.clone() });
                    kept("`hostname`")
                }
                Err(wrong) => notable(format!("left out: {}", wrong.message)),
            },
            Kind::Shm => match value::docker_bytes(value) {
                Some(value) => {
                    self.decoded.part.limits.shm = Some(Sourced { value, from: from.clone() });
                    kept("`limits shm=`")
                }
                None => self.no_value(option, "as \"1g\""),
            },
            Kind::Tmpfs => {
                let (target, options) = value.split_once(':').unwrap_or((value, ""));
                let size = options.split(',').find_map(|option| value::docker_bytes(option.strip_prefix("size=")?));
                self.tmpfs(target, size, from, span)
            }
            Kind::Ulimit => match machine::docker_ulimit(value) {
                Some(ulimit) => {
                    self.decoded.part.machine.ulimits.push(Sourced { value: ulimit, from: from.clone() });
                    kept("`ulimit`")
                }
                None => self.no_value(option, "as \"nofile=1024:2048\""),
            },
            Kind::Environment => {
                let (name, value) = value.split_once('=').map_or((value.as_str(), None), |(name, value)| (name, Some(value)));
                match value::variable(name) {
                    Ok(name) => {
                        let variable = Variable { name, value: value.map(str::to_owned), written: None };
                        self.decoded.part.variables.push(Sourced { value: variable, from: from.clone() });
                        kept("`env`")
                    }
                    Err(Wrong { message, .. }) => left(message),
                }
            }
            Kind::Gpus => {
                let gpus = value.parse().map_or(Gpus::All, Gpus::Count);
                self.decoded.part.limits.gpus = Some(Sourced { value: gpus, from: from.clone() });
                kept("`limits gpus=`")
            }
            Kind::Memory => match value::docker_bytes(value) {
                Some(bytes) => {
                    self.decoded.part.limits.memory = Some(Sourced { value: bytes, from: from.clone() });
                    kept("`limits memory=`")
                }
                None => self.no_value(option, "as \"4g\""),
            },
            Kind::Processors => match value.parse::<f64>().ok().filter(|count| (0.01..=8192.0).contains(count)) {
                Some(count) => {
                    self.decoded.part.limits.cpus = Some(Sourced { value: count, from: from.clone() });
                    kept("`limits cpus=`")
                }
                None => self.no_value(option, "as \"2\" or \"0.5\""),
            },
            Kind::Pids => match value.parse::<i64>() {
                Ok(count) => {
                    let limit = u32::try_from(count).ok().filter(|count| *count > 0);
                    self.decoded.part.limits.pids = limit.map(|value| Sourced { value, from: from.clone() });
                    kept("`limits pids=`")
                }
                Err(_) => self.no_value(option, "as \"4096\""),
            },
            Kind::Mount => {
                let asked = self.asked(value, span)?;
                self.mount(&asked, from, span)
            }
            Kind::Volume => self.mount(&Asked::of_volume(value), from, span),
            Kind::Network => self.network(value, from),
            Kind::Publish => {
                if self.publish(value, from, span) {
                    kept("`port`")
                } else {
                    None
                }
            }
            Kind::User => {
                self.user.container.get_or_insert_with(|| (value.clone(), from.clone()));
                kept("`user`, where nothing says another")
            }
            Kind::Usual => kept("as in every container"),
            Kind::Harmless => left("wharf has a way of its own for this"),
        }
    }

    fn network(&mut self, value: &str, from: &Source) -> Option<Becomes> {
        match value {
            "bridge" | "default" => kept("as in every container"),
            "host" => notable(format!("left out: {}", crate::config::forbidden::NETWORK)),
            _ if value::is_name(value) => {
                self.decoded.part.network = Some(Sourced { value: value.to_owned(), from: from.clone() });
                kept("`network`")
            }
            _ => notable(format!("left out: wharf has no network `{value}`")),
        }
    }

    fn no_value(&mut self, option: &RunOption, hint: &str) -> Option<Becomes> {
        let message = format!("`{}` is no value for `{}`", option.value, option.name);
        self.wrong(option.span.clone(), Wrong::new(message, format!("write it {hint}")));
        None
    }
}
