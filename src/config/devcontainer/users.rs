//! Who runs things in the container, and what they may.

use jsonc_parser::ast::Value;

use super::entry::{Becomes, Entry, Read, each, kept, left, notable};
use super::run_args::text;
use super::{Decoder, json};
use crate::config::machine::{self, Capability};
use crate::config::part::{Gpus, OnExit, SecurityOption, User};
use crate::config::source::{Source, Sourced};
use crate::config::wrong::Wrong;

/// What root has in other tools' containers beside what it always has here.
const USUAL_CAPABILITIES: [&str; 6] = ["AUDIT_WRITE", "MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT"];

/// What the file says of users, property by property.
#[derive(Debug)]
pub struct Said {
    remote: Option<(String, Source)>,
    pub container: Option<(String, Source)>,
    is_mapped: bool,
    /// Whether no program may gain rights.
    pub keeps_rights: bool,
}

impl Default for Said {
    fn default() -> Self {
        Self { remote: None, container: None, is_mapped: true, keeps_rights: false }
    }
}

/// What `hostRequirements` can have.
pub const REQUIREMENTS: [(&str, Read); 4] = [
    ("cpus", |decoder, entry| decoder.text(entry.value).and_then(|_| left("a machine is what it is"))),
    ("memory", |decoder, entry| decoder.text(entry.value).and_then(|_| left("a machine is what it is"))),
    ("storage", |decoder, entry| decoder.text(entry.value).and_then(|_| left("a machine is what it is"))),
    ("gpu", gpu),
];

pub fn remote(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let name = decoder.text(entry.value)?;
    decoder.user.remote = Some((name, entry.source.clone())).filter(|(name, _)| !name.is_empty());
    kept("`user`")
}

pub fn container(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let name = decoder.text(entry.value)?;
    decoder.user.container = Some((name, entry.source.clone())).filter(|(name, _)| !name.is_empty());
    kept("`user`, where `remoteUser` says no other")
}

pub fn update(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    decoder.user.is_mapped = decoder.boolean(entry.value)?;
    kept("`user` … `ids`")
}

pub fn probe(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let words = [("none", ()), ("loginInteractiveShell", ()), ("interactiveShell", ()), ("loginShell", ())];
    decoder.word(entry.value, &words)?;
    left("a session's shell reads its own files")
}

pub fn init(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    decoder.boolean(entry.value)?;
    kept("every container has an init")
}

pub fn privileged(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let privileged = decoder.boolean(entry.value)?;
    decoder.privileged(privileged, &entry.source)
}

pub fn capabilities(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    for value in each(entry.value) {
        let from = decoder.source(json::span(value).start);
        let name = decoder.text(value)?;
        let becomes = decoder.capability(&name, &from);
        decoder.account(&Entry { name: format!("capAdd {name}"), source: from, value }, becomes);
    }
    kept("each by itself")
}

pub fn security(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    for value in each(entry.value) {
        let from = decoder.source(json::span(value).start);
        let option = decoder.text(value)?;
        let becomes = decoder.security(&option, &from);
        decoder.account(&Entry { name: format!("securityOpt {option}"), source: from, value }, becomes);
    }
    kept("each by itself")
}

pub fn requirements(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let members = decoder.members(entry.value)?;
    decoder.object(members, "hostRequirements.", &REQUIREMENTS);
    kept("each by itself")
}

pub fn override_command(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    if decoder.boolean(entry.value)? {
        kept("the container runs wharf's own first process")
    } else {
        notable("no effect: the container runs wharf's own first process, and not the image's")
    }
}

pub fn shutdown(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let words = [("none", OnExit::Keep), ("stopContainer", OnExit::Stop), ("stopCompose", OnExit::Stop)];
    let on_exit = decoder.word(entry.value, &words)?;
    decoder.decoded.part.on_exit = Some(Sourced { value: on_exit, from: entry.source.clone() });
    kept("`on-exit`")
}

fn gpu(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let gpus = match entry.value {
        Value::BooleanLit(boolean) if !boolean.value => return kept("none are asked for"),
        Value::StringLit(text) if text.value == "optional" => Gpus::Optional,
        Value::BooleanLit(_) | Value::Object(_) => Gpus::All,
        other => {
            decoder
                .wrong(json::span(other), Wrong::new("expected `true`, `false`, \"optional\" or an object", "write one of them"));
            return None;
        }
    };
    decoder.decoded.part.limits.gpus = Some(Sourced { value: gpus, from: entry.source.clone() });
    kept("`limits gpus=`")
}

impl Decoder<'_> {
    /// It takes the person's own word as well: see [`crate::config::Trusted`].
    pub(super) fn privileged(&mut self, privileged: bool, from: &Source) -> Option<Becomes> {
        if !privileged {
            return kept("as every container");
        }
        self.decoded.part.privileged = Some(Sourced { value: true, from: from.clone() });
        kept("with `wharf trust --privileged`")
    }

    pub(super) fn capability(&mut self, name: &str, from: &Source) -> Option<Becomes> {
        match machine::capability(&text(&name.to_ascii_uppercase())) {
            Ok(name) => {
                self.decoded.part.machine.capabilities.push(Sourced { value: Capability { name }, from: from.clone() });
                kept("`capability`")
            }
            Err(wrong) => notable(format!("left out: {}", wrong.message)),
        }
    }

    pub(super) fn security(&mut self, option: &str, from: &Source) -> Option<Becomes> {
        let option = option.replacen(':', "=", usize::from(!option.contains('=')));
        if option.starts_with("no-new-privileges") {
            self.user.keeps_rights = !option.ends_with("false");
            return kept("no `sudo`");
        }
        if ["seccomp=", "apparmor=", "label="].iter().any(|known| option.starts_with(known)) {
            let value = SecurityOption(option);
            self.decoded.part.security.push(Sourced { value, from: from.clone() });
            return kept("as it is");
        }
        notable("left out: wharf has nothing for it")
    }

    /// Who that is, the image says where the file does not. Whoever it is can become root by `sudo`, as elsewhere.
    pub(super) fn finish_user(&mut self) {
        let Said { remote, container, is_mapped, keeps_rights } = std::mem::take(&mut self.user);
        let (user, from) = match remote.or(container) {
            Some((name, from)) => {
                let name = name.split(':').next().unwrap_or_default().to_owned();
                let user = match name.as_str() {
                    "root" | "0" => User::Root,
                    _ if is_mapped => User::Mapped(name),
                    _ => User::Named(name),
                };
                (user, from)
            }
            None => (User::Image { is_mapped }, self.source_of_file()),
        };
        for name in USUAL_CAPABILITIES {
            let value = Capability { name };
            self.decoded.part.machine.capabilities.push(Sourced { value, from: from.clone() });
        }
        self.decoded.part.sudo = Some(Sourced { value: !keeps_rights, from: from.clone() });
        self.decoded.part.user = Some(Sourced { value: user, from });
    }
}
