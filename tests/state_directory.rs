//! The directory that containers share with the host: of any length, of any content, and unusable.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::relay::{Liar, NO_ENGINE, ends, processes, raise_file_limit, relay, shared};
use crate::support::{BUSYBOX, Docker, Host, OWN, World, binary, printed_by, wait_until};

/// A listener that says who it is, as the ssh agent of a terminal.
fn agent(world: &World, name: &'static str) -> PathBuf {
    let path = world.root().join(name);
    Liar::at(&path, world, move |mut stream| drop(stream.write_all(name.as_bytes())));
    path
}

/// A window with `wharf attach` of the project, whose terminal has this agent.
fn attach(host: &Host, project: &Path, state: &Path, agent: &Path) -> String {
    let variables = format!("WHARF_ATTACH=relay XDG_STATE_HOME='{}' SSH_AUTH_SOCK='{}'", state.display(), agent.display());
    let attach = format!("exec env {variables} '{}' attach '{}'", binary().display(), project.display());
    host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", &attach])
}

/// Who answers at the agent's socket in a container's directory, which may have a long name.
fn asked(shared: &Path) -> String {
    asked_at(shared, "agent.sock")
}

fn asked_at(shared: &Path, name: &str) -> String {
    let directory = fs::File::open(shared).unwrap();
    let mut said = String::new();
    if let Ok(mut stream) = UnixStream::connect(format!("/proc/self/fd/{}/{name}", directory.as_raw_fd())) {
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let _ = stream.read_to_string(&mut said);
    }
    said
}

#[test]
fn a_state_directory_may_have_a_name_that_no_sockets_address_holds() {
    let world = World::new();
    let project = world.project("api");
    let state = world.root().join("state").join("long".repeat(50));
    let loops = "while read -r word; do echo got $word; done";
    let open = world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).args(["--", "sh", "-c", loops]);
    open.env("XDG_STATE_HOME", &state).env("WHARF_ATTACH", "relay").success();
    let container = world.container_of(&project);

    // Only the relay is there to be asked.
    let exec = world.wharf(["exec", "--", "hostname"]).current_dir(&project).env("XDG_STATE_HOME", &state);
    assert_eq!(exec.env("DOCKER_HOST", NO_ENGINE).env("WHARF_ATTACH", "relay").success(), "api");

    let host = world.host();
    let screen = host.attach("main");
    attach(&host, &project, &state, &agent(&world, "agent"));
    screen.type_line("word");
    screen.wait_for_line("got word");
    let shared = state.join("wharf/containers").join(&container);
    wait_until("the agent", || asked(&shared) == "agent");
    // The container finds it in the same place.
    Docker::shell(&container, "test -S /run/wharf/host/agent.sock");
}

#[test]
fn only_its_user_can_enter_what_a_container_shares() {
    let world = World::new();
    let project = world.project("api");
    fs::write(project.join(".env"), "SECRET=1").unwrap();
    fs::write(project.join("wharf.kdl"), format!("image \"{BUSYBOX}\"\nmask \".env\"\n")).unwrap();
    world.wharf(["trust"]).arg(&project).success();
    // Whatever the person lets others do.
    let mut start = world.command("sh");
    start.args(["-c", "umask 0; exec \"$0\" start \"$1\""]).arg(binary()).arg(&project);
    let container = printed_by(&mut start).trim_end().to_owned();
    let state = world.root().join("state/wharf");
    for directory in ["containers", &format!("containers/{container}"), "files", &format!("files/{container}")] {
        let found = state.join(directory).metadata().unwrap();
        let expected = (0o700, rustix::process::getuid().as_raw());
        assert_eq!((found.mode() & 0o7777, found.uid()), expected, "{directory}");
    }
}

