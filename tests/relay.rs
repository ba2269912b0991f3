//! R12, R65: the relay ends, hangs, is flooded and has its socket taken away. Sessions don't notice, and people get in.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use rustix::process::{Signal, kill_process};

use crate::support::relay::{HELLO, Liar, NO_ENGINE, connect, ends, frame, memory, processes, raise_file_limit, relay, shared};
use crate::support::{BUSYBOX, Docker, Host, PATIENCE, World, binary, pane_process, wait_until};

#[track_caller]
fn start(world: &World, project: &Path) -> String {
    world.wharf(["start", "--image", BUSYBOX]).arg(project).success()
}

/// A window with `wharf attach` of the project.
fn attach(host: &Host, project: &Path) -> String {
    let attach = format!("exec '{}' attach '{}'", binary().display(), project.display());
    host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", &attach])
}

fn signal(container: &str, name: &str, pid: &str) {
    Docker::run(["exec", container, "kill", "-s", name, pid]);
}

/// Whoever is asked needs no engine: the relay answers.
#[track_caller]
fn assert_the_relay_serves(world: &World, project: &Path) {
    let outcome = world.wharf(["exec"]).arg("--").args(["echo", "here"]).current_dir(project).env("DOCKER_HOST", NO_ENGINE).run();
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "here\n", ""));
}

#[test]
fn a_relay_that_ends_or_hangs_is_replaced_by_whoever_comes() {
    let world = World::new();
    let project = world.project("api");
    let command = ["sh", "-c", "exec sleep 4321"];
    world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).arg("--").args(command).success();
    let container = world.container_of(&project);
    let session = || processes(&container, " sleep 4321");
    let before = session();
    for name in ["TERM", "KILL", "STOP"] {
        for verb in [&["sessions", "--json"][..], &["exec", "--", "echo", "\"name\": \"main\""]] {
            let first = relay(&container);
            signal(&container, name, &first);
            if name != "STOP" {
                wait_until("the relay's end", || processes(&container, "relay").is_empty());
            }
            let outcome = ends(world.wharf(verb).current_dir(&project));
            assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{name}");
            assert!(outcome.stdout.contains("\"name\": \"main\""), "{name}: {}", outcome.stdout);
            assert_ne!(relay(&container), first, "{name}");
            assert_the_relay_serves(&world, &project);
        }
    }
    assert_eq!(session(), before);
}

#[test]
fn a_terminal_whose_relay_ends_shows_the_same_program_again() {
    let world = World::new();
    let project = world.project("api");
    let loops = "while read -r word; do echo got $word; done";
    world.wharf(["open", "--detach", "--image", BUSYBOX]).arg(&project).args(["--", "sh", "-c", loops]).success();
    let container = world.container_of(&project);
    let client = || processes(&container, " attach-session ");
    let host = world.host();
    let screen = host.attach("main");
    attach(&host, &project);
    screen.type_line("first");
    screen.wait_for_line("got first");
    for name in ["TERM", "KILL"] {
        let before = client();
        signal(&container, name, &relay(&container));
        wait_until("another client", || !client().is_empty() && client() != before);
        screen.type_line(name);
        screen.wait_for_line(&format!("got {name}"));
        // What was shown before is still there.
        screen.wait_for_line("got first");
    }
}

#[test]
fn of_many_who_find_the_relay_dead_all_get_in_and_one_relay_is_left() {
    let world = World::new();
    let project = world.project("api");
    let container = start(&world, &project);
    for _ in 0..3 {
        signal(&container, "KILL", &relay(&container));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(world.wharf(["exec", "--", "echo", "in"]).current_dir(&project).success(), "in"));
            }
        });
        relay(&container);
        assert_the_relay_serves(&world, &project);
    }
}

#[test]
fn a_process_that_has_a_dead_relays_number_is_left_alone() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    signal(&container, "KILL", &relay(&container));
    // Somebody has the lock, and in it is the number of a program that is no relay.
    let script = "sleep 4321 & printf $! >/run/wharf/relay.lock; exec flock /run/wharf/relay.lock sleep 1234";
    Docker::run(["exec", "--detach", &container, "sh", "-c", script]);
    wait_until("the lock's new owner", || Docker::output(["exec", &container, "pgrep", "-f", "^sleep 1234"]).status.success());
    let outcome = ends(world.wharf(["exec", "--", "pgrep", "-f", "^sleep 4321"]).current_dir(&project));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

/// Something in the place of the relay's socket.
type Junk = fn(&World, &Path);

fn no_junk(_: &World, _: &Path) {}

fn file(_: &World, path: &Path) {
    fs::write(path, "junk").unwrap();
}

