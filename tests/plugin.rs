//! The plugin: loaded by TPM's convention and by a plain `run-shell`, with options that are checked.

use crate::support::{Host, World, binary, run, wait_until};

fn bindings(host: &Host) -> Vec<String> {
    let notes = host.tmux(["list-keys", "-N", "-P", "", "-T", "prefix"]);
    let ours = notes.lines().filter(|line| line.contains("container"));
    // Each version has an order of its own.
    let mut keys: Vec<String> = ours.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    keys.sort_unstable();
    keys
}

/// `wharf setup` in the host's server; its standard error.
fn setup(world: &World, host: &Host) -> String {
    let outcome = world.wharf(["setup"]).env("TMUX", host.variable()).run();
    assert_eq!(outcome.stdout, "");
    outcome.stderr
}

#[test]
fn the_plugin_is_loaded_by_run_shell_and_by_tpm() {
    let world = World::new();
    let host = Host::bare(&world);
    let plugin = world.installed().join("wharf.tmux");
    assert!(bindings(&host).is_empty());

    let quoted = plugin.to_str().unwrap().replace('\'', r"'\''").replace('#', "##");
    host.tmux(["run-shell", &format!("'{quoted}'")]);
    assert_eq!(bindings(&host), ["M-w", "O", "W"]);

    // TPM runs every *.tmux file at the plugin's root, with TMUX set, and throws away what it prints.
    host.tmux(["unbind-key", "O"]);
    let tpm = run(world.command(&plugin).env("TMUX", host.variable()));
    assert!(tpm.status.success());
    assert_eq!(bindings(&host), ["M-w", "O", "W"]);
}

#[test]
fn without_a_program_the_client_is_told_and_a_key_builds_it() {
    let world = World::new();
    let host = Host::bare(&world);
    let plugin = world.installed().join("wharf.tmux");
    std::fs::remove_dir_all(plugin.with_file_name("bin")).unwrap();
    let build = "#!/bin/sh\nmkdir -p \"${0%/*/*}/bin\" && cp '%' \"${0%/*/*}/bin/wharf\"\n"
        .replace("'%'", &format!("'{}'", binary().display()));
    std::fs::write(plugin.with_file_name("scripts").join("build"), build).unwrap();
    let load = || assert!(run(world.command(&plugin).env("TMUX", host.variable()).env("PATH", "/usr/bin:/bin")).status.success());
    // As in ~/.tmux.conf: nobody looks yet.
    load();
    let screen = host.attach("main");
    let said = "wharf has no program yet: prefix O builds it";
    screen.wait_for_text(said);
    screen.press(&["x"]);
    load();
    screen.wait_for_text(said);
    screen.press(&["x"]);
    assert!(bindings(&host).is_empty());
    screen.press(&["C-b", "O"]);
    screen.wait_for_text("build wharf now? (y/n)");
    screen.press(&["y"]);
    wait_until("the keys", || bindings(&host) == ["M-w", "O", "W"]);
}

#[test]
fn a_binary_of_another_version_is_told_and_binds_nothing() {
    let world = World::new();
    let host = Host::bare(&world);
    let plugin = world.installed().join("wharf.tmux");
    let manifest = plugin.with_file_name("Cargo.toml");
    std::fs::write(&manifest, "[package]\nversion = \"99.0.0\"\n").unwrap();
    let output = run(world.command(&plugin).env("TMUX", host.variable()));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("and this plugin is 99.0.0\nhint: build it again"), "{told}");
    assert!(bindings(&host).is_empty());
}