#[test]
fn whoever_leaves_hands_the_agent_over_and_follows_no_link() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).success();
    let container = world.container_of(&project);
    let shared = shared(&world, &container);
    let state = world.root().join("state");
    let host = world.host();
    let one = attach(&host, &project, &state, &agent(&world, "one"));
    wait_until("the first agent", || asked(&shared) == "one");
    let two = attach(&host, &project, &state, &agent(&world, "two"));
    wait_until("the second agent", || asked(&shared) == "two");

    // What a hostile program would put there: each looks like another client's socket.
    let secret = world.root().join("secret");
    let never_asked = Liar::at(&secret, &world, drop);
    symlink(&secret, shared.join("agent-0")).unwrap();
    fs::create_dir(shared.join("agent-1")).unwrap();
    assert!(Command::new("mkfifo").arg(shared.join("agent-2")).status().unwrap().success());
    fs::write(shared.join("agent-3"), "junk").unwrap();
    // At this one nobody more can even wait.
    raise_file_limit();
    let full = world.root().join("full");
    let listener = UnixListener::bind(&full).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let _waiting = UnixStream::connect(&full).unwrap();
    fs::rename(&full, shared.join("agent-0000")).unwrap();
    // And this one is dead.
    drop(UnixListener::bind(world.root().join("dead")).unwrap());
    fs::rename(world.root().join("dead"), shared.join("agent-4")).unwrap();

    host.tmux(["kill-pane", "-t", &two]);
    wait_until("the dead socket's end", || !shared.join("agent-4").exists());
    wait_until("another agent", || {
        let heir = fs::read_link(shared.join("agent.sock")).unwrap();
        // Whoever has a listener may inherit; one that answers to nobody only lacks an agent. Not by the link once more: it
        // may lead there by now, where this would wait for ever.
        heir == Path::new("agent-0000") || asked_at(&shared, heir.to_str().unwrap()) == "one"
    });
    fs::remove_file(shared.join("agent-0000")).unwrap();
    drop(listener);
    host.tmux(["kill-pane", "-t", &one]);
    wait_until("no client", || processes(&container, " attach-session ").is_empty());
    assert_eq!(never_asked.visitors(), 0);
}

#[test]
fn a_state_directory_that_cannot_be_is_named_and_nothing_is_left_half_made() {
    let world = World::new();
    let project = world.project("api");
    let state = world.root().join("file");
    fs::write(&state, "").unwrap();
    let start = world.wharf(["start", "--image", BUSYBOX]).arg(&project).env("XDG_STATE_HOME", &state);
    let outcome = ends(start);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    let (before, after) = (
        format!("error: could not create `{}/wharf/containers/wharf-api-", state.display()),
        "`: Not a directory (os error 20)\n",
    );
    let rest = outcome.stderr.strip_prefix(&before).and_then(|rest| rest.strip_suffix(after));
    assert!(rest.is_some_and(|rest| rest.len() == 12), "{}", outcome.stderr);
    for kind in ["container", "volume"] {
        assert!(Docker::below(kind, &project).is_empty(), "{kind}");
    }
}

#[test]
fn a_container_is_reached_whatever_has_become_of_the_state_directory() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let exec = |state: &Path| {
        let exec = world.wharf(["exec", "--", "hostname"]).current_dir(&project).env("XDG_STATE_HOME", state);
        let outcome = ends(exec.env("WHARF_ATTACH", "relay"));
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "api\n", ""));
    };
    let state = world.root().join("state");
    exec(&state);
    exec(&world.root().join("elsewhere"));
    let file = world.root().join("file");
    fs::write(&file, "").unwrap();
    exec(&file);
    fs::remove_dir_all(state.join("wharf")).unwrap();
    exec(&state);
    fs::remove_dir_all(&state).unwrap();
    fs::write(&state, "").unwrap();
    exec(&state);
}

#[test]
fn the_relay_has_a_place_in_an_image_whose_user_could_not_make_one() {
    let world = World::new();
    let project = world.project("api");
    let container = world.wharf(["start", "--image", OWN]).arg(&project).env("WHARF_ATTACH", "relay").success();
    let exec = world.wharf(["exec", "--", "hostname"]).current_dir(&project).env("WHARF_ATTACH", "relay");
    assert_eq!(exec.env("DOCKER_HOST", NO_ENGINE).success(), "api");
    relay(&container);
}
