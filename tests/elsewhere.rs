//! Engines that are reached by another way than a socket of this machine.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread;

use crate::support::{BUSYBOX, Docker, World};

/// Passes connections on to the machine's engine; gives the address for `DOCKER_HOST`.
fn by_tcp() -> String {
    let endpoint = Docker::run(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]);
    let socket = endpoint.strip_prefix("unix://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for near in listener.incoming() {
            let (near, far) = (near.unwrap(), UnixStream::connect(&socket).unwrap());
            let (mut near_too, mut far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || pass(near, &mut far_too, |far| far.shutdown(Shutdown::Write)));
            thread::spawn(move || pass(far, &mut near_too, |near: &TcpStream| near.shutdown(Shutdown::Write)));
        }
    });
    address
}

fn pass<T: io::Write>(mut from: impl io::Read, into: &mut T, end: impl FnOnce(&T) -> io::Result<()>) {
    let _ = io::copy(&mut from, into);
    let _ = end(into);
}

#[test]
fn an_engine_at_a_tcp_address_is_as_any_other() {
    let world = World::new();
    let project = world.project("api");
    let address = by_tcp();
    let wharf = |arguments: &[&str]| world.wharf(arguments.iter().copied()).env("DOCKER_HOST", &address);
    let container = wharf(&["start", "--image", BUSYBOX]).arg(&project).success();
    for way in ["relay", "exec"] {
        let exec = wharf(&["exec", "--", "sh", "-c", "echo in $PWD"]).current_dir(&project).env("WHARF_ATTACH", way);
        assert_eq!(exec.success(), format!("in {}", project.display()), "{way}");
    }
    assert!(wharf(&["list", "--json"]).success().contains(&container));
    wharf(&["rm", "--force", "--volumes"]).arg(&project).success();
    assert!(Docker::below("container", &project).is_empty());
}

#[test]
fn nobody_at_a_tcp_address_is_an_error() {
    let world = World::new();
    assert_eq!(
        world.wharf(["list"]).env("DOCKER_HOST", "tcp://127.0.0.1:1").failure(),
        "error: cannot reach the container engine at `tcp://127.0.0.1:1`: Connection refused (os error 111)\n\
         hint: `docker version` shows whether it answers\n"
    );
}

#[test]
fn what_ssh_says_is_told() {
    let world = World::new();
    assert_eq!(
        world.wharf(["list"]).env("DOCKER_HOST", "ssh://nobody@127.0.0.1:1").failure(),
        "error: cannot reach the container engine at `ssh://nobody@127.0.0.1:1`: \
         ssh: connect to host 127.0.0.1 port 1: Connection refused\n\
         hint: connect by hand once (`ssh HOST docker version`): its key and yours must be known, and docker be there\n"
    );
}
