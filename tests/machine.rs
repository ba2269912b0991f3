//! What of the machine a container gets by its configuration, as it is seen from inside.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use crate::configured::trusted;
use crate::support::{DEBIAN, Docker, World};

/// What a shell line prints in the project's container, run as its user by `wharf exec`.
#[track_caller]
fn inside(world: &World, project: &Path, line: &str) -> String {
    world.wharf(["exec", "--", "sh", "-c", line]).current_dir(project).success()
}

#[track_caller]
fn started(world: &World, text: &str) -> std::path::PathBuf {
    let project = trusted(world, &format!("image \"{DEBIAN}\"\n{text}\n"));
    world.wharf(["start"]).arg(&project).success();
    project
}

#[test]
fn shared_memory_and_directories_in_memory_have_their_sizes() {
    let world = World::new();
    let project = started(&world, "limits shm=\"128MiB\"\ntmpfs \"/scratch\" size=\"16MiB\"\ntmpfs \"~/cache/deep\"");
    let size =
        |path: &str| inside(&world, &project, &format!("df --block-size=1M --output=fstype,size {path} | tail -n 1 | tr -s ' '"));
    assert_eq!(size("/dev/shm"), "tmpfs 128");
    assert_eq!(size("/scratch"), "tmpfs 16");
    assert!(size("~/cache/deep").starts_with("tmpfs "));
    // They are the user's own, and programs in them can be run.
    let script =
        "for d in /scratch ~/cache/deep; do cp /bin/true $d/it && $d/it && echo ran; done; touch ~/cache/beside && echo made";
    assert_eq!(inside(&world, &project, script), "ran\nran\nmade");
}

#[test]
fn resource_limits_are_each_processs() {
    let world = World::new();
    let project = started(&world, "ulimit \"nofile\" 2000 hard=3000\nulimit \"core\" 0");
    assert_eq!(inside(&world, &project, "ulimit -n; ulimit -Hn; ulimit -Hc"), "2000\n3000\n0");
}

#[test]
fn a_device_and_a_capability_are_there_where_they_are_trusted() {
    let world = World::new();
    let text = format!(
        "image \"{DEBIAN}\"\nuser \"root\"\ndevice \"/dev/kmsg\"\ncapability \"SYS_PTRACE\"\nhost-access #true\nulimit \"core\" 0\n"
    );
    let project = world.project("api");
    fs::write(project.join("wharf.kdl"), text).unwrap();
    let shown = world.wharf(["config", "show"]).arg(&project).run();
    for line in ["device \"/dev/kmsg\"", "capability \"SYS_PTRACE\"", "host-access #true", "ulimit \"core\" 0"] {
        assert!(shown.stderr.contains(&format!(": {line}\n")) && !shown.stdout.contains(line), "{line}: {shown:?}");
    }
    world.wharf(["trust"]).arg(&project).success();
    world.wharf(["start"]).arg(&project).success();
    assert_eq!(inside(&world, &project, "stat -c '%F %t:%T' /dev/kmsg"), "character special file 1:b");
    // Bit 19 (capabilities(7)).
    let set = inside(&world, &project, "grep CapEff /proc/self/status | cut -f 2");
    assert_eq!(u64::from_str_radix(&set, 16).unwrap() >> 19 & 1, 1, "{set}");
}

#[test]
fn a_device_that_is_none_is_refused_before_anything_is_made() {
    let world = World::new();
    let project = trusted(&world, "device \"/dev/no-such\"\n");
    let refused = world.wharf(["start"]).arg(&project).failure();
    let expected = "error: there is no character device `/dev/no-such` on this machine\n\
                    hint: `wharf config show` says where that is configured\n";
    assert_eq!(refused, expected);
    assert!(Docker::below("container", &project).is_empty());
}

#[test]
fn names_and_addresses_are_the_configured() {
    let world = World::new();
    let text =
        "host \"db.test\" \"10.9.8.7\"\nhost \"six.test\" \"fd00::7\"\ndns \"192.0.2.1\" \"192.0.2.2\"\nhostname \"the-box\"";
    let project = started(&world, text);
    assert_eq!(
        inside(&world, &project, "getent hosts db.test | tr -s ' '; getent hosts six.test | tr -s ' '"),
        "10.9.8.7 db.test\nfd00::7 six.test"
    );
    assert_eq!(inside(&world, &project, "grep ^nameserver /etc/resolv.conf"), "nameserver 192.0.2.1\nnameserver 192.0.2.2");
    assert_eq!(inside(&world, &project, "hostname"), "the-box");
}

#[test]
fn a_service_of_the_host_is_reached_by_name_only_where_that_is_asked_for() {
    let world = World::new();
    let listener = TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nfrom the host");
        }
    });
    let project = started(&world, "host-access #true");
    let ask = format!("curl -sS http://host.docker.internal:{port}/");
    assert_eq!(inside(&world, &project, &ask), "from the host");
    world.wharf(["rm", "--force"]).arg(&project).success();
    let project = started(&world, "");
    assert_eq!(inside(&world, &project, "getent hosts host.docker.internal || echo nobody"), "nobody");
}
