//! R48: containers of one network reach each other by name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::{BUSYBOX, Docker, World, wait_until};

/// A network that no other test has, which is gone at the end.
struct Network {
    /// As it is configured.
    name: String,
}

impl Network {
    fn of(world: &World) -> Self {
        Self { name: world.root().file_name().unwrap().to_str().unwrap().replace('.', "") }
    }

    fn on_engine(&self) -> String {
        format!("wharf-{}", self.name)
    }

    fn exists(&self) -> bool {
        Docker::output(["network", "inspect", &self.on_engine()]).status.success()
    }

    fn ids(&self) -> Vec<String> {
        Docker::run(self.list()).lines().map(str::to_owned).collect()
    }

    fn list(&self) -> [String; 5] {
        ["network", "ls", "--quiet", "--filter", &format!("name=^{}$", self.on_engine())].map(str::to_owned)
    }

    /// A project that is in it, and trusted.
    fn project(&self, world: &World, name: &str) -> PathBuf {
        let project = world.project(name);
        fs::write(project.join("wharf.kdl"), format!("image \"{BUSYBOX}\"\nnetwork \"{}\"\n", self.name)).unwrap();
        world.wharf(["trust"]).arg(&project).success();
        project
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // One that has containers stays; their world comes after this.
        for id in Docker::left_over(self.list()) {
            let inside = Docker::left_over(["ps", "-aq", "--filter", &format!("network={id}")]);
            for container in inside {
                Docker::output(["rm", "-f", &container]);
            }
            Docker::output(["network", "rm", &id]);
        }
    }
}

fn serve(container: &str) {
    Docker::shell(container, "mkdir -p /tmp/www && echo hello >/tmp/www/index.html && httpd -p 8080 -h /tmp/www");
}

#[track_caller]
fn reaches(world: &World, from: &Path, name: &str) {
    let url = format!("http://{name}:8080/index.html");
    wait_until(&format!("an answer of {name}"), || {
        let outcome = world.wharf(["exec"]).arg(from).args(["--", "wget", "-q", "-O", "-", &url]).run();
        (outcome.code, outcome.stdout.as_str()) == (Some(0), "hello\n")
    });
}

#[test]
fn containers_of_one_network_reach_each_other_by_name() {
    let world = World::new();
    let network = Network::of(&world);
    let [shop, db] = ["Web Shop", "db"].map(|name| network.project(&world, name));
    for project in [&shop, &db] {
        world.wharf(["start"]).arg(project).success();
    }
    let labels = "{{index .Labels \"wharf\"}} {{index .Labels \"wharf.network\"}}";
    assert_eq!(Docker::run(["network", "inspect", "-f", labels, &network.on_engine()]), format!("true {}", network.name));
    let [of_shop, of_db] = [&shop, &db].map(|project| world.container_of(project));
    assert_eq!(Docker::inspect(&of_db, "{{index .Config.Labels \"wharf.network\"}}"), network.name);
    serve(&of_shop);
    reaches(&world, &db, "web-shop");
    reaches(&world, &db, &of_shop);
    serve(&of_db);
    reaches(&world, &shop, "db");

    // It is still in it after a stop, even where somebody has removed the network meanwhile.
    world.wharf(["stop"]).args([&shop, &db]).success();
    Docker::run(["network", "rm", &network.on_engine()]);
    for project in [&shop, &db] {
        world.wharf(["start"]).arg(project).success();
    }
    serve(&of_db);
    reaches(&world, &shop, "db");

    // A throw-away container is in it, too, and takes nobody's name.
    let url = "http://db:8080/index.html";
    assert_eq!(world.wharf(["run", "--", "wget", "-q", "-O", "-", url]).current_dir(&shop).success(), "hello");

    world.wharf(["rm", "--force"]).arg(&shop).success();
    assert!(network.exists());
    world.wharf(["rm", "--force"]).arg(&db).success();
    assert!(!network.exists());
}

#[test]
fn ten_starts_at_once_make_one_network() {
    let world = World::new();
    let network = Network::of(&world);
    let projects: Vec<PathBuf> = (0..10).map(|n| network.project(&world, &format!("p{n}"))).collect();
    let start = |project: &PathBuf| {
        let mut start = world.wharf(["start"]).arg(project).into_command();
        start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
    };
    let starts: Vec<_> = projects.iter().map(start).collect();
    for mut start in starts {
        assert!(start.wait().unwrap().success());
    }
    assert_eq!(network.ids().len(), 1);
    let inside = Docker::run(["ps", "-q", "--filter", &format!("network={}", network.on_engine())]);
    assert_eq!(inside.lines().count(), 10);
}

#[test]
fn a_network_that_is_not_wharfs_is_not_used() {
    let world = World::new();
    let network = Network::of(&world);
    let project = network.project(&world, "api");
    Docker::run(["network", "create", "--label", "wharf=true", &network.on_engine()]);
    let refusal = world.wharf(["start"]).arg(&project).failure();
    let name = network.on_engine();
    let hint = format!("look at it (`docker network inspect {name}`), or configure another `network`");
    assert_eq!(refusal, format!("error: a network `{name}` exists that wharf did not make\nhint: {hint}\n"));
    assert_eq!((Docker::below("container", &project), Docker::below("volume", &project)), (vec![], vec![]));

    // Nor is a container connected to it that was made for wharf's own.
    Docker::run(["network", "rm", &name]);
    world.wharf(["start"]).arg(&project).success();
    world.wharf(["stop"]).arg(&project).success();
    Docker::run(["network", "rm", &name]);
    Docker::run(["network", "create", &name]);
    let refusal = world.wharf(["start"]).arg(&project).failure();
    assert!(refusal.starts_with(&format!("error: a network `{name}` exists")), "{refusal}");
    world.wharf(["rm"]).arg(&project).success();
    assert!(network.exists());
}

#[test]
fn an_untrusted_file_joins_no_network() {
    let world = World::new();
    let network = Network::of(&world);
    let project = network.project(&world, "api");
    world.wharf(["trust", "--revoke"]).arg(&project).success();
    let outcome = world.wharf(["start"]).arg(&project).run();
    assert!(outcome.stderr.contains(&format!("\n  2: network \"{}\"\n", network.name)), "{}", outcome.stderr);
    assert!(!network.exists());
}
