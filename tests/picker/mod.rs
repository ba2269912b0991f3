//! R71: the picker in its popup, with keys pressed and the mouse.

mod actions;
mod found;
mod popup;
mod prompt;

use std::fs;
use std::path::PathBuf;

use crate::support::relay::NO_ENGINE;
use crate::support::{BUSYBOX, Host, Screen, World, wait_for_equal, wait_until};

/// A git repository below the root that is configured, which is not looked into.
fn repository(world: &World, name: &str) -> PathBuf {
    let project = world.project(name);
    fs::create_dir_all(project.join(".git")).unwrap();
    project
}

fn configure_roots(world: &World) {
    let directory = world.root().join("home/.config/wharf");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("config.kdl"), format!("projects \"{}\"\n", world.root().join("src").display())).unwrap();
}

/// A host whose projects are found, and whose containers are made of busybox.
fn host(world: &World) -> Host<'_> {
    configure_roots(world);
    let host = world.host();
    host.tmux(["set-environment", "-g", "WHARF_IMAGE", BUSYBOX]);
    host
}

/// The same, and nobody else's containers are listed.
fn host_without_engine(world: &World) -> Host<'_> {
    let host = host(world);
    host.tmux(["set-environment", "-g", "DOCKER_HOST", NO_ENGINE]);
    host
}

/// What finds only what is in this world, whatever else the engine lists.
fn ours(world: &World, words: &str) -> String {
    format!("'{} {words}", world.root().file_name().unwrap().to_str().unwrap())
}

/// What is within the popup's border.
fn popup(screen: &Screen) -> Vec<String> {
    let text = screen.text();
    let within = |line: &str| {
        let (_, rest) = line.split_once('│')?;
        Some(rest.rsplit_once('│')?.0.trim_end().to_owned())
    };
    text.lines().filter_map(within).collect()
}

/// Of each line, what is left of the preview.
fn list(screen: &Screen) -> Vec<String> {
    let lines = popup(screen);
    let rows = lines.iter().skip(1).take(lines.len().saturating_sub(2));
    rows.map(|line| line.split('│').next().unwrap().trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// The same of names only.
fn names(screen: &Screen) -> Vec<String> {
    let name = |line: &String| line.chars().skip(3).collect::<String>().split("  ").next().unwrap().to_owned();
    list(screen).iter().map(name).collect()
}

#[track_caller]
fn pick<'a>(host: &'a Host<'a>) -> Screen<'a> {
    let screen = host.attach("main");
    screen.press(&["C-b", "W"]);
    wait_until("the popup", || popup(&screen).first().is_some_and(|line| line.starts_with('>')));
    screen
}

#[track_caller]
fn wait_for_names(screen: &Screen, expected: &[&str]) {
    wait_for_equal("the list", &expected.join("\n"), || names(screen).join("\n"));
}

#[track_caller]
fn wait_for_selected(screen: &Screen, name: &str) {
    wait_for_equal("the selected row", name, || {
        let selected = list(screen).into_iter().find(|line| line.starts_with('>'));
        selected.map(|line| line.chars().skip(3).collect::<String>().split("  ").next().unwrap().to_owned()).unwrap_or_default()
    });
}

fn is_closed(screen: &Screen) -> bool {
    popup(screen).is_empty()
}
