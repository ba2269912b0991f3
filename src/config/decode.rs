//! KDL → [`Part`]. All that is wrong is found at once.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use kdl::KdlNode;

use super::fields::{Fields, add, name_span, problem, sourced, unknown};
use super::part::{Mount, OnExit, Part, Pattern, Profile, Root, SessionVariable, Span, Ssh, Variable, Volume, WaitFor, Way};
use super::source::{Scope, Source};
use super::value::{self, Wrong};
use super::{forbidden, machine, node, syntax};
use crate::error::{Problem, Problems, place};

/// What a profile can hold.
const KEYS: [&str; 32] = [
    "image",
    "build",
    "feature",
    "feature-order",
    "user",
    "sudo",
    "workspace",
    "directory",
    "session",
    "shell",
    "mount",
    "share",
    "volume",
    "env",
    "session-env",
    "port",
    "ssh",
    "limits",
    "network",
    "on-create",
    "after-create",
    "on-start",
    "on-attach",
    "wait-for",
    "on-exit",
    "idle-stop",
    "stop-timeout",
    "ready",
    "mask",
    "allow",
    "attach",
    "worktrees",
];
/// What can be at the top of a file beside these.
const TOP_KEYS: [&str; 3] = ["profile", "projects", "dotfiles"];
/// What of the host decides whether a file is right.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub home: Option<PathBuf>,
    /// The engines' sockets that are in use.
    pub sockets: Vec<PathBuf>,
    /// The host's environment.
    pub variables: Arc<HashMap<String, String>>,
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
                let dotfiles = node::dotfiles(&mut fields);
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

    #[expect(clippy::too_many_lines, reason = "a table of keys")]
    fn key(&self, name: &str, fields: &mut Fields, source: &Source, layer: &mut Part) {
        let from = |value| sourced(value, source);
        match name {
            "image" => {
                let image = fields.argument("the name of an image", value::image);
                fields.set(&mut layer.image, sourced(image, source));
            }
            "build" => {
                let build = node::build(fields);
                fields.set(&mut layer.build, sourced(build, source));
            }
            "feature" => {
                let feature = node::feature(fields);
                add(&mut layer.features, feature, source, fields);
            }
            "feature-order" => {
                let order = fields.arguments("a feature", value::full_text);
                fields.set(&mut layer.feature_order, sourced(order, source));
            }
            "user" => {
                let user = node::user(fields);
                fields.set(&mut layer.user, sourced(user, source));
            }
            "sudo" => {
                let sudo = fields.argument("`#true` or `#false`", value::boolean);
                fields.set(&mut layer.sudo, sourced(sudo, source));
            }
            "workspace" => {
                let path = fields.argument("a path", value::container_path);
                fields.set(&mut layer.workspace, from(path));
                layer.workspace_source = sourced(node::workspace_source(fields), source);
            }
            "directory" => {
                let path = fields.argument("a path", value::container_path);
                fields.set(&mut layer.directory, from(path));
            }
            "session" => {
                let session = node::session(fields);
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
                let is_shared = fields.property("shared", value::boolean).unwrap_or(false);
                let volume = volume.map(|(name, target)| Volume { name, target, is_shared });
                add(&mut layer.volumes, volume, source, fields);
            }
            "env" => self.variables(fields, layer),
            "session-env" => self.session_variables(fields, layer),
            "port" => {
                let port = node::port(fields);
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
            "limits" => node::limits(fields, source, &mut layer.limits),
            "worktrees" => {
                let pattern = fields.argument("a path with `{branch}` in it", value::worktrees);
                fields.set(&mut layer.worktrees, from(pattern));
            }
            "network" => {
                let network = fields.argument("a name", value::network);
                fields.set(&mut layer.network, from(network));
            }
            "on-create" | "after-create" | "on-start" | "on-attach" => {
                let hooks = match name {
                    "on-create" => &mut layer.on_create,
                    "after-create" => &mut layer.after_create,
                    "on-start" => &mut layer.on_start,
                    _ => &mut layer.on_attach,
                };
                hooks.extend(sourced(node::hook(fields), source));
            }
            "wait-for" => {
                let words = [("on-create", WaitFor::OnCreate), ("on-start", WaitFor::OnStart)];
                let stage = fields.argument("a word", |value| value::one_of(value, &words));
                fields.set(&mut layer.wait_for, sourced(stage, source));
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
                let ready = node::ready(fields);
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
                    let variable = Variable { name, value: None, written: None };
                    add(&mut part.variables, Some(variable), &source, &mut inner);
                }
            } else {
                let value = inner.argument("a value", value::text);
                match value::variable(child.name().value()) {
                    Ok(name) => {
                        let variable = value.map(|value| Variable { name, value: Some(value), written: None });
                        add(&mut part.variables, variable, &source, &mut inner);
                    }
                    Err(wrong) => inner.wrong_node(wrong),
                }
            }
            fields.add_problems(inner.finish());
        }
    }

    /// The children of `session-env` are variables, but for `unset`.
    fn session_variables(&self, fields: &mut Fields, part: &mut Part) {
        for child in fields.children() {
            let source = self.source(child);
            let mut inner = Fields::of(child);
            if child.name().value() == "unset" {
                for name in inner.arguments("a variable's name", value::variable_name).unwrap_or_default() {
                    let variable = SessionVariable { name, value: None, written: None };
                    add(&mut part.session_variables, Some(variable), &source, &mut inner);
                }
            } else {
                let value = inner.argument("a value", value::text);
                match value::variable(child.name().value()) {
                    Ok(name) => {
                        let variable = value.map(|value| SessionVariable { name, value: Some(value), written: None });
                        add(&mut part.session_variables, variable, &source, &mut inner);
                    }
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
