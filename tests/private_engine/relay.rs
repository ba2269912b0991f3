//! What goes on where the engine does not: whoever has a relay needs none. And disks that are full or read-only, which
//! only root can make.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::relay::{Liar, ends, processes, relay, shared};
use crate::support::{BUSYBOX, Docker, Host, PrivateEngine, World, binary, is_root, printed_by, run, wait_until};

const LOOP: &str = "while read -r word; do echo got $word; done";

fn attach(host: &Host, project: &Path, session: &str) -> String {
    let attach = format!("exec '{}' attach --session {session} '{}'", binary().display(), project.display());
    host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", &attach])
}

/// Everything that is done in a container that runs, with an engine that `end` has put out of action.
fn nothing_waits_for_the_engine<'a>(world: &'a World, engine: &PrivateEngine<'a>, end: fn(&PrivateEngine<'a>)) {
    let project = world.project("api");
    let host = world.host();
    host.tmux(["set-environment", "-g", "DOCKER_HOST", &engine.host()]);
    let open = |session: &str| engine.wharf(["open", "--image", BUSYBOX, "--session", session]).arg(&project);
    let program = ["--", "sh", "-c", LOOP];
    open("main").arg("--detach").args(program).success();
    let screen = host.attach("main");
    let first = attach(&host, &project, "main");
    screen.type_line("before");
    screen.wait_for_line("got before");

    end(engine);
    // Who is attached does not notice.
    screen.type_line("after");
    screen.wait_for_line("got after");
    // Another terminal, of the same session.
    attach(&host, &project, "main");
    screen.wait_for_line("got after");
    screen.type_line("again");
    screen.wait_for_line("got again");

    let name = project.file_name().unwrap().to_str().unwrap();
    assert_eq!(without_a_question(world, &["exec", "--", "hostname"], &project).trim_end(), name);

    let outcome = ends(open("second").arg("--detach").args(program));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let container = outcome.stdout.split_once(' ').unwrap().0;

    // By the container's name, which an engine would be asked for.
    let listed = without_a_question(world, &["sessions", container], &project);
    let sessions: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(sessions, ["main", "second"]);

    // A new window, and the session that runs in it.
    let outcome = ends(open("third").args(program).env("TMUX", host.variable()));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    wait_until("the new window", || host.tmux(["display-message", "-p", "-t", "main:", "#{pane_id}"]) != first);
    screen.type_line("third");
    screen.wait_for_line("got third");
    let outcome = ends(engine.wharf(["capture", "--session", "third"]).current_dir(&project));
    assert_eq!(outcome.stdout.lines().next(), Some("third"));
}

/// What wharf prints where an engine accepts and says nothing, and is not even visited.
#[track_caller]
fn without_a_question(world: &World, arguments: &[&str], project: &Path) -> String {
    let socket = world.root().join("counted.sock");
    let engine = Liar::at(&socket, world, |mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let host = format!("unix://{}", socket.display());
    let outcome = ends(world.wharf(arguments).current_dir(project).env("DOCKER_HOST", host));
    assert_eq!((outcome.code, outcome.stderr.as_str(), engine.visitors()), (Some(0), "", 0), "{arguments:?}");
    outcome.stdout
}

#[test]
fn with_a_frozen_engine_all_that_runs_goes_on_and_is_reached() {
    let world = World::new();
    nothing_waits_for_the_engine(&world, &PrivateEngine::start(&world), PrivateEngine::freeze);
}

#[test]
fn with_a_killed_engine_all_that_runs_goes_on_and_is_reached() {
    let world = World::new();
    nothing_waits_for_the_engine(&world, &PrivateEngine::start(&world), PrivateEngine::kill);
}

/// A small file system of its own, in place of a directory; gone with the test.
struct Disk(PathBuf);

impl Disk {
    fn mount(directory: PathBuf) -> Self {
        assert!(is_root(), "only root can mount a disk: `--skip private_engine::` leaves these tests out");
        fs::create_dir_all(&directory).unwrap();
        let disk = Self(directory);
        disk.run("mount", &["-t", "tmpfs", "-o", "size=64k,nr_inodes=64,mode=0700", "tmpfs"]);
        disk
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        printed_by(Command::new(program).args(arguments).arg(&self.0));
    }

    /// Not one file more, and not one byte.
    fn fill(&self) {
        while fs::write(self.0.join(format!("fill-{}", fs::read_dir(&self.0).unwrap().count())), vec![0; 4096]).is_ok() {}
        for count in 0.. {
            if fs::File::create(self.0.join(format!("empty-{count}"))).is_err() {
                return;
            }
        }
    }

    fn make_read_only(&self) {
        self.run("mount", &["-o", "remount,ro"]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Not at once where a container still has it.
        run(Command::new("umount").arg("--lazy").arg(&self.0));
    }
}

#[track_caller]
fn assert_nothing_can_be_made(world: &World, state: &Path, why: &str) {
    let project = world.project("new");
    let outcome = ends(world.wharf(["start", "--image", BUSYBOX]).arg(&project));
    let error = format!("error: could not create `{}/wharf/containers/wharf-new-", state.display());
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    assert!(outcome.stderr.starts_with(&error) && outcome.stderr.ends_with(&format!("`: {why}\n")), "{}", outcome.stderr);
    for kind in ["container", "volume"] {
        assert!(Docker::below(kind, &project).is_empty(), "{kind}");
    }
    assert_eq!(fs::read_dir(state.join("wharf/containers")).unwrap().count(), 1);
}

#[track_caller]
fn assert_reached(world: &World, project: &Path) {
    let outcome = ends(world.wharf(["exec", "--", "hostname"]).current_dir(project));
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "api\n", ""));
}

#[test]
fn on_a_full_disk_nothing_is_left_half_made_and_what_exists_is_reached() {
    let world = World::new();
    let state = world.root().join("state");
    let disk = Disk::mount(state.clone());
    let project = world.project("api");
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    disk.fill();
    assert_nothing_can_be_made(&world, &state, "No space left on device (os error 28)");

    // With its relay, and with one that has no place for a socket.
    assert_reached(&world, &project);
    let first = relay(&container);
    fs::remove_file(shared(&world, &container).join("relay.sock")).unwrap();
    disk.fill();
    assert_reached(&world, &project);
    // It is left alone: whom it serves would gain nothing from its end.
    assert_eq!(relay(&container), first);
    Docker::run(["exec", &container, "kill", "-KILL", &first]);
    wait_until("the relay's end", || processes(&container, "wharf relay ").is_empty());
    assert_reached(&world, &project);
    // And when it is started anew.
    world.wharf(["stop"]).arg(&project).success();
    assert_eq!(world.wharf(["start"]).arg(&project).success(), container);
    assert_reached(&world, &project);
}

#[test]
fn on_a_read_only_disk_nothing_is_left_half_made_and_what_exists_is_reached() {
    let world = World::new();
    let state = world.root().join("state");
    let disk = Disk::mount(state.clone());
    let project = world.project("api");
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    disk.make_read_only();
    assert_nothing_can_be_made(&world, &state, "Read-only file system (os error 30)");
    assert_reached(&world, &project);
    Docker::run(["exec", &container, "kill", "-KILL", &relay(&container)]);
    assert_reached(&world, &project);
}
