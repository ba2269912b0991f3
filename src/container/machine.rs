//! What of the machine a container gets, in the engine's words.

use std::fs;
use std::os::unix::fs::MetadataExt;

use rustix::process::{getegid, getgroups};

use crate::config::Machine;
use crate::engine;

/// The name of the host in a container that may reach it: docker's own, which programs know.
const HOST_NAME: &str = "host.docker.internal";
/// What the engine replaces by the address at which it has the host.
const GATEWAY: &str = "host-gateway";

/// `groups` is what [`groups`] has given.
pub fn for_engine(machine: &Machine, groups: &[u32]) -> engine::Machine {
    let host = machine.host_access.as_ref().filter(|access| access.value);
    let host = host.map(|_| (HOST_NAME.to_owned(), GATEWAY.to_owned()));
    engine::Machine {
        ulimits: machine.ulimits.iter().map(|it| (it.name.to_owned(), it.soft, it.hard)).collect(),
        devices: machine.devices.iter().map(|device| device.path.clone()).collect(),
        groups: groups.to_vec(),
        hosts: machine.hosts.iter().map(|host| (host.name.clone(), host.address.to_string())).chain(host).collect(),
        dns: machine.dns.iter().map(|server| server.address.to_string()).collect(),
        hostname: machine.hostname.as_ref().map(|name| name.value.clone()),
    }
}

/// The groups whose members may use the devices, of those that the person is in: what one may use outside, one may inside. But
/// for root's, which would be more.
pub fn groups(machine: &Machine) -> Vec<u32> {
    let mut own: Vec<u32> = getgroups().unwrap_or_default().iter().map(|group| group.as_raw()).collect();
    own.push(getegid().as_raw());
    let owners = machine.devices.iter().filter_map(|device| fs::metadata(&device.path).ok()).map(|it| it.gid());
    let mut groups: Vec<u32> = owners.filter(|group| *group != 0 && own.contains(group)).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}
