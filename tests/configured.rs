//! R30, R40, R41, R44, R45, R47: what is configured, seen from inside the container or as the engine has it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use crate::config::{configured, write_global};
use crate::support::{BUSYBOX, Docker, NO_SLEEP, OWN, World, binary, wait_until};

/// A project with this configuration, which is trusted.
pub fn trusted(world: &World, text: &str) -> PathBuf {
    let project = configured(world, text);
    world.wharf(["trust"]).arg(&project).success();
    project
}

#[test]
fn the_image_and_the_workspace_are_as_configured_and_flags_count_before() {
    let world = World::new();
    write_global(&world, &format!("image \"{NO_SLEEP}\"\n"));
    let project = configured(&world, &format!("image \"{BUSYBOX}\"\nworkspace \"/work\"\n"));
    let container = world.open_detached(&project);
    assert_eq!(Docker::inspect(&container, "{{.Config.Image}}"), BUSYBOX);
    assert_eq!(Docker::shell(&container, "pwd; cat wharf.kdl | head -n 1"), format!("/work\nimage \"{BUSYBOX}\""));
    world.wharf(["rm", "--force"]).arg(&project).success();
    world.wharf(["start", "--image", OWN, "--workspace", "/elsewhere"]).arg(&project).success();
    assert_eq!(Docker::inspect(&container, "{{.Config.Image}} {{.Config.WorkingDir}}"), format!("{OWN} /elsewhere"));
    world.wharf(["rm", "--force"]).arg(&project).success();
    fs::remove_file(project.join("wharf.kdl")).unwrap();
    world.wharf(["start"]).arg(&project).success();
    assert_eq!(Docker::inspect(&container, "{{.Config.Image}}"), NO_SLEEP);
}

#[test]
fn root_is_root_and_at_home() {
    let world = World::new();
    let project = trusted(&world, &format!("image \"{BUSYBOX}\"\nuser \"root\"\n"));
    let container = world.open_detached(&project);
    let told =
        world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", "id -u; echo $HOME $USER; touch ~/x && echo fine"]).success();
    assert_eq!(told, "0\n/root root\nfine");
    assert_eq!(Docker::inspect(&container, "{{.Config.User}}"), "0:0");
}

#[test]
fn variables_are_given_and_inherited() {
    let world = World::new();
    let text = format!("image \"{BUSYBOX}\"\nenv {{\n  GIVEN \"it's $HOME\"\n  inherit \"SECRET\" \"MISSING\"\n}}\n");
    let project = trusted(&world, &text);
    world.wharf(["start"]).arg(&project).env("SECRET", "s3cret").success();
    let container = world.container_of(&project);
    assert_eq!(Docker::shell(&container, "echo \"$GIVEN|$SECRET|${MISSING-none}\""), "it's $HOME|s3cret|none");
    let inside = world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", "echo $SECRET"]).success();
    assert_eq!(inside, "s3cret");
}

#[test]
fn mounts_are_there_and_readonly_ones_cannot_be_written() {
    let world = World::new();
    fs::write(world.root().join("home/settings"), "mine").unwrap();
    let text = format!(
        "image \"{BUSYBOX}\"\nmount \"~/settings\" \"~/.config/tool/settings\" readonly=#true\nmount \"data\" \"/data\"\n"
    );
    let project = trusted(&world, &text);
    fs::create_dir(project.join("data")).unwrap();
    let container = world.open_detached(&project);
    let inside = "cat ~/.config/tool/settings; echo x >/data/made; touch ~/.config/other && echo fine";
    assert_eq!(Docker::shell(&container, inside), "minefine");
    assert_eq!(fs::read_to_string(project.join("data/made")).unwrap(), "x\n");
    let refused = Docker::output(["exec", &container, "sh", "-c", "echo y >~/.config/tool/settings"]);
    assert!(!refused.status.success());
    assert_eq!(fs::read_to_string(world.root().join("home/settings")).unwrap(), "mine");
}

/// Where the engine under test listens.
fn engine_socket() -> PathBuf {
    let said = std::env::var("DOCKER_HOST").ok().and_then(|host| host.strip_prefix("unix://").map(PathBuf::from));
    said.unwrap_or_else(|| PathBuf::from("/var/run/docker.sock"))
}

