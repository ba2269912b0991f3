//! Nodes with children or several arguments, each by its key.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::fields::{Fields, sourced};
use super::part::{Build, Command, Dotfiles, Feature, Limits, Port, Ready, Session, User, WorkspaceSource};
use super::source::Source;
use super::value;
use super::wrong::Wrong;
use crate::model::stop_signal;
use crate::protocol::ON_FAILURE;

pub fn build(fields: &mut Fields) -> Option<Build> {
    let path = fields.argument("the path of a Dockerfile", value::project_path);
    let (mut target, mut context, mut cache_from) = (None, None, Vec::new());
    let mut arguments = Vec::<(String, String)>::new();
    fields.each_child(&["target", "context", "cache-from", "arg"], |key, child| {
        if key == "target" {
            let read = child.argument("the name of a stage", value::full_text);
            child.set_plain(&mut target, read);
        } else if key == "context" {
            let read = child.argument("a directory", value::host_path);
            child.set_plain(&mut context, read);
        } else if key == "cache-from" {
            cache_from.extend(child.arguments("an image", value::image).unwrap_or_default());
        } else if let Some((name, value)) =
            child.argument("a name", value::variable_name).zip(child.argument("a value", value::text))
        {
            if arguments.iter().any(|(earlier, _)| *earlier == name) {
                child.wrong_node(Wrong::new(format!("`{name}` is written twice"), "keep one of them"));
            }
            arguments.push((name, value));
        }
    });
    Some(Build { path: path?, context, target, arguments, cache_from })
}

/// What is mounted in place of the project.
pub fn workspace_source(fields: &mut Fields) -> Option<WorkspaceSource> {
    let directory = fields.property("source", value::host_path).map(WorkspaceSource::Directory);
    let volume = fields.property("volume", value::name).map(WorkspaceSource::Volume);
    let is_mounted = fields.property("mounted", value::boolean).unwrap_or(true);
    directory.or(volume).or((!is_mounted).then_some(WorkspaceSource::Nothing))
}

/// Words, or children that run at once, each with words of its own.
pub fn hook(fields: &mut Fields) -> Option<Command> {
    let children = fields.children();
    if children.is_empty() {
        return fields.arguments("a command", value::text).map(Command::One);
    }
    let mut commands = BTreeMap::new();
    for child in children {
        let mut inner = Fields::of(child);
        let words = inner.arguments("a command", value::text);
        if let Some(words) = words
            && commands.insert(child.name().value().to_owned(), words).is_some()
        {
            inner.wrong_node(Wrong::new(format!("`{}` is written twice", child.name().value()), "keep one of them"));
        }
        fields.add_problems(inner.finish());
    }
    Some(Command::Parallel(commands))
}

pub fn feature(fields: &mut Fields) -> Option<Feature> {
    let id = fields.argument("where the feature is", value::full_text);
    let mut options = BTreeMap::new();
    fields.each_child(&["option"], |_, child| {
        let option = child.argument("a name", value::full_text).zip(child.argument("a value", value::text));
        options.extend(option);
    });
    Some(Feature { id: id?, options })
}

/// One whose name is followed by `ids="host"` gets the host user's.
pub fn user(fields: &mut Fields) -> Option<User> {
    let user: Option<User> = fields.argument("a user", value::user);
    let is_mapped = fields.property("ids", |value| value::one_of(value, &[("host", true), ("image", false)])).unwrap_or(false);
    match user? {
        User::Named(name) if is_mapped => Some(User::Mapped(name)),
        User::Image { .. } => Some(User::Image { is_mapped }),
        User::Host | User::Root if is_mapped => {
            fields.wrong_node(Wrong::new("`ids` is for a user of the image", "remove it"));
            None
        }
        user => Some(user),
    }
}

pub fn session(fields: &mut Fields) -> Option<Session> {
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

pub fn ready(fields: &mut Fields) -> Option<Ready> {
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

pub fn port(fields: &mut Fields) -> Option<Port> {
    let container = fields.argument("a port", value::port);
    let host = fields.property("host", value::host_port);
    let address = fields.property("address", value::address).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let container = container?;
    Some(Port { container, host: host.unwrap_or(container), address })
}

pub fn limits(fields: &mut Fields, source: &Source, limits: &mut Limits) {
    if *limits != Limits::default() {
        fields.wrong_node(Wrong::new("`limits` is written twice", "put all of them behind one"));
    }
    let memory = fields.property("memory", value::memory);
    let shm = fields.property("shm", value::bytes);
    let cpus = fields.property("cpus", value::cpus);
    let pids = fields.property("pids", value::pids);
    let gpus = fields.property("gpus", value::gpus);
    *limits = Limits {
        memory: sourced(memory, source),
        cpus: sourced(cpus, source),
        pids: sourced(pids, source),
        gpus: sourced(gpus, source),
        shm: sourced(shm, source),
    };
}

pub fn dotfiles(fields: &mut Fields) -> Option<Dotfiles> {
    let source = fields.argument("a directory, or a git repository's URL", value::dotfiles);
    let mut install = None;
    fields.each_child(&["install"], |_, child| {
        let read = child.arguments("a command", value::text);
        child.set_plain(&mut install, read);
    });
    Some(Dotfiles { source: source?, install: install.unwrap_or_default() })
}
