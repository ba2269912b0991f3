//! R92: what listens inside is reached without publishing it, and files go both ways.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Stdio};

use serde_json::json;

use crate::configured::trusted;
use crate::ports::free_port;
use crate::support::{BUSYBOX, Docker, Place, World, wait_for, wait_until};

/// `wharf forward` as long as it is there.
struct Forward(Child);

impl Forward {
    fn start(place: &Place, ports: &str) -> Self {
        let mut command = place.world.wharf(["forward"]).arg(&place.project).arg(ports).into_command();
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says `text` to whoever listens at a port of this machine, and gives all of the answer.
fn say(port: u16, text: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let mut answer = Vec::new();
    std::thread::scope(|scope| {
        let mut writer = stream.try_clone().ok()?;
        // It answers while it is still being spoken to.
        scope.spawn(move || writer.write_all(text).and_then(|()| writer.shutdown(Shutdown::Write)));
        stream.read_to_end(&mut answer).ok()
    })?;
    Some(answer)
}

/// Starts a server in the container that says back what it hears.
fn echo_at(place: &Place, port: u16) {
    let line = format!("nc -ll -p {port} -e cat >/dev/null 2>&1 &");
    place.world.wharf(["exec"]).arg(&place.project).args(["--", "sh", "-c", &line]).success();
}

#[test]
fn a_server_that_was_started_later_is_reached_without_recreating_anything() {
    let place = Place::started();
    let (before, port) = (Docker::inspect(&place.container, "{{.Id}}"), free_port());
    let _forward = Forward::start(&place, &format!("{port}:8000"));
    // Nobody listens there yet.
    wait_until("the port", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert_eq!(say(port, b"x"), Some(Vec::new()));
    echo_at(&place, 8000);
    wait_until("the server", || say(port, b"hello") == Some(b"hello".to_vec()));
    // More than any buffer holds, and several at once.
    let much: Vec<u8> = (0..3_000_000_u32).map(|i| i.to_le_bytes()[1]).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(say(port, &much) == Some(much.clone())));
        }
    });
    assert_eq!(Docker::inspect(&place.container, "{{.Id}}"), before);
    let taken = place.world.wharf(["forward"]).arg(&place.project).arg(format!("{port}:8000")).failure();
    assert!(taken.starts_with(&format!("error: port {port} of 127.0.0.1 is in use\n")), "{taken}");
}

#[test]
fn a_forward_ends_with_its_container() {
    let place = Place::started();
    let port = free_port();
    let mut forward = Forward::start(&place, &format!("{port}:8000"));
    wait_until("the port", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    place.world.wharf(["stop"]).arg(&place.project).success();
    let status = wait_for("its end", || forward.0.try_wait().unwrap());
    assert_eq!(status.code(), Some(1));
    let mut said = String::new();
    forward.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains(&format!("error: container `{}` ", place.container)), "{said}");
}

#[test]
fn ports_say_what_listens_inside_and_leads_nowhere() {
    let place = Place::started();
    echo_at(&place, 8000);
    let row = json!([{
        "name": "api", "project": place.project, "container": place.container, "container_port": 8000,
        "protocol": "tcp", "address": null, "host_port": null,
    }]);
    let listed = || place.world.wharf(["ports", "--json"]).arg(&place.project).success();
    wait_until("the port", || serde_json::from_str::<serde_json::Value>(&listed()).unwrap() == row);
    let shown = place.world.wharf(["ports"]).arg(&place.project).run();
    let line = format!("8000/tcp  -        -          {}\n", place.project.display());
    assert!(shown.stdout.ends_with(&line), "{}", shown.stdout);
    assert!(shown.stderr.contains("`wharf forward api 8000` does"), "{}", shown.stderr);
}

#[test]
fn the_menu_offers_a_way_to_a_port() {
    let place = Place::opened();
    let host = place.world.host();
    let screen = host.attach("main");
    let serve =
        "python3 -m http.server 8000 || perl -MIO::Socket -e 'IO::Socket::INET->new(LocalPort => 8000, Listen => 1)->accept'";
    let line = format!("nohup sh -c \"{}\" >/dev/null 2>&1 &", serve.replace('"', "\\\""));
    place.world.wharf(["exec"]).arg(&place.project).args(["--", "sh", "-c", &line]).success();
    let listening = || place.world.wharf(["ports", "--json"]).arg(&place.project).success().contains("8000");
    wait_until("the server", listening);
    host.open_shell_in(&place.project);
    screen.press(&["C-b", "M-w"]);
    screen.wait_for_text("Forward port 8000");
}