#[test]
fn the_keys_are_the_options_and_a_reload_moves_them() {
    let world = World::new();
    let host = world.host();
    assert_eq!(bindings(&host), ["M-w", "O", "W"]);
    host.tmux(["set-option", "-g", "@wharf-open-key", "C-w"]);
    assert_eq!(setup(&world, &host), "");
    assert_eq!(bindings(&host), ["C-w", "M-w", "W"]);
    host.tmux(["set-option", "-g", "@wharf-menu-key", "X"]);
    assert_eq!(setup(&world, &host), "");
    assert_eq!(bindings(&host), ["C-w", "W", "X"]);
    host.tmux(["set-option", "-g", "@wharf-menu-key", ""]);
    host.tmux(["set-option", "-g", "@wharf-open-key", ""]);
    host.tmux(["set-option", "-g", "@wharf-pick-key", ""]);
    assert_eq!(setup(&world, &host), "");
    assert!(bindings(&host).is_empty());
}

#[test]
fn every_wrong_option_is_named_at_once_and_nothing_is_bound() {
    let world = World::new();
    let host = Host::bare(&world);
    host.tmux(["set-option", "-g", "@wharf-open-kye", "O"]);
    host.tmux(["set-option", "-g", "@wharf-nonsense", "1"]);
    host.tmux(["set-option", "-g", "@wharf-pick-size", "huge"]);
    let errors = setup(&world, &host);
    let expected = "error: there is no option `@wharf-nonsense`\n       \
                    there is no option `@wharf-open-kye`; did you mean `@wharf-open-key`?\n       \
                    `@wharf-pick-size` is like `80%x75%` or `100x30`, and not `huge`\n";
    assert_eq!(errors, expected);
    assert!(bindings(&host).is_empty());
}

#[test]
fn every_key_that_tmux_does_not_know_is_named_and_nothing_is_bound() {
    let world = World::new();
    let host = Host::bare(&world);
    // Of any table, and what they do.
    let bound = || host.tmux(["list-keys"]).lines().filter(|line| line.contains("wharf")).map(str::to_owned).collect::<Vec<_>>();
    let set = |name: &str, key: &str| host.tmux(["set-option", "-g", name, key]);
    set("@wharf-pick-key", "Hyper-W");
    set("@wharf-menu-key", "Hyper-O");
    let expected = "error: tmux takes no key `Hyper-W`: unknown key: Hyper-W\n       \
                    tmux takes no key `Hyper-O`: unknown key: Hyper-O\n";
    assert_eq!(setup(&world, &host), expected);
    assert!(bound().is_empty());

    // What was bound before stays bound.
    set("@wharf-pick-key", "W");
    set("@wharf-menu-key", "M-w");
    assert_eq!(setup(&world, &host), "");
    let before = bound();
    set("@wharf-open-key", "C-w");
    set("@wharf-menu-key", "Hyper-O");
    setup(&world, &host);
    assert_eq!(bound(), before);
}

#[test]
fn on_a_terminal_setup_says_what_tmux_lacks_and_changes_nothing() {
    let world = World::new();
    let host = Host::bare(&world);
    host.tmux(["set-option", "-s", "escape-time", "500"]);
    let screen = host.attach("main");
    let options = || host.tmux(["show-options", "-s"]).lines().filter(|line| !line.starts_with('@')).collect::<String>();
    let before = options();
    let setup = format!("clear; '{}' setup", binary().display());
    screen.type_line(&setup);
    let lines = [
        ("set -s set-clipboard on", "what is copied in a session reaches tmux and the clipboard"),
        ("set -s escape-time 10", "Esc arrives at once"),
        ("set -s focus-events on", "editors notice that their pane has the focus"),
        ("set -s extended-keys on", "C-Enter and the like arrive"),
        ("set -g allow-passthrough on", "programs can show images where the terminal can"),
    ];
    for (line, why) in lines {
        screen.wait_for_line(&format!("  {line:<28} # {why}"));
    }
    assert_eq!(options(), before);
    for (line, _) in lines {
        host.tmux(line.split(' '));
    }
    screen.type_line(&setup);
    screen.wait_for_line("the keys are bound, and tmux has every option that sessions need");
}

#[test]
fn setup_needs_a_tmux_server() {
    let world = World::new();
    assert_eq!(
        world.wharf(["setup"]).failure(),
        "error: `wharf setup` needs a tmux server\nhint: run it inside tmux, or by `run-shell` in `.tmux.conf`\n"
    );
}
