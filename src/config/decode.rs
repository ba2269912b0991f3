//! KDL → [`Part`]. All that is wrong is found at once.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use kdl::KdlNode;

use super::fields::{Fields, add, name_span, problem, sourced, unknown};
use super::forbidden;
use super::machine;
use super::part::{
    Build, Command, Dotfiles, Gpus, Limits, Mount, OnExit, Part, Pattern, Port, Profile, Ready, Root, Session, Span, Ssh, User,
    Variable, Volume, Way,
};
use super::source::{Scope, Source};
use super::syntax;
use super::value::{self, Wrong};
use crate::error::{Problem, Problems, place};
use crate::model::stop_signal;
use crate::protocol::ON_FAILURE;

/// What a profile can hold.
const KEYS: [&str; 24] = [
    "image",
    "build",
    "user",
    "sudo",
    "workspace",
    "session",
    "shell",
    "mount",
    "share",
    "volume",
    "env",
    "port",
    "ssh",
    "limits",
    "network",
    "on-create",
    "on-start",
    "on-exit",
    "idle-stop",
    "stop-timeout",
    "ready",
    "mask",
    "allow",
    "attach",
];
/// What can be at the top of a file beside these.
const TOP_KEYS: [&str; 3] = ["profile", "projects", "dotfiles"];
/// What of the host decides whether a file is right.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub home: Option<PathBuf>,
    /// The engines' sockets that are in use.
    pub sockets: Vec<PathBuf>,
}

impl Surroundings {
    /// A path with `~` at its beginning, on this machine.
    pub fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix('~'), &self.home) {
            (Some(rest), Some(home)) => home.join(rest.trim_start_matches('/')),
            _ => PathBuf::from(path),
        }
    }
}

/// A file to decode.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    pub scope: Scope,
    pub path: &'a str,
    pub text: &'a str,
}

pub fn decode(file: File, surroundings: &Surroundings) -> Result<Part, Problems> {
    let fail = |problems| Problems::new(file.path, file.text, problems);
    let document = syntax::parse(file.text).map_err(fail)?;
    let mut decoder = Decoder { file, path: file.path.into(), surroundings, problems: Vec::new() };
    let part = decoder.part(document.nodes(), true);
    if decoder.problems.is_empty() { Ok(part) } else { Err(fail(decoder.problems)) }
}

struct Decoder<'a> {
    file: File<'a>,
    path: Arc<str>,
    surroundings: &'a Surroundings,
    problems: Vec<Problem>,
}