#[test]
fn the_engine_chooses_a_port_where_it_may() {
    let world = World::new();
    let project = trusted(&world, &format!("image \"{BUSYBOX}\"\nport 3000 host=\"auto\"\n"));
    let container = world.wharf(["start"]).arg(&project).success();
    let port = Docker::inspect(&container, r#"{{(index (index .NetworkSettings.Ports "3000/tcp") 0).HostPort}}"#);
    assert_ne!(port.parse::<u16>().unwrap(), 0);
    let ports = world.wharf(["ports"]).arg(&project).success();
    assert!(ports.contains(&format!("3000/tcp  127.0.0.1  {port}")), "{ports}");
    assert!(world.wharf(["config", "show"]).arg(&project).success().contains("port 3000 host=\"auto\" address=\"127.0.0.1\""));
    // It may be another one after the next start, which is no change.
    assert!(!world.wharf(["inspect"]).arg(&project).success().contains("has changed"));
}

#[test]
fn files_and_directories_go_both_ways() {
    let place = Place::started();
    let (world, name) = (&place.world, place.project.to_str().unwrap());
    let src = world.root().join("src");
    let tree = src.join("tree");
    fs::create_dir_all(tree.join("deep")).unwrap();
    fs::write(tree.join("deep/größe"), "x".repeat(200_000)).unwrap();
    std::os::unix::fs::symlink("deep", tree.join("link")).unwrap();
    let cp = |from: &str, to: &str| world.wharf(["cp", from, to]).current_dir(&src).run();
    let done = |from: &str, to: &str| {
        let outcome = cp(from, to);
        assert_eq!((outcome.code, outcome.stderr.as_str(), outcome.stdout.as_str()), (Some(0), "", ""), "{from} {to}");
    };
    // Into a directory that is there, or to a name.
    done("tree", &format!("{name}:/tmp/"));
    done("tree", &format!("{name}:/tmp/other"));
    let owner = format!("{0}:{0}", fs::metadata(&tree).unwrap().uid());
    let stat = |path: &str| Docker::shell(&place.container, &format!("stat -c '%u:%g' {path}"));
    assert_eq!(stat("/tmp/tree/deep/größe"), owner);
    assert_eq!(Docker::shell(&place.container, "readlink /tmp/other/link; wc -c </tmp/other/deep/größe"), "deep\n200000");
    // And back, beside what is there, also while it does not run.
    world.wharf(["stop"]).arg(&place.project).success();
    fs::create_dir(src.join("back")).unwrap();
    done(&format!("{name}:/tmp/tree"), "back");
    done(&format!("{name}:/tmp/tree/deep/größe"), "one");
    assert_eq!(fs::read(src.join("back/tree/deep/größe")).unwrap().len(), 200_000);
    assert_eq!(fs::read_link(src.join("back/tree/link")).unwrap().to_str(), Some("deep"));
    assert_eq!(fs::metadata(src.join("one")).unwrap().len(), 200_000);
    fs::write(src.join("back/tree/mine"), "").unwrap();
    done(&format!("{name}:/tmp/tree"), "back");
    assert!(src.join("back/tree/mine").exists());
    // Relative to the project, whose name is enough from there.
    fs::write(place.project.join("notes"), "n").unwrap();
    let here = world.wharf(["cp", ":notes", "copy"]).current_dir(&place.project).success();
    assert_eq!((here.as_str(), fs::read_to_string(place.project.join("copy")).unwrap().as_str()), ("", "n"));
    for (from, to, said) in [
        ("tree", "copy", "error: nothing was copied: both are on this machine\n"),
        (&format!("{name}:/nowhere"), "copy", "error: there is no `/nowhere` in container `"),
        ("tree", &format!("{name}:/nowhere/x"), "error: there is no `/nowhere` in container `"),
        ("nothing", &format!("{name}:/tmp"), "error: could not read `nothing`: "),
    ] {
        let outcome = cp(from, to);
        assert!(outcome.code == Some(1) && outcome.stderr.starts_with(said), "{from} {to}: {outcome:?}");
    }
}