#[test]
fn what_cannot_be_mounted_is_refused_before_anything_is_made() {
    let world = World::new();
    let link = world.root().join("home/innocent");
    std::os::unix::fs::symlink(engine_socket().parent().unwrap(), &link).unwrap();
    for (source, said) in
        [("~/nothing", "there is nothing to mount at"), ("~/innocent", "who reaches the engine's socket is root")]
    {
        let project = trusted(&world, &format!("image \"{BUSYBOX}\"\nmount \"{source}\" \"/x\"\n"));
        let refusal = world.wharf(["start"]).arg(&project).failure();
        assert!(refusal.contains(said), "{refusal}");
        assert_eq!((Docker::below("container", &project), Docker::below("volume", &project)), (vec![], vec![]));
    }
}

#[test]
fn a_volume_is_the_projects_own_and_outlives_the_container() {
    let world = World::new();
    let project = configured(&world, &format!("image \"{BUSYBOX}\"\nvolume \"cache\" \"/var/cache/mine\"\n"));
    let container = world.open_detached(&project);
    Docker::shell(&container, "echo kept >/var/cache/mine/file");
    assert!(Docker::below("volume", &project).contains(&format!("{container}-cache")));
    world.wharf(["rm", "--force"]).arg(&project).success();
    world.wharf(["start"]).arg(&project).success();
    assert_eq!(Docker::shell(&container, "cat /var/cache/mine/file"), "kept");
    world.wharf(["rm", "--force", "--volumes"]).arg(&project).success();
    assert_eq!(Docker::below("volume", &project), Vec::<String>::new());
}

/// A port that nobody has at this moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_port_is_reached_from_this_machine_alone() {
    let world = World::new();
    let (port, wide) = (free_port(), free_port());
    let text = format!("image \"{BUSYBOX}\"\nport 8080 host={port}\nport 8081 host={wide} address=\"0.0.0.0\"\n");
    let project = trusted(&world, &text);
    let container = world.open_detached(&project);
    Docker::shell(&container, "mkdir /tmp/www && echo hello >/tmp/www/index.html && httpd -p 8080 -h /tmp/www");
    wait_until("an answer at the port", || {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
        let mut answer = String::new();
        stream.write_all(b"GET /index.html HTTP/1.0\r\n\r\n").is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.ends_with("hello\n")
    });
    let bound = "{{range $port, $at := .NetworkSettings.Ports}}{{$port}} {{range $at}}{{.HostIp}} {{.HostPort}}{{end}};{{end}}";
    assert_eq!(Docker::inspect(&container, bound), format!("8080/tcp 127.0.0.1 {port};8081/tcp 0.0.0.0 {wide};"));
}

#[test]
fn a_port_that_is_taken_is_told_before_anything_is_made() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let project = trusted(&world, &format!("image \"{BUSYBOX}\"\nport {port}\n"));
    let refusal = world.wharf(["start"]).arg(&project).failure();
    let hint = format!("hint: `wharf list` shows who has it; another one: `port {port} host=N`");
    assert_eq!(refusal, format!("error: port {port} of 127.0.0.1 is in use\n{hint}\n"));
    assert_eq!((Docker::below("container", &project), Docker::below("volume", &project)), (vec![], vec![]));
    drop(listener);
    world.wharf(["start"]).arg(&project).success();
    // Its own container has it now, and that is nobody else.
    world.wharf(["start"]).arg(&project).success();
    world.wharf(["run"]).arg(&project).args(["--", "true"]).success();
}

#[test]
fn limits_are_those_of_the_cgroup() {
    let world = World::new();
    let project = configured(&world, &format!("image \"{BUSYBOX}\"\nlimits memory=\"64MiB\" cpus=0.5 pids=100\n"));
    let container = world.open_detached(&project);
    let limits = Docker::inspect(&container, "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}");
    assert_eq!(limits, format!("{} 500000000 100", 64 << 20));
    let cgroup = "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes";
    assert_eq!(Docker::shell(&container, cgroup), (64 << 20).to_string());
}