impl Decoder<'_> {
    fn part(&mut self, nodes: &[KdlNode], is_top: bool) -> Part {
        let mut part = Part::default();
        for node in nodes {
            let name = node.name().value();
            let mut fields = Fields::of(node);
            let source = self.source(node);
            let from = |from: &Source| from.clone();
            if machine::KEYS.contains(&name) {
                part.machine.read(name, &mut fields, &source);
            } else if KEYS.contains(&name) {
                self.key(name, &mut fields, &source, &mut part);
            } else if is_top && name == "profile" {
                if let Some(name) = fields.argument("a name", value::name) {
                    let inner = self.part(fields.children(), false);
                    add(&mut part.profiles, Some(Profile { name, part: inner }), &source, &mut fields);
                }
            } else if is_top && name == "projects" {
                if self.file.scope == Scope::Project {
                    let reason = "a project can't say where others are";
                    fields.wrong_node(Wrong::new(format!("`projects` is for the global file: {reason}"), "move it there"));
                }
                for root in fields.arguments("a directory", value::host_path).unwrap_or_default() {
                    add(&mut part.projects, Some(Root(root)), &from(&source), &mut fields);
                }
            } else if is_top && name == "dotfiles" {
                if self.file.scope == Scope::Project {
                    let reason = "they are a person's, and no project's";
                    fields.wrong_node(Wrong::new(format!("`dotfiles` is for the global file: {reason}"), "move it there"));
                }
                let dotfiles = dotfiles(&mut fields);
                fields.set(&mut part.dotfiles, sourced(dotfiles, &source));
            } else {
                let mut known = [&KEYS[..], &machine::KEYS].concat();
                known.extend(TOP_KEYS.iter().filter(|_| is_top));
                self.problems.push(match forbidden::key(name) {
                    Some(wrong) => problem(name_span(node), wrong),
                    None => unknown(node, &known),
                });
                continue;
            }
            self.problems.extend(fields.finish());
        }
        for node in nodes.iter().filter(|node| ["volume", "tmpfs"].contains(&node.name().value())) {
            let from = self.source(node);
            let volumes = part.volumes.iter().map(|it| (&it.target, &it.from));
            let tmpfs = part.machine.tmpfs.iter().map(|it| (&it.target, &it.from));
            let others: Vec<_> = part.mounts.iter().map(|it| (&it.target, &it.from)).chain(volumes).collect();
            let own = others.iter().copied().chain(tmpfs).find(|(_, of)| **of == from);
            let earlier = own.and_then(|(target, _)| others.iter().find(|(its, of)| *its == target && **of != from));
            if let Some((target, of)) = earlier {
                let message = format!("`{target}` has a mount already ({of})");
                self.problems.push(problem(name_span(node), Wrong::new(message, "keep one of them")));
            }
        }
        if let (Some(image), Some(build)) = (&part.image, &part.build) {
            let later = nodes.iter().rfind(|node| ["image", "build"].contains(&node.name().value()));
            let hint = "keep one of them: a project has one image";
            let message = format!("`image` and `build` exclude each other ({} and {})", image.from, build.from);
            self.problems.extend(later.map(|node| problem(name_span(node), Wrong::new(message, hint))));
        }
        part
    }

    fn key(&self, name: &str, fields: &mut Fields, source: &Source, layer: &mut Part) {
        let from = |value| sourced(value, source);
        match name {
            "image" => {
                let image = fields.argument("the name of an image", value::image);
                fields.set(&mut layer.image, sourced(image, source));
            }
            "build" => {
                let build = build(fields);
                fields.set(&mut layer.build, sourced(build, source));
            }
            "user" => {
                let user: Option<User> = fields.argument("a user", value::user);
                fields.set(&mut layer.user, sourced(user, source));
            }
            "sudo" => {
                let sudo = fields.argument("`#true` or `#false`", value::boolean);
                fields.set(&mut layer.sudo, sourced(sudo, source));
            }
            "workspace" => {
                let path = fields.argument("a path", value::container_path);
                fields.set(&mut layer.workspace, from(path));
            }
            "session" => {
                let session = session(fields);
                add(&mut layer.sessions, session, source, fields);
            }
            "mount" => {
                let mount = self.mount(fields);
                add(&mut layer.mounts, mount, source, fields);
            }
            "share" => {
                for path in fields.arguments("a path below `~/`", value::below_home).unwrap_or_default() {
                    let forbidden = forbidden::mount(&self.surroundings.expand(&path), &self.surroundings.sockets);
                    let mount = Mount { source: path.clone(), target: path, readonly: true, optional: true };
                    match forbidden {
                        Some(wrong) => fields.wrong_node(wrong),
                        None => add(&mut layer.mounts, Some(mount), source, fields),
                    }
                }
            }
            "shell" => {
                let shell = fields.argument("a shell", value::program);
                fields.set(&mut layer.shell, sourced(shell, source));
            }
            "volume" => {
                let volume = fields.argument("a name", value::name).zip(fields.argument("a path", value::container_path));
                add(&mut layer.volumes, volume.map(|(name, target)| Volume { name, target }), source, fields);
            }
            "env" => self.variables(fields, layer),
            "port" => {
                let port = port(fields);
                add(&mut layer.ports, port, source, fields);
            }
            "ssh" => {
                let mut port = None;
                fields.each_child(&["port"], |_, child| {
                    let read = child.argument("a port", value::port);
                    child.set_plain(&mut port, read);
                });
                fields.set(&mut layer.ssh, sourced(Some(Ssh { port }), source));
            }
            "limits" => limits(fields, source, &mut layer.limits),
            "network" => {
                let network = fields.argument("a name", value::network);
                fields.set(&mut layer.network, from(network));
            }
            "on-create" | "on-start" => {
                let command = fields.arguments("a command", value::text).map(Command);
                let hooks = if name == "on-create" { &mut layer.on_create } else { &mut layer.on_start };
                hooks.extend(sourced(command, source));
            }
            "on-exit" => {
                let words = [("keep", OnExit::Keep), ("stop", OnExit::Stop), ("remove", OnExit::Remove)];
                let on_exit = fields.argument("a word", |value| value::one_of(value, &words));
                fields.set(&mut layer.on_exit, sourced(on_exit, source));
            }
            "idle-stop" => {
                let limit = fields.argument("a duration", value::duration).map(Span);
                fields.set(&mut layer.idle_stop, sourced(limit, source));
            }
            "stop-timeout" => {
                let limit = fields.argument("a duration", value::stop_timeout).map(Span);
                fields.set(&mut layer.stop_timeout, sourced(limit, source));
            }
            "ready" => {
                let ready = ready(fields);
                fields.set(&mut layer.ready, sourced(ready, source));
            }
            "mask" | "allow" => {
                let pattern = fields.argument("a path", value::project_path).map(Pattern);
                add(if name == "mask" { &mut layer.masks } else { &mut layer.allowed }, pattern, source, fields);
            }
            "attach" => {
                let words = [("relay", Way::Relay), ("exec", Way::Exec)];
                let way = fields.argument("a word", |value| value::one_of(value, &words));
                fields.set(&mut layer.attach, sourced(way, source));
            }
            _ => unreachable!("{name} is not among the keys"),
        }
    }

    fn mount(&self, fields: &mut Fields) -> Option<Mount> {
        let source = fields.argument("a path on the host", |value| {
            let path = value::host_path(value)?;
            if self.file.scope == Scope::Global && !path.starts_with(['/', '~']) {
                return Err(Wrong::new(format!("`{path}` is not absolute"), "write it absolute, or below `~/`"));
            }
            let absolute = self.surroundings.expand(&path);
            forbidden::mount(&absolute, &self.surroundings.sockets).map_or(Ok(path), Err)
        });
        let target = fields.argument("a path in the container", value::container_path);
        let readonly = fields.property("readonly", value::boolean).unwrap_or(false);
        let optional = fields.property("optional", value::boolean).unwrap_or(false);
        Some(Mount { source: source?, target: target?, readonly, optional })
    }

    /// The children of `env` are variables, but for `inherit`.
    fn variables(&self, fields: &mut Fields, part: &mut Part) {
        for child in fields.children() {
            let source = self.source(child);
            let mut inner = Fields::of(child);
            if child.name().value() == "inherit" {
                for name in inner.arguments("a variable's name", value::variable_name).unwrap_or_default() {
                    add(&mut part.variables, Some(Variable { name, value: None }), &source, &mut inner);
                }
            } else {
                let value = inner.argument("a value", value::text);
                match value::variable(child.name().value()) {
                    Ok(name) => add(&mut part.variables, value.map(|it| Variable { name, value: Some(it) }), &source, &mut inner),
                    Err(wrong) => inner.wrong_node(wrong),
                }
            }
            fields.add_problems(inner.finish());
        }
    }

    fn source(&self, node: &KdlNode) -> Source {
        let (line, _) = place(self.file.text, name_span(node).start);
        Source::File { scope: self.file.scope, file: self.path.clone(), line }
    }
}

