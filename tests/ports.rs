//! R45: which ports lead into containers, and from where.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use serde_json::json;

use crate::configured::trusted;
use crate::support::{BUSYBOX, Docker, World};

/// A port that nobody has at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn project(world: &World, name: &str, text: &str) -> PathBuf {
    let project = world.project(name);
    fs::write(project.join("wharf.kdl"), format!("image \"{BUSYBOX}\"\n{text}\n")).unwrap();
    world.wharf(["trust"]).arg(&project).success();
    project
}

/// The addresses at which somebody listens on this port, as `ss -ltn` has them from there.
fn listening(port: u16) -> Vec<String> {
    let lines = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let sockets = [lines("/proc/net/tcp"), lines("/proc/net/tcp6")].concat();
    let address = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (address, of) = words.get(1)?.split_once(':')?;
        let listens = words.get(3) == Some(&"0A") && u16::from_str_radix(of, 16) == Ok(port);
        let address = match u32::from_str_radix(address, 16) {
            Ok(v4) => Ipv4Addr::from(v4.to_ne_bytes()).to_string(),
            Err(_) => address.to_owned(),
        };
        listens.then_some(address)
    };
    sockets.lines().filter_map(address).collect()
}

#[test]
fn ports_are_listed_with_where_they_listen() {
    let world = World::new();
    let (web, debug, wide) = (free_port(), free_port(), free_port());
    let api = project(&world, "api", &format!("port 9229 host={debug}\nport 80 host={web}"));
    let db = project(&world, "db", &format!("port 5432 host={wide} address=\"0.0.0.0\""));
    let container = world.wharf(["start"]).arg(&api).success();
    world.wharf(["start"]).arg(&db).success();
    assert_eq!(listening(web), ["127.0.0.1"]);
    assert_eq!(listening(debug), ["127.0.0.1"]);
    assert_eq!(listening(wide), ["0.0.0.0"]);

    let table = |rows: &[(&str, &str, u16, &PathBuf)]| -> String {
        let row = |(port, address, host, project): &(&str, &str, u16, &PathBuf)| {
            format!("\n{port:<8}  {address:<9}  {host:<9}  {}", project.display())
        };
        format!("PORT      ADDRESS    HOST PORT  PROJECT{}", rows.iter().map(row).collect::<String>())
    };
    let of_api = [("80/tcp", "127.0.0.1", web, &api), ("9229/tcp", "127.0.0.1", debug, &api)];
    assert_eq!(world.wharf(["ports"]).arg(&api).success(), table(&of_api));
    assert_eq!(world.wharf(["ports", &container]).success(), table(&of_api));
    let all = world.wharf(["ports"]).success();
    let of_db = table(&[("5432/tcp", "0.0.0.0", wide, &db)]);
    assert!(of_db.lines().skip(1).all(|line| all.contains(line.split_whitespace().last().unwrap())), "{all}");

    let of_db = world.wharf(["ports", "--json"]).arg(&db).success();
    let of_db: serde_json::Value = serde_json::from_str(&of_db).unwrap();
    let row = json!({
        "name": "db", "project": db, "container": world.container_of(&db),
        "container_port": 5432, "protocol": "tcp", "address": "0.0.0.0", "host_port": wide,
    });
    assert_eq!(of_db, json!([row]));

    world.wharf(["stop"]).arg(&api).success();
    assert_eq!(
        world.wharf(["ports"]).arg(&api).success(),
        "no port is published by a container that runs, and in none does anybody listen"
    );
    assert_eq!(world.wharf(["ports", "--json"]).arg(&api).success(), "[]");
    let none = world.project("none");
    let refusal = world.wharf(["ports"]).arg(&none).failure();
    assert_eq!(refusal, format!("error: `{}` has no container\nhint: `wharf open` makes one\n", none.display()));
}

#[test]
fn a_rebuild_with_a_port_that_is_taken_ends_no_session() {
    let world = World::new();
    let own = format!("image \"{BUSYBOX}\"\nport {}\n", free_port());
    let container = world.open_detached(&trusted(&world, &own));
    let before = Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let project = trusted(&world, &format!("{own}port {port}\n"));
    for verb in [&["rebuild"][..], &["rebuild", "--force"]] {
        let refusal = world.wharf(verb).arg(&project).failure();
        assert!(refusal.starts_with(&format!("error: port {port} of 127.0.0.1 is in use\n")), "{refusal}");
    }
    assert_eq!(Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}"), before);

    // What the old container has itself is in nobody's way.
    drop(listener);
    for _ in 0..2 {
        world.wharf(["rebuild", "--force"]).arg(&project).success();
        assert_eq!(Docker::inspect(&container, "{{len .NetworkSettings.Ports}} {{.State.Status}}"), "2 running");
    }
}