/// The engine is one without.
#[test]
fn gpus_that_the_engine_cannot_give_are_an_error_before_anything_is_made() {
    let world = World::new();
    let refusal = "`limits gpus=` is configured, and this engine has no way to give a container GPUs";
    for (name, text) in [
        ("one", "limits gpus=\"all\"\n".to_owned()),
        ("two", format!("image \"{BUSYBOX}\"\nlimits gpus=1\n")),
        ("three", "image \"127.0.0.1:1/x\"\nlimits gpus=2\n".to_owned()),
        ("four", "build \"gone\"\nlimits gpus=2\n".to_owned()),
    ] {
        let project = world.project(name);
        fs::write(project.join("wharf.kdl"), text).unwrap();
        world.wharf(["trust"]).arg(&project).success();
        for verb in [&["start"][..], &["open", "--detach"], &["run", "--"]] {
            let run = if verb[0] == "run" {
                world.wharf(["run"]).arg(&project).args(["--", "true"])
            } else {
                world.wharf(verb).arg(&project)
            };
            assert_eq!(
                run.failure(),
                format!(
                    "error: {refusal}\nhint: install NVIDIA's container toolkit and restart the engine; \
                     `wharf config show` says where it is configured\n"
                )
            );
        }
        assert_eq!((Docker::below("container", &project), Docker::below("volume", &project)), (vec![], vec![]));
    }
    // A container that is there stays as it is.
    let project = world.project("five");
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let id = Docker::inspect(&world.container_of(&project), "{{.Id}}");
    fs::write(project.join("wharf.kdl"), "limits gpus=1\n").unwrap();
    world.wharf(["trust"]).arg(&project).success();
    let refused = world.wharf(["rebuild"]).arg(&project).failure();
    assert!(refused.starts_with(&format!("error: {refusal}\n")), "{refused}");
    assert_eq!(Docker::inspect(&world.container_of(&project), "{{.Id}} {{.State.Status}}"), format!("{id} running"));
}

#[test]
fn a_profile_is_added_by_name() {
    let world = World::new();
    let project = configured(&world, &format!("image \"{BUSYBOX}\"\nprofile \"agent\" {{ limits memory=\"64MiB\"; }}\n"));
    world.wharf(["start", "--profile", "agent"]).arg(&project).success();
    let limits = Docker::inspect(&world.container_of(&project), "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}");
    assert_eq!(limits, format!("{} 2000000000", 64 << 20));
}

#[test]
fn a_session_runs_its_command_in_its_directory() {
    let world = World::new();
    let project =
        configured(&world, "session \"logs\" { command \"sh\" \"-c\" \"echo at $PWD; exec cat\"; directory \"sub\"; }\n");
    fs::create_dir(project.join("sub")).unwrap();
    world.wharf(["open", "--detach", "--session", "logs"]).arg(&project).success();
    let capture = || world.wharf(["capture", "--session", "logs"]).arg(&project).success();
    let expected = format!("at {}/sub", project.display());
    wait_until("the command's line", || capture().replace('\n', "").trim_end() == expected);
    // It runs, and is not started a second time; a command of the person's own is not swallowed.
    world.wharf(["open", "--detach", "--session", "logs"]).arg(&project).success();
    let refusal = world.wharf(["open", "--detach", "--session", "logs"]).arg(&project).args(["--", "date"]).failure();
    assert!(refusal.contains("session `logs` already runs"), "{refusal}");
    // In a window as well.
    let host = world.host();
    let screen = host.attach("main");
    world.wharf(["rm", "--force"]).arg(&project).success();
    let open = format!("'{}' open --session logs '{}'", binary().display(), project.display());
    host.tmux(["new-window", "-t", "main:", &open]);
    screen.wait_for_text("at /");
}

#[test]
fn attach_by_exec_leaves_the_relay_alone() {
    let world = World::new();
    let project = configured(&world, "attach \"exec\"\n");
    let container = world.open_detached(&project);
    let parent = "tr '\\0' ' ' </proc/$PPID/cmdline";
    let told = world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", parent]).success();
    assert!(told.contains("relay --stdio"), "{told}");
    let told = world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", parent]).env("WHARF_ATTACH", "relay").success();
    assert!(told.contains("relay") && !told.contains("--stdio"), "{told}");
    fs::remove_file(project.join("wharf.kdl")).unwrap();
    if std::env::var_os("WHARF_ATTACH").is_none() {
        let told = world.wharf(["exec", &container, "--", "sh", "-c", parent]).success();
        assert!(told.contains("relay") && !told.contains("--stdio"), "{told}");
    }
}