fn build(fields: &mut Fields) -> Option<Build> {
    let path = fields.argument("the path of a Dockerfile", value::project_path);
    let (mut target, mut arguments) = (None, Vec::<(String, String)>::new());
    fields.each_child(&["target", "arg"], |key, child| {
        if key == "target" {
            let read = child.argument("the name of a stage", value::full_text);
            child.set_plain(&mut target, read);
        } else if let Some((name, value)) =
            child.argument("a name", value::variable_name).zip(child.argument("a value", value::text))
        {
            if arguments.iter().any(|(earlier, _)| *earlier == name) {
                child.wrong_node(Wrong::new(format!("`{name}` is written twice"), "keep one of them"));
            }
            arguments.push((name, value));
        }
    });
    Some(Build { path: path?, target, arguments })
}

fn dotfiles(fields: &mut Fields) -> Option<Dotfiles> {
    let source = fields.argument("a directory, or a git repository's URL", value::dotfiles);
    let mut install = None;
    fields.each_child(&["install"], |_, child| {
        let read = child.arguments("a command", value::text);
        child.set_plain(&mut install, read);
    });
    Some(Dotfiles { source: source?, install: install.unwrap_or_default() })
}

fn session(fields: &mut Fields) -> Option<Session> {
    let name = fields.argument("a name", value::session_name);
    let (mut command, mut autostart, mut directory, mut stop_signal) = (None, None, None, None);
    let (mut restart, mut is_ready) = (None, None);
    let known = ["command", "autostart", "directory", "stop-signal", "restart", "ready"];
    fields.each_child(&known, |key, child| match key {
        "command" => {
            let read = child.arguments("a program", value::text);
            child.set_plain(&mut command, read);
        }
        "autostart" => {
            let read = child.argument("`#true` or `#false`", value::boolean);
            child.set_plain(&mut autostart, read);
        }
        "restart" => {
            let words = [("never", false), (ON_FAILURE, true)];
            let read = child.argument("a word", |value| value::one_of(value, &words));
            child.set_plain(&mut restart, read);
        }
        "ready" => {
            let read = ready(child);
            child.set_plain(&mut is_ready, read);
        }
        "stop-signal" => {
            let names = stop_signal::NAMES.map(|name| (name, name));
            let read = child.argument("a signal", |value| value::one_of(value, &names));
            child.set_plain(&mut stop_signal, read);
        }
        _ => {
            let read = child.argument("a path", value::full_text);
            child.set_plain(&mut directory, read);
        }
    });
    Some(Session {
        name: name?,
        command: command.unwrap_or_default(),
        autostart: autostart.unwrap_or(false),
        directory,
        stop_signal,
        restarts_on_failure: restart.unwrap_or(false),
        ready: is_ready,
    })
}

