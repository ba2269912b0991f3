//! The configuration as KDL, each value with where it came from. What it prints can be read again.

use std::fmt::Write;
use std::net::IpAddr;

use bytesize::ByteSize;

use super::machine::Machine;
use super::merge::{Config, Image};
use super::part::{
    AUTO, Build, Command, Dotfiles, Feature, Gpus, Mount, OnExit, Part, Port, Property, Ready, Session, SessionVariable, User,
    Variable, Volume, WaitFor, Way, WorkspaceSource,
};
use super::source::{Source, Sourced};
use crate::protocol::ON_FAILURE;
use crate::quote;

/// Lines, and what each says of its source.
struct Lines(String);

impl Lines {
    fn say(&mut self, line: &str, from: &Source) {
        let _ = writeln!(self.0, "{line}  // {from}");
    }

    fn each<T>(&mut self, values: &[Sourced<T>], line: impl Fn(&T) -> String) {
        for value in values {
            self.say(&line(&value.value), &value.from);
        }
    }

    /// A list within braces.
    fn block<T>(&mut self, name: &str, values: &[Sourced<T>], line: impl Fn(&T) -> String) {
        if !values.is_empty() {
            let _ = writeln!(self.0, "{name} {{");
            self.each(values, |value| format!("    {}", line(value)));
            self.0.push_str("}\n");
        }
    }
}

pub fn show(config: &Config) -> String {
    let mut lines = Lines(String::new());
    let image = match &config.image.value {
        Image::Named(name) => format!("image {}", quoted(name)),
        Image::Built(build) => build_line(build),
    };
    lines.say(&image, &config.image.from);
    let part = as_part(config);
    show_part(&mut lines, &part);
    for profile in &config.profiles {
        let mut inner = Lines(String::new());
        if let Some(image) = &profile.part.image {
            inner.say(&format!("image {}", quoted(image)), &image.from);
        }
        if let Some(build) = &profile.part.build {
            inner.say(&build_line(build), &build.from);
        }
        show_part(&mut inner, &profile.part);
        let indented: String = inner.0.lines().map(|line| format!("    {line}\n")).collect();
        let _ = write!(lines.0, "profile {} {{  // {}\n{indented}}}\n", quoted(&profile.name), profile.from);
    }
    lines.each(config.dotfiles.as_slice(), dotfiles_line);
    lines.each(&config.projects, |root| format!("projects {}", quoted(&root.0)));
    // Each of them, so that people see what of the file counts, and how.
    lines.each(&config.properties, |Property { name, becomes, .. }| {
        format!("// {}: {}", quote::printable(name), quote::printable(becomes))
    });
    lines.0
}