#[test]
fn an_untrusted_file_opens_nothing_to_the_host() {
    let world = World::new();
    let port = free_port();
    let text =
        format!("image \"{BUSYBOX}\"\nmount \"/etc\" \"/host-etc\"\nport {port}\nenv {{ A \"1\"; inherit \"SECRET\"; }}\n");
    let project = configured(&world, &text);
    let outcome = world.wharf(["start"]).arg(&project).env("SECRET", "s3cret").run();
    assert_eq!(outcome.code, Some(0));
    assert!(
        outcome.stderr.contains(&format!("\n  2: mount \"/etc\" \"/host-etc\"\n  3: port {port}\n  4: env ")),
        "{}",
        outcome.stderr
    );
    let container = world.container_of(&project);
    assert_eq!(Docker::shell(&container, "ls -d /host-etc 2>/dev/null; echo $A$SECRET"), "1");
    assert_eq!(Docker::inspect(&container, "{{.HostConfig.PortBindings}}"), "map[]");
}

#[test]
fn sessions_with_autostart_are_there_from_the_start() {
    let world = World::new();
    let text = "session \"logs\" { command \"sh\" \"-c\" \"echo $PWD; exec cat\"; autostart #true; }\n\
                session \"idle\" { command \"cat\"; }\n";
    let project = configured(&world, text);
    let names = || -> Vec<String> {
        let listed = world.wharf(["sessions", "--json"]).arg(&project).success();
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        listed.as_array().unwrap().iter().map(|session| session["name"].as_str().unwrap().to_owned()).collect()
    };
    world.wharf(["start"]).arg(&project).success();
    assert_eq!(names(), ["logs"]);
    world.wharf(["stop"]).arg(&project).success();
    world.open_detached(&project);
    assert_eq!(names(), ["logs", "main"]);
    // One that a person has ended is not started behind their back.
    Docker::inner_tmux(&world.container_of(&project), &["kill-session", "-t", "=logs"]);
    world.open_detached(&project);
    assert_eq!(names(), ["main"]);
}

#[test]
fn a_mistake_in_the_configuration_keeps_nobody_out_of_a_container_that_runs() {
    let world = World::new();
    let project = configured(&world, &format!("image \"{BUSYBOX}\"\n"));
    let container = world.open_detached(&project);
    fs::write(project.join("wharf.kdl"), "imag \"x\"\n").unwrap();
    let opened = world.wharf(["open", "--detach", "--session", "second"]).arg(&project).run();
    assert_eq!((opened.code, opened.stdout.as_str()), (Some(0), format!("{container} runs session second\n").as_str()));
    assert!(opened.stderr.starts_with("error: there is no key `imag` here\n"), "{}", opened.stderr);
    let host = world.host();
    let screen = host.attach("main");
    let attach = format!("exec '{}' attach --create --session second '{}'", binary().display(), project.display());
    host.tmux(["new-window", "-t", "main:", &attach]);
    screen.wait_for_text("/src/api ");
    // One that does not run would be made of it.
    world.wharf(["stop"]).arg(&project).success();
    let refusal = world.wharf(["open", "--detach"]).arg(&project).failure();
    assert!(refusal.starts_with("error: there is no key `imag` here\n"), "{refusal}");
}

#[test]
fn a_rebuild_mounts_nothing_that_an_open_refuses_and_ends_no_session() {
    let world = World::new();
    let text = format!("image \"{BUSYBOX}\"\n");
    let container = world.open_detached(&trusted(&world, &text));
    let before = Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}");
    let link = world.root().join("home/innocent");
    std::os::unix::fs::symlink(engine_socket().parent().unwrap(), &link).unwrap();
    for (source, said) in
        [("~/nothing", "there is nothing to mount at"), ("~/innocent", "who reaches the engine's socket is root")]
    {
        let project = trusted(&world, &format!("{text}mount \"{source}\" \"/x\"\n"));
        for verb in [&["rebuild"][..], &["rebuild", "--force"], &["open", "--fresh", "--force", "--detach"]] {
            let refusal = world.wharf(verb).arg(&project).failure();
            assert!(refusal.contains(said), "{verb:?}: {refusal}");
        }
    }
    assert_eq!(Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}"), before);
    assert_eq!(Docker::names_of("container", &format!("name={container}")), [container.as_str()]);
}
