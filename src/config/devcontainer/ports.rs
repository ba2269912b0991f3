//! Ports of the container that are reached on the host.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use super::entry::{Becomes, Entry, Read, each, kept, left, notable, refused};
use super::{Decoder, json};
use crate::config::part::Port;
use crate::config::source::{Source, Sourced};
use crate::config::wrong::Wrong;

/// What the attributes of a port can have.
pub const ATTRIBUTES: [(&str, Read); 5] = [
    ("label", |_, _| left("a name for people")),
    ("protocol", |_, _| left("ports carry bytes of any protocol")),
    ("onAutoForward", |_, _| left("wharf forwards what the file says, and nothing by itself")),
    ("requireLocalPort", |_, _| kept("a taken port is always an error")),
    ("elevateIfNeeded", |_, _| left("a port that this user may not open is an error")),
];
/// A range of more ports than this is a mistake.
const MOST: u16 = 256;

pub fn published(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let mut is_whole = true;
    for value in each(entry.value) {
        let text = decoder.text(value)?;
        is_whole &= decoder.publish(&text, &entry.source, &json::span(value));
    }
    if is_whole { kept("`port`") } else { refused() }
}

pub fn forwarded(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let ports = decoder.texts(entry.value)?;
    if ports.is_empty() { left("there are none") } else { notable("ports are not forwarded by this version") }
}

pub fn attributes(decoder: &mut Decoder<'_>, entry: &Entry<'_>) -> Option<Becomes> {
    let members = decoder.members(entry.value)?;
    if entry.name == "otherPortsAttributes" {
        decoder.object(members, "otherPortsAttributes.", &ATTRIBUTES);
    } else {
        for port in &members.properties {
            let above = format!("portsAttributes.{}.", port.name.as_str());
            if let Some(attributes) = decoder.members(&port.value) {
                decoder.object(attributes, &above, &ATTRIBUTES);
            }
        }
    }
    kept("each by itself")
}

impl Decoder<'_> {
    /// Adds what `docker run --publish` takes: `[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]`, each a port or a range. Whether it is
    /// right.
    pub(super) fn publish(&mut self, text: &str, from: &Source, span: &Range<usize>) -> bool {
        let Some((address, host, container)) = parse(text) else {
            let hint = "write it as 3000, \"8080:80\" or \"127.0.0.1:8080:80\"";
            self.wrong(span.clone(), Wrong::new(format!("`{text}` is not a port"), hint));
            return false;
        };
        if text.ends_with("/udp") || text.ends_with("/sctp") {
            self.warn(
                span.clone(),
                Wrong::new(format!("`{text}` is left out: only TCP is published"), "write it without the protocol"),
            );
            return true;
        }
        for (container, host) in container.zip(host) {
            let value = Port { container, host, address };
            self.decoded.part.ports.push(Sourced { value, from: from.clone() });
        }
        true
    }
}

type Ports = std::ops::RangeInclusive<u16>;

/// Without an address it is the loopback's: wider only where somebody says so.
fn parse(text: &str) -> Option<(IpAddr, Ports, Ports)> {
    let ports = text.split('/').next().unwrap_or_default();
    let (before, container) = ports.rsplit_once(':').map_or((None, ports), |(before, container)| (Some(before), container));
    let container = range(container)?;
    let (address, host) = match before {
        None => (None, None),
        Some(before) => before.rsplit_once(':').map_or((None, Some(before)), |(address, host)| (Some(address), Some(host))),
    };
    let host = host.filter(|host| !host.is_empty()).map_or(Some(container.clone()), range)?;
    let address = match address.map(|address| address.trim_matches(['[', ']'])) {
        None | Some("" | "localhost") => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Some(address) => address.parse().ok()?,
    };
    (host.clone().count() == container.clone().count()).then_some((address, host, container))
}

fn range(text: &str) -> Option<Ports> {
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|&port| port > 0);
    match text.split_once('-') {
        None => port(text).map(|port| port..=port),
        Some((first, last)) => {
            let (first, last) = (port(first)?, port(last)?);
            (first <= last && last - first < MOST).then_some(first..=last)
        }
    }
}