/// All but the image and what a profile can't hold.
fn show_part(lines: &mut Lines, part: &Part) {
    lines.each(&part.features, |Feature { id, options }| {
        let options = options.iter().map(|(name, value)| format!("option {} {}; ", quoted(name), quoted(value)));
        braced(&format!("feature {}", quoted(id)), options.collect())
    });
    lines.each(part.feature_order.as_slice(), |order| format!("feature-order {}", words(order)));
    let one = |lines: &mut Lines, value: &Option<Sourced<String>>, name: &str| {
        lines.each(value.as_slice(), |value| format!("{name} {}", quoted(value)));
    };
    lines.each(part.user.as_slice(), user_line);
    lines.each(part.workspace.as_slice(), |path| {
        let source = match part.workspace_source.as_ref().map(|source| &source.value) {
            None => String::new(),
            Some(WorkspaceSource::Directory(path)) => format!(" source={}", quoted(path)),
            Some(WorkspaceSource::Volume(name)) => format!(" volume={}", quoted(name)),
            Some(WorkspaceSource::Nothing) => " mounted=#false".to_owned(),
        };
        format!("workspace {}{source}", quoted(path))
    });
    lines.each(part.sudo.as_slice(), |sudo| format!("sudo #{sudo}"));
    one(lines, &part.directory, "directory");
    one(lines, &part.shell, "shell");
    lines.each(&part.sessions, session_line);
    lines.each(&part.mounts, |Mount { source, target, readonly, optional }| {
        let optional = if *optional { " optional=#true" } else { "" };
        format!("mount {} {} readonly=#{readonly}{optional}", quoted(source), quoted(target))
    });
    lines.each(&part.volumes, |Volume { name, target, is_shared }| {
        format!("volume {} {}{}", quoted(name), quoted(target), if *is_shared { " shared=#true" } else { "" })
    });
    lines.block("env", &part.variables, |Variable { name, value, .. }| match value {
        Some(value) => format!("{} {}", quoted(name), quoted(value)),
        None => format!("inherit {}", quoted(name)),
    });
    lines.block("session-env", &part.session_variables, |SessionVariable { name, value, .. }| match value {
        Some(value) => format!("{} {}", quoted(name), quoted(value)),
        None => format!("unset {}", quoted(name)),
    });
    lines.each(&part.ports, |Port { container, host, address }| {
        let address: &IpAddr = address;
        let host = if *host == AUTO { "\"auto\"".to_owned() } else { host.to_string() };
        format!("port {container} host={host} address=\"{address}\"")
    });
    lines.each(part.ssh.as_slice(), |ssh| ssh.port.map_or("ssh".to_owned(), |port| format!("ssh {{ port {port}; }}")));
    show_limits(lines, part);
    show_machine(lines, &part.machine);
    one(lines, &part.network, "network");
    // No file of wharf's own can say these.
    lines.each(part.privileged.as_slice(), |_| "// privileged".to_owned());
    lines.each(&part.security, |option| format!("// security-opt {}", quoted(&option.0)));
    lines.each(&part.on_host, |command| hook_line("// on the host, before the container starts:", command));
    lines.each(&part.on_create, |command| hook_line("on-create", command));
    lines.each(&part.after_create, |command| hook_line("after-create", command));
    lines.each(&part.on_start, |command| hook_line("on-start", command));
    lines.each(&part.on_attach, |command| hook_line("on-attach", command));
    lines.each(part.wait_for.as_slice(), |wait_for| {
        format!("wait-for \"{}\"", if *wait_for == WaitFor::OnCreate { "on-create" } else { "on-start" })
    });
    lines.each(part.on_exit.as_slice(), |on_exit| {
        let word = match on_exit {
            OnExit::Keep => "keep",
            OnExit::Stop => "stop",
            OnExit::Remove => "remove",
        };
        format!("on-exit \"{word}\"")
    });
    lines.each(part.idle_stop.as_slice(), |limit| format!("idle-stop \"{limit}\""));
    lines.each(part.stop_timeout.as_slice(), |limit| format!("stop-timeout \"{limit}\""));
    lines.each(part.ready.as_slice(), ready_line);
    lines.each(&part.masks, |pattern| format!("mask {}", quoted(&pattern.0)));
    lines.each(&part.allowed, |pattern| format!("allow {}", quoted(&pattern.0)));
    one(lines, &part.worktrees, "worktrees");
    lines.each(part.attach.as_slice(), |way| format!("attach \"{}\"", if *way == Way::Relay { "relay" } else { "exec" }));
}

/// One node over several lines, since each limit has a source of its own.
fn show_limits(lines: &mut Lines, part: &Part) {
    let limits = &part.limits;
    let memory = limits.memory.as_ref().map(|memory| (format!("memory=\"{}\"", exact_size(memory.value)), &memory.from));
    let cpus = limits.cpus.as_ref().map(|cpus| (format!("cpus={}", cpus.value), &cpus.from));
    let pids = limits.pids.as_ref().map(|pids| (format!("pids={}", pids.value), &pids.from));
    let gpus = limits.gpus.as_ref().map(|gpus| match gpus.value {
        Gpus::All => ("gpus=\"all\"".to_owned(), &gpus.from),
        Gpus::Count(count) => (format!("gpus={count}"), &gpus.from),
        Gpus::Optional => ("gpus=\"optional\"".to_owned(), &gpus.from),
    });
    let shm = limits.shm.as_ref().map(|shm| (format!("shm=\"{}\"", exact_size(shm.value)), &shm.from));
    let written: Vec<_> = [memory, cpus, pids, gpus, shm].into_iter().flatten().collect();
    for (i, (limit, from)) in written.iter().enumerate() {
        let start = if i == 0 { "limits" } else { "      " };
        let end = if i + 1 < written.len() { " \\" } else { "" };
        let _ = writeln!(lines.0, "{start} {limit}{end}  // {from}");
    }
}

fn user_line(user: &User) -> String {
    let named = |name: &str, is_mapped: bool| format!("user {}{}", quoted(name), if is_mapped { " ids=\"host\"" } else { "" });
    match user {
        User::Host => named("host", false),
        User::Root => named("root", false),
        User::Named(name) => named(name, false),
        User::Mapped(name) => named(name, true),
        User::Image { is_mapped } => named("image", *is_mapped),
    }
}

fn hook_line(key: &str, command: &Command) -> String {
    match command {
        Command::One(command) => format!("{key} {}", words(command)),
        Command::Parallel(commands) => {
            let each = commands.iter().map(|(name, command)| format!("{} {}; ", quoted(name), words(command)));
            braced(key, each.collect())
        }
    }
}