fn full_directory(_: &World, path: &Path) {
    fs::create_dir(path).unwrap();
    fs::write(path.join("file"), "junk").unwrap();
}

fn fifo(_: &World, path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn dangling_link(_: &World, path: &Path) {
    symlink("nowhere", path).unwrap();
}

fn link_in_a_circle(_: &World, path: &Path) {
    symlink("relay.sock", path).unwrap();
}

fn silent(world: &World, path: &Path) {
    Liar::at(path, world, |mut stream| drop(stream.read_to_end(&mut Vec::new())));
}

fn closes(world: &World, path: &Path) {
    Liar::at(path, world, drop);
}

fn garbage(world: &World, path: &Path) {
    Liar::at(path, world, |mut stream| while stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").is_ok() {});
}

fn of_another_version(world: &World, path: &Path) {
    Liar::at(path, world, |mut stream| {
        let _ = stream.write_all(b"H\0\0\0\x09wharf\0\x09{}");
        let _ = stream.read_to_end(&mut Vec::new());
    });
}

/// A socket at which nobody is served, and nobody more can even wait.
fn full_backlog(world: &World, path: &Path) {
    raise_file_limit();
    let short = world.root().join("full.sock");
    let listener = UnixListener::bind(&short).unwrap();
    fs::rename(&short, path).unwrap();
    // The standard library's backlog is as long as the system allows, and may be shortened.
    rustix::net::listen(&listener, 0).unwrap();
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let path = path.to_owned();
        waiting.push(thread::spawn(move || UnixStream::connect(path)));
    }
    std::mem::forget(listener);
}

#[test]
fn whatever_is_in_the_sockets_place_nobody_waits_for_it_and_the_relay_takes_it_back() {
    let world = World::new();
    let project = world.project("api");
    let container = start(&world, &project);
    let socket = shared(&world, &container).join("relay.sock");
    let first = relay(&container);
    let junk: [(&str, Junk); 12] = [
        ("nothing", no_junk),
        ("a file", file),
        ("an empty directory", |_, path| fs::create_dir(path).unwrap()),
        ("a full directory", full_directory),
        ("a fifo", fifo),
        ("a dangling link", dangling_link),
        ("a link in a circle", link_in_a_circle),
        ("a silent listener", silent),
        ("one that hangs up", closes),
        ("one that talks at length", garbage),
        ("one of another version", of_another_version),
        ("one with a full backlog", full_backlog),
    ];
    for (name, put) in junk {
        fs::remove_file(&socket).unwrap();
        put(&world, &socket);
        // Without an engine there is nobody else to ask, and that is said at once.
        let outcome = ends(world.wharf(["sessions"]).arg(&project).env("DOCKER_HOST", NO_ENGINE));
        let expected = "error: no container engine at `/nonexistent/docker.sock`: No such file or directory (os error 2)";
        assert_eq!((outcome.code, outcome.stderr.lines().next()), (Some(1), Some(expected)), "{name}");

        let outcome = ends(world.wharf(["exec", "--", "hostname"]).current_dir(&project));
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "api\n", ""), "{name}");
        assert_eq!(relay(&container), first, "{name}");
        assert_the_relay_serves(&world, &project);
    }
}

#[test]
fn a_link_to_another_socket_is_never_followed() {
    let world = World::new();
    let project = world.project("api");
    let container = start(&world, &project);
    let shared = shared(&world, &container);
    let target = world.root().join("other.sock");
    // It would be believed, if anybody asked it.
    let liar = Liar::at(&target, &world, |mut stream| {
        let _ = stream.write_all(HELLO);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    fs::remove_file(shared.join("relay.sock")).unwrap();
    symlink(&target, shared.join("relay.sock")).unwrap();
    let outcome = ends(world.wharf(["exec", "--", "hostname"]).current_dir(&project));
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "api\n", ""));
    assert_eq!(liar.visitors(), 0);

    // The same one directory up: in the place of the container's is a link to one with a relay that would answer.
    let other = start(&world, &world.project("other"));
    let moved = world.root().join("moved");
    fs::rename(&shared, &moved).unwrap();
    symlink(shared.with_file_name(&other), &shared).unwrap();
    let outcome = ends(world.wharf(["exec", "--", "hostname"]).current_dir(&project));
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "api\n", ""));
    fs::remove_file(&shared).unwrap();
    fs::rename(moved, shared).unwrap();
    assert_the_relay_serves(&world, &project);
}