fn ready(fields: &mut Fields) -> Option<Ready> {
    let command = fields.property("command", value::full_text);
    let port = fields.property("port", value::port);
    let line = fields.property("line", value::pattern);
    let ready = Ready { command, port, line };
    if ready == Ready::default() {
        fields.wrong_node(Wrong::new("`ready` says nothing", "write `command=`, `port=` or `line=` behind it"));
        return None;
    }
    Some(ready)
}

fn port(fields: &mut Fields) -> Option<Port> {
    let container = fields.argument("a port", value::port);
    let host = fields.property("host", value::host_port);
    let address = fields.property("address", value::address).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let container = container?;
    Some(Port { container, host: host.unwrap_or(container), address })
}

fn limits(fields: &mut Fields, source: &Source, limits: &mut Limits) {
    if *limits != Limits::default() {
        fields.wrong_node(Wrong::new("`limits` is written twice", "put all of them behind one"));
    }
    let memory = fields.property("memory", value::memory);
    let shm = fields.property("shm", value::bytes);
    let cpus = fields.property("cpus", value::cpus);
    let pids = fields.property("pids", value::pids);
    let gpus: Option<Gpus> = fields.property("gpus", value::gpus);
    *limits = Limits {
        memory: sourced(memory, source),
        cpus: sourced(cpus, source),
        pids: sourced(pids, source),
        gpus: sourced(gpus, source),
        shm: sourced(shm, source),
    };
}