fn show_machine(lines: &mut Lines, machine: &Machine) {
    let limit = |limit: i64| if limit < 0 { quoted("unlimited") } else { limit.to_string() };
    lines.each(&machine.ulimits, |it| format!("ulimit {} {} hard={}", quoted(it.name), limit(it.soft), limit(it.hard)));
    lines.each(&machine.tmpfs, |it| {
        let size = it.size.map(|size| format!(" size=\"{}\"", exact_size(size))).unwrap_or_default();
        format!("tmpfs {}{size}", quoted(&it.target))
    });
    lines.each(&machine.devices, |device| format!("device {}", quoted(&device.path)));
    lines.each(&machine.capabilities, |capability| format!("capability {}", quoted(capability.name)));
    lines.each(&machine.hosts, |host| format!("host {} \"{}\"", quoted(&host.name), host.address));
    lines.each(&machine.dns, |server| format!("dns \"{}\"", server.address));
    lines.each(machine.hostname.as_slice(), |name| format!("hostname {}", quoted(name)));
    lines.each(machine.host_access.as_slice(), |access| format!("host-access #{access}"));
}

fn build_line(build: &Build) -> String {
    let context = build.context.iter().map(|context| format!("context {}; ", quoted(context)));
    let target = build.target.iter().map(|target| format!("target {}; ", quoted(target)));
    let arguments = build.arguments.iter().map(|(name, value)| format!("arg {} {}; ", quoted(name), quoted(value)));
    let cache_from = (!build.cache_from.is_empty()).then(|| format!("cache-from {}; ", words(&build.cache_from)));
    let children = context.chain(target).chain(arguments).chain(cache_from).collect();
    braced(&format!("build {}", quoted(&build.path)), children)
}

fn session_line(session: &Session) -> String {
    let command = (!session.command.is_empty()).then(|| format!("command {}; ", words(&session.command)));
    let autostart = session.autostart.then(|| "autostart #true; ".to_owned());
    let directory = session.directory.iter().map(|directory| format!("directory {}; ", quoted(directory)));
    let signal = session.stop_signal.map(|signal| format!("stop-signal \"{signal}\"; "));
    let restart = session.restarts_on_failure.then(|| format!("restart \"{ON_FAILURE}\"; "));
    let ready = session.ready.iter().map(|ready| format!("{}; ", ready_line(ready)));
    let children = command.into_iter().chain(autostart).chain(directory).chain(signal).chain(restart).chain(ready).collect();
    braced(&format!("session {}", quoted(session.name.as_str())), children)
}

fn ready_line(Ready { command, port, line }: &Ready) -> String {
    let command = command.iter().map(|command| format!(" command={}", quoted(command)));
    let port = port.iter().map(|port| format!(" port={port}"));
    let line = line.iter().map(|line| format!(" line={}", quoted(line)));
    ["ready".to_owned()].into_iter().chain(command).chain(port).chain(line).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "reads as what it is at its callers")]
fn braced(node: &str, children: String) -> String {
    if children.is_empty() { node.to_owned() } else { format!("{node} {{ {children}}}") }
}

/// In the largest unit that needs no fraction.
fn exact_size(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = units.into_iter().find(|(_, shift)| bytes.is_multiple_of(1 << shift));
    unit.map_or_else(|| format!("{}B", ByteSize(bytes).as_u64()), |(unit, shift)| format!("{}{unit}", bytes >> shift))
}

fn dotfiles_line(dotfiles: &Dotfiles) -> String {
    let install =
        if dotfiles.install.is_empty() { String::new() } else { format!(" {{ install {}; }}", words(&dotfiles.install)) };
    format!("dotfiles {}{install}", quoted(&dotfiles.source))
}

fn words(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A string of KDL, in which no character does anything to a terminal.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        c if c != '\'' && c.escape_debug().len() > 1 => format!("\\u{{{:x}}}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn as_part(config: &Config) -> Part {
    let config = config.clone();
    Part {
        features: config.features,
        feature_order: config.feature_order,
        user: Some(config.user),
        sudo: Some(config.sudo).filter(|sudo| sudo.from != Source::Default),
        workspace: config.workspace,
        workspace_source: config.workspace_source,
        directory: config.directory,
        shell: config.shell,
        sessions: config.sessions,
        mounts: config.mounts,
        volumes: config.volumes,
        variables: config.env,
        session_variables: config.session_env,
        ports: config.ports,
        ssh: config.ssh,
        limits: config.limits,
        machine: config.machine,
        network: config.network,
        privileged: config.privileged,
        security: config.security,
        on_host: config.on_host,
        on_create: config.on_create,
        after_create: config.after_create,
        on_attach: config.on_attach,
        wait_for: config.wait_for,
        on_start: config.on_start,
        on_exit: Some(config.on_exit),
        idle_stop: config.idle_stop,
        stop_timeout: config.stop_timeout,
        ready: config.ready,
        worktrees: config.worktrees,
        masks: config.masks,
        allowed: config.allowed,
        attach: Some(config.attach),
        ..Part::default()
    }
}