#[test]
fn a_thousand_clients_that_say_nothing_hold_nobody_up() {
    raise_file_limit();
    let world = World::new();
    let project = world.project("api");
    let container = start(&world, &project);
    let shared = shared(&world, &container);
    let (pid, before) = (relay(&container), memory(&container, "VmRSS"));
    let mut silent: Vec<UnixStream> = (0..1000).map(|_| connect(&shared)).collect();
    assert_the_relay_serves(&world, &project);
    let during = memory(&container, "VmRSS");
    let started = Instant::now();
    for stream in &mut silent {
        match stream.read(&mut [0; 64]) {
            // Dropped without a word.
            Ok(0) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            read => panic!("{read:?} after {:?}", started.elapsed()),
        }
    }
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    assert!(during < before + 4096, "{before} KiB before, {during} with them");
    assert_eq!(relay(&container), pid);
    assert_the_relay_serves(&world, &project);
}

/// Reads until the relay has ended the connection.
#[track_caller]
fn read_to_end(name: &str, stream: &mut UnixStream) -> Vec<u8> {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{name}: {error}"),
        _ => said,
    }
}

#[test]
fn what_is_no_frame_ends_its_connection_and_no_other() {
    let world = World::new();
    let project = world.project("api");
    let container = start(&world, &project);
    let shared = shared(&world, &container);
    let pid = relay(&container);
    // One that behaves, and waits for an answer all the while.
    let mut good = connect(&shared);
    let echo = br#"{"Run":{"program":{"Command":["cat"]}}}"#;
    good.write_all(&[HELLO, &frame(b'R', echo)].concat()).unwrap();

    let cases: [(&str, Vec<u8>); 9] = [
        ("an unknown kind", frame(b'?', b"")),
        ("a size of three bytes", frame(b'r', b"abc")),
        ("a signal without a number", frame(b's', b"")),
        ("an exit code of one byte", frame(b'X', b"1")),
        ("a request that is not JSON", frame(b'R', b"{")),
        ("a request of no kind", frame(b'R', br#"{"Format":"the disk"}"#)),
        ("an answer", frame(b'S', b"[]")),
        ("the largest length", b"i\xff\xff\xff\xff".to_vec()),
        ("a length that is just too much", b"i\0\x20\0\x01".to_vec()),
    ];
    for (name, bytes) in &cases {
        for greeting in [HELLO, b""] {
            let mut stream = connect(&shared);
            stream.write_all(&[greeting, bytes].concat()).unwrap();
            let said = read_to_end(name, &mut stream);
            assert!(said.starts_with(b"H\0\0\0"), "{name}: {}", String::from_utf8_lossy(&said));
        }
    }
    // To a program that runs: it ends with the connection.
    for (name, bytes) in cases {
        let mut stream = connect(&shared);
        let sleep = br#"{"Run":{"program":{"Command":["sleep","4321"]}}}"#;
        stream.write_all(&[HELLO, &frame(b'R', sleep), &bytes].concat()).unwrap();
        read_to_end(name, &mut stream);
    }
    wait_until("the programs' end", || processes(&container, " sleep 4321").is_empty());
    // And one that announces much, sends little and goes.
    let mut stream = connect(&shared);
    stream.write_all(b"H\0\x1f\xff\xff").unwrap();
    stream.shutdown(Shutdown::Both).unwrap();

    good.write_all(&[frame(b'i', b"still here"), frame(b'i', b"")].concat()).unwrap();
    let expected = [frame(b'o', b"still here"), frame(b'X', &0_i32.to_be_bytes())].concat();
    let mut said = Vec::new();
    while !said.ends_with(&expected) {
        let mut piece = [0; 4096];
        let count = good.read(&mut piece).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&said));
        said.extend_from_slice(&piece[..count]);
    }
    assert_eq!(relay(&container), pid);
    assert_the_relay_serves(&world, &project);
}

#[test]
fn ten_terminals_cost_the_relay_little_and_when_killed_none_is_left() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    for way in ["relay", "exec"] {
        host.tmux(["set-environment", "-g", "WHARF_ATTACH", way]);
        let panes: Vec<String> = (0..10).map(|_| attach(&host, &project)).collect();
        wait_until("ten clients", || Docker::inner_clients(&container).len() == 10);
        if way == "relay" {
            // Of what it maps, the program's file is shared with every other relay, and no memory of its own.
            let own = memory(&container, "RssAnon");
            assert!(own <= 6 * 1024, "{own} KiB");
        }
        for pane in &panes {
            kill_process(pane_process(&host, pane), Signal::KILL).unwrap();
        }
        wait_until("no client", || Docker::inner_clients(&container).is_empty());
        for words in [" attach-session ", "relay --stdio "] {
            wait_until("no process of a client", || processes(&container, words).is_empty());
        }
    }
}
