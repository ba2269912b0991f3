//! R46: ssh into containers, by name and by port, with the real client.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};

use crate::ports::free_port;
use crate::support::relay::processes;
use crate::support::{BUSYBOX, DEBIAN, Docker, SSHD, World, is_root, run, wait_until};

/// A project with `ssh`, which is trusted: root's sshd needs it also where nobody uses the port.
fn project(world: &World, name: &str, image: &str, text: &str) -> PathBuf {
    let project = world.project(name);
    fs::write(project.join("wharf.kdl"), format!("image \"{image}\"\n{text}\n")).unwrap();
    world.wharf(["trust"]).arg(&project).success();
    project
}

/// A name that no other test's project has: whoever asks for a host by name asks the engine, which all of them share.
fn unique(world: &World, name: &str) -> String {
    format!(
        "{name}-{}",
        world.root().file_name().unwrap().to_str().unwrap().to_lowercase().replace(|c: char| !c.is_alphanumeric(), "")
    )
}

/// A key of the person's, in their home directory.
fn make_key(world: &World) -> PathBuf {
    let directory = world.root().join("home/.ssh");
    fs::create_dir_all(&directory).unwrap();
    let key = directory.join("id_ed25519");
    let made = world.command("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    assert!(made.unwrap().success());
    key
}

/// The configuration as people have it, with the key named: ssh takes the home directory from passwd(5).
fn ssh_config(world: &World) -> PathBuf {
    let file = world.root().join("ssh_config");
    let printed = world.wharf(["ssh-config"]).success();
    let key = world.root().join("home/.ssh/id_ed25519");
    fs::write(&file, format!("{printed}\n    IdentityFile \"{}\"\n    IdentitiesOnly yes\n", key.display())).unwrap();
    file
}

/// It asks nobody, and waits no longer than this for a connection.
const ALONE: [&str; 4] = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=20"];

fn ssh(world: &World, program: &str, arguments: &[&str]) -> Output {
    run(world.command(program).arg("-F").arg(ssh_config(world)).args(ALONE).args(arguments))
}

#[track_caller]
fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Of the test's user, as the container has it.
fn home() -> String {
    if is_root() { "/root".to_owned() } else { format!("/home/{}", std::env::var("USER").unwrap()) }
}

#[test]
fn ssh_by_name_runs_what_it_is_given_and_starts_what_is_stopped() {
    let world = World::new();
    make_key(&world);
    let name = unique(&world, "my-api");
    let project = project(&world, &name.replace("my-api", "My Api"), SSHD, "ssh\nenv { GIVEN \"a b\"; }");
    let host = format!("{name}.wharf");
    world.wharf(["start"]).arg(&project).success();
    let run = [host.as_str(), "echo $HOME; echo $GIVEN; pwd; id -u; echo oops >&2; exit 7"];
    let user = rustix::process::getuid().as_raw();
    let expected = (Some(7), format!("{0}\na b\n{0}\n{user}\n", home()), "oops\n".to_owned());
    assert_eq!(told(&ssh(&world, "ssh", &run)), expected);
    // Nothing was asked, nothing was written into the home directory, and nothing of the project's has changed.
    assert_eq!(fs::read_dir(world.root().join("home/.ssh")).unwrap().count(), 2);
    assert_eq!(fs::read_dir(&project).unwrap().count(), 1);

    world.wharf(["stop"]).arg(&project).success();
    assert_eq!(told(&ssh(&world, "ssh", &run)), expected);
    let container = world.container_of(&project);
    assert_eq!(told(&ssh(&world, "ssh", &[&format!("{container}.wharf"), "echo by name"])).1, "by name\n");
    assert_eq!(told(&ssh(&world, "ssh", &["-tt", &host, "tty"])).1, "/dev/pts/0\r\n");

    // A new container is another host, and that one is known.
    world.wharf(["rebuild", "--force"]).arg(&project).success();
    assert_eq!(told(&ssh(&world, "ssh", &run)), expected);
}

#[test]
fn files_are_copied_both_ways() {
    let world = World::new();
    make_key(&world);
    let name = unique(&world, "api");
    world.wharf(["start"]).arg(project(&world, &name, SSHD, "ssh")).success();
    let copy = format!("{name}.wharf:copy");
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let (there, back) = (world.root().join("there"), world.root().join("back"));
    fs::write(&there, &bytes).unwrap();
    let copied = ssh(&world, "scp", &["-q", there.to_str().unwrap(), &copy]);
    assert_eq!(told(&copied), (Some(0), String::new(), String::new()));
    let copied = ssh(&world, "scp", &["-q", &copy, back.to_str().unwrap()]);
    assert_eq!(told(&copied), (Some(0), String::new(), String::new()));
    assert!(fs::read(back).unwrap() == bytes, "the file has changed on its way");
}

#[test]
fn names_that_mean_nothing_or_too_much_are_told() {
    let world = World::new();
    make_key(&world);
    let [first, second] = ["one", "two"].map(|name| unique(&world, name));
    let [one, two] = [&first, &second].map(|parent| project(&world, &format!("{parent}/api"), SSHD, "ssh"));
    for project in [&one, &two] {
        world.wharf(["start"]).arg(project).success();
    }
    let (code, _, stderr) = told(&ssh(&world, "ssh", &["nothing-is-called-so.wharf", "true"]));
    assert_eq!(code, Some(255));
    assert!(stderr.starts_with("error: no project or container is called `nothing-is-called-so`\n"), "{stderr}");
    let (_, _, stderr) = told(&ssh(&world, "ssh", &["api.wharf", "true"]));
    assert!(stderr.starts_with("error: `api.wharf` could be any of: wharf-api-"), "{stderr}");
    assert!(stderr.contains("\nhint: write its parent too (`base.parent.wharf`), or the container's name\n"), "{stderr}");
    let hostname = "echo $WHARF_PROJECT";
    assert_eq!(told(&ssh(&world, "ssh", &[&format!("api.{second}.wharf"), hostname])).1, format!("{}\n", two.display()));
    // A directory of that name means nothing here.
    let output = world.wharf(["ssh-proxy", &first]).current_dir(world.root().join("src")).run();
    assert!(output.stderr.starts_with(&format!("error: no project or container is called `{first}`\n")), "{}", output.stderr);
}

#[test]
fn an_image_without_sshd_and_a_person_without_a_key_are_told() {
    let world = World::new();
    let name = unique(&world, "bare");
    let host = format!("{name}.wharf");
    let bare = project(&world, &name, BUSYBOX, "");
    world.wharf(["start"]).arg(&bare).success();
    let refusal = world.wharf(["ssh-proxy", &host]).failure();
    let error = "error: there is no public key in `~/.ssh`, and none in the ssh agent\n";
    assert_eq!(refusal, format!("{error}hint: `ssh-keygen -t ed25519` makes one\n"));
    make_key(&world);
    let (code, stdout, stderr) = told(&ssh(&world, "ssh", &[&host, "true"]));
    assert_eq!((code, stdout.as_str()), (Some(255), ""));
    let container = world.container_of(&bare);
    let error = format!("error: there is no sshd in container `{container}`\n");
    assert!(
        stderr.starts_with(&format!("{error}hint: install `openssh-server` in its image; then `wharf rebuild`\n")),
        "{stderr}"
    );
    // Where a port was wanted for it, nobody is kept out.
    let wanted = project(&world, "wanted", DEBIAN, "ssh");
    let outcome = world.wharf(["start"]).arg(&wanted).run();
    let container = world.container_of(&wanted);
    let note = format!("note: no sshd listens: there is no sshd in container `{container}`\n");
    assert_eq!((outcome.code, outcome.stderr), (Some(0), note));
}

/// An agent that ends with the test.
struct Agent(Child);

impl Agent {
    fn start(world: &World, socket: &Path) -> Self {
        let agent = world.command("ssh-agent").args(["-D", "-a"]).arg(socket).stdout(Stdio::null()).spawn();
        Self(agent.unwrap())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn keys_of_the_agent_count_and_those_of_others_do_not() {
    let world = World::new();
    let key = make_key(&world);
    let name = unique(&world, "api");
    let host = format!("{name}.wharf");
    world.wharf(["start"]).arg(project(&world, &name, SSHD, "ssh")).success();
    let socket = world.root().join("agent");
    let _agent = Agent::start(&world, &socket);
    wait_until("the agent", || socket.exists());
    let other = world.root().join("other");
    let made = world.command("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&other).status();
    assert!(made.unwrap().success());
    let run = |agent: Option<&Path>| {
        let mut command = world.command("ssh");
        command.arg("-F").arg(ssh_config(&world)).args(ALONE).args(["-o", "IdentitiesOnly=no", "-o"]);
        command.arg(format!("IdentityFile={}", other.display())).args(["-o", "IdentityAgent=none", &host, "echo in"]);
        command.envs(agent.map(|socket| ("SSH_AUTH_SOCK", socket)));
        told(&crate::support::run(&mut command))
    };
    fs::rename(&key, world.root().join("away")).unwrap();
    let (code, _, stderr) = run(None);
    assert_eq!(code, Some(255));
    assert!(stderr.contains("Permission denied (publickey)"), "{stderr}");
    let added = world.command("ssh-add").arg("-q").arg(&other).env("SSH_AUTH_SOCK", &socket).status().unwrap();
    assert!(added.success());
    assert_eq!(run(Some(&socket)).1, "in\n");
}

/// ssh to a port of this machine, as with any host.
fn by_port(world: &World, port: u16, command: &str) -> (Option<i32>, String) {
    let user = if is_root() { "root".to_owned() } else { std::env::var("USER").unwrap() };
    let key = world.root().join("home/.ssh/id_ed25519");
    let mut ssh = world.command("ssh");
    ssh.args(["-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]).args(ALONE);
    ssh.args(["-o", "IdentitiesOnly=yes", "-i"]).arg(key).arg("-p").arg(port.to_string());
    let output = run(ssh.arg(format!("{user}@127.0.0.1")).arg(command));
    let (code, stdout, _) = told(&output);
    (code, stdout)
}

fn port_of(container: &str) -> u16 {
    Docker::inspect(container, "{{index .Config.Labels \"wharf.ssh_port\"}}").parse().unwrap()
}

#[test]
fn a_port_of_this_machine_leads_to_an_sshd() {
    let world = World::new();
    make_key(&world);
    let project = project(&world, "api", SSHD, "ssh");
    let container = world.wharf(["start"]).arg(&project).success();
    let port = port_of(&container);
    assert_eq!(by_port(&world, port, "echo $HOME; exit 3"), (Some(3), format!("{}\n", home())));
    let bound = format!("127.0.0.1:{port}->{port}/tcp");
    let listed: serde_json::Value = serde_json::from_str(&world.wharf(["list", "--json"]).success()).unwrap();
    let row = listed.as_array().unwrap().iter().find(|row| row["container"] == container.as_str()).unwrap();
    assert_eq!(row["ports"], serde_json::json!([bound]));
    assert!(world.wharf(["ports"]).arg(&project).success().contains(&format!("\n{port}/tcp")));

    // At each start, at the same port, and once.
    world.wharf(["stop"]).arg(&project).success();
    world.wharf(["start"]).arg(&project).success();
    world.wharf(["start"]).arg(&project).success();
    assert_eq!(by_port(&world, port, "echo hi"), (Some(0), "hi\n".to_owned()));
    assert_eq!(processes(&container, "[listener]").len(), 1);
    world.wharf(["rebuild", "--force"]).arg(&project).success();
    assert_eq!(port_of(&container), port);
    assert_eq!(by_port(&world, port, "echo hi"), (Some(0), "hi\n".to_owned()));
    // One to throw away has none, so the two are not in each other's way.
    world.wharf(["run", "--", "true"]).current_dir(&project).success();
}

#[test]
fn the_flag_counts_before_the_variable_and_that_before_the_key() {
    let world = World::new();
    make_key(&world);
    let [flag, variable, key] = [free_port(), free_port(), free_port()];
    let project = project(&world, "api", SSHD, &format!("ssh {{ port {key}; }}"));
    let variable_text = variable.to_string();
    for (flags, variable_text, expected) in [
        (vec!["--ssh-port".to_owned(), flag.to_string()], variable_text.as_str(), flag),
        (vec![], variable_text.as_str(), variable),
        (vec![], "", key),
    ] {
        let container = world.wharf(["start"]).arg(&project).args(flags).env("WHARF_SSH_PORT", variable_text).success();
        assert_eq!(port_of(&container), expected);
        world.wharf(["rm", "--force"]).arg(&project).success();
    }
    let refusal = world.wharf(["start"]).arg(&project).env("WHARF_SSH_PORT", "x").failure();
    assert_eq!(refusal, "error: `x` in WHARF_SSH_PORT is not a port\nhint: ports are 1 to 65535\n");
    let listener = TcpListener::bind(("127.0.0.1", key)).unwrap();
    let refusal = world.wharf(["start"]).arg(&project).failure();
    assert!(refusal.starts_with(&format!("error: port {key} of 127.0.0.1 is in use\n")), "{refusal}");
    assert_eq!(Docker::below("container", &project), Vec::<String>::new());
    drop(listener);
    fs::write(project.join("wharf.kdl"), format!("image \"{SSHD}\"\n")).unwrap();
    let refusal = world.wharf(["start", "--ssh-port", "2222"]).arg(&project).failure();
    assert_eq!(refusal, "error: `--ssh-port` was given, and `ssh` is not configured\nhint: write `ssh` into the configuration\n");
}

#[test]
fn roots_sshd_needs_a_container_that_was_made_for_it() {
    let world = World::new();
    make_key(&world);
    let [name, host] = ["plain", "made"].map(|name| unique(&world, name));
    let plain = project(&world, &name, SSHD, "user \"root\"");
    let made = project(&world, &host, SSHD, "user \"root\"\nssh");
    for project in [&plain, &made] {
        world.wharf(["start"]).arg(project).success();
    }
    let container = world.container_of(&plain);
    let refusal = world.wharf(["ssh-proxy", &format!("{name}.wharf")]).failure();
    let error = format!("error: container `{container}` was made without what an sshd of root's needs\n");
    assert_eq!(refusal, format!("{error}hint: configure `ssh`; then `wharf rebuild`\n"));
    assert_eq!(told(&ssh(&world, "ssh", &[&format!("root@{host}.wharf"), "id -u"])), (Some(0), "0\n".to_owned(), String::new()));
    let added = Docker::inspect(&world.container_of(&made), "{{.HostConfig.CapAdd}}");
    assert!(added.contains("AUDIT_WRITE") && added.contains("SYS_CHROOT"), "{added}");
    let added = Docker::inspect(&container, "{{.HostConfig.CapAdd}}");
    assert!(!added.contains("AUDIT_WRITE") && !added.contains("SYS_CHROOT"), "{added}");
}
