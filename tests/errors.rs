//! R75: each failure is a clear line with a hint, at once, where the person is looking.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::time::Instant;

use crate::support::{BUSYBOX, Docker, PATIENCE, Screen, TRAP, World, binary, is_root, run};

/// Every verb that has to ask the engine.
const VERBS: [&[&str]; 6] =
    [&["list"], &["start", "."], &["open", "--detach", "."], &["stop", "."], &["rm", "."], &["attach", "--print", "."]];

#[track_caller]
fn fails_in_time(world: &World, host: &str, expected: &str) {
    let project = world.project("api");
    for verb in VERBS {
        let before = Instant::now();
        let error = world.wharf(verb).current_dir(&project).env("DOCKER_HOST", host).failure();
        assert!(before.elapsed() < PATIENCE, "{verb:?}: {:?}", before.elapsed());
        assert_eq!(error, expected, "{verb:?}");
    }
}

#[test]
fn no_engine() {
    let world = World::new();
    fails_in_time(
        &world,
        "unix:///nonexistent/docker.sock",
        "error: no container engine at `/nonexistent/docker.sock`: No such file or directory (os error 2)\n\
         hint: start it (`sudo systemctl start docker`), or name another in DOCKER_HOST\n",
    );
}

#[test]
fn an_engine_that_accepts_and_never_answers() {
    let world = World::new();
    let socket = world.root().join("silent.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let expected = format!(
        "error: the container engine at `{}` did not answer within 1500 ms\n\
         hint: it hangs or is overloaded; `docker version` shows whether it answers\n",
        socket.display()
    );
    fails_in_time(&world, &format!("unix://{}", socket.display()), &expected);
}

#[test]
fn something_else_listens_there() {
    let world = World::new();
    let socket = world.root().join("other.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
        }
    });
    let expected = format!(
        "error: no container engine at `{}`: what answers there is not a container engine\n\
         hint: start it (`sudo systemctl start docker`), or name another in DOCKER_HOST\n",
        socket.display()
    );
    fails_in_time(&world, &format!("unix://{}", socket.display()), &expected);
}

#[test]
fn no_permission_on_the_socket() {
    let world = World::new();
    let socket = world.root().join("closed.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o000)).unwrap();
    let expected = format!(
        "error: no permission to use the container engine at `{}`\n\
         hint: join its group (`sudo usermod -aG docker $USER`) and log in again\n",
        socket.display()
    );
    let host = format!("unix://{}", socket.display());
    if !is_root() {
        return fails_in_time(&world, &host, &expected);
    }
    // Root is refused nothing, so the same is run as nobody.
    fs::set_permissions(world.root(), fs::Permissions::from_mode(0o755)).unwrap();
    let wharf = world.wharf(["list"]).env("DOCKER_HOST", host).into_command();
    let mut nobody = world.command("setpriv");
    nobody.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]).arg(wharf.get_program()).arg("list");
    nobody.env("DOCKER_HOST", format!("unix://{}", socket.display())).current_dir("/");
    let output = run(&mut nobody);
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(1), expected));
}

#[test]
fn a_directory_that_one_may_not_read() {
    let world = World::new();
    let project = world.project("shut");
    fs::set_permissions(&project, fs::Permissions::from_mode(0o000)).unwrap();
    let mut wharf = world.command("setpriv");
    // Root may read all, but for these two capabilities.
    wharf.args(if is_root() { &["--bounding-set=-dac_override,-dac_read_search"][..] } else { &[] });
    let output = run(wharf.args(["--"]).arg(binary()).arg("start").arg(&project));
    let file = project.join("wharf.kdl");
    let file = file.display();
    let expected = format!(
        "error: you may not read `{file}`\n\
         hint: `namei -l {file}` shows what keeps you out; its owner can let you in, with `chmod`\n"
    );
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(1), expected));
}

#[test]
fn an_address_that_is_none() {
    let world = World::new();
    fails_in_time(
        &world,
        "tcp://127.0.0.1",
        "error: cannot reach an engine at `tcp://127.0.0.1`: no `unix://`, `tcp://HOST:PORT` or `ssh://` address\n\
         hint: unset DOCKER_HOST, or point it at such an address\n",
    );
}

#[test]
fn no_such_image() {
    let world = World::new();
    let project = world.project("api");
    for verb in [vec!["start"], vec!["open", "--detach"]] {
        // Nobody listens there. Podman says no more than what it has met with in the end.
        let said = if Docker::is_podman() { "" } else { "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: " };
        assert_eq!(
            world.wharf(verb).args(["--image", "127.0.0.1:1/such:image"]).arg(&project).failure(),
            format!(
                "pulling image 127.0.0.1:1/such:image\n\
                 error: could not pull image `127.0.0.1:1/such:image`: {said}connection refused\n\
                 hint: see that the engine reaches its registry, or name another image with `--image`\n"
            )
        );
    }
    for name in ["", "a b", "../../containers/json?x", "UPPER"] {
        let outcome = world.wharf(["start", "--image", name]).arg(&project).run();
        if name.is_empty() {
            assert_eq!(outcome.code, Some(0), "an empty name is the default image's: {}", outcome.stderr);
            world.wharf(["rm", "--volumes"]).arg(&project).success();
        } else {
            assert_eq!(outcome.stderr, format!("error: `{name}` is not the name of an image\n"), "{name}");
        }
    }
    assert!(Docker::below("container", &project).is_empty());
    assert!(Docker::below("volume", &project).is_empty());
}

#[test]
fn no_such_directory() {
    let world = World::new();
    let gone = world.root().join("src/gone");
    for verb in [vec!["start"], vec!["open"], vec!["open", "--detach"]] {
        assert_eq!(
            world.wharf(verb).arg(&gone).failure(),
            format!(
                "error: there is no directory `{}`\nhint: `wharf list` shows the projects that have a container\n",
                gone.display()
            )
        );
    }
    let file = world.root().join("src/file");
    fs::write(&file, "").unwrap();
    assert_eq!(world.wharf(["start"]).arg(&file).failure(), format!("error: `{}` is not a directory\n", file.display()));
}

#[test]
fn a_path_that_json_cannot_say() {
    use std::os::unix::ffi::OsStrExt;
    let world = World::new();
    let project = world.root().join("src").join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&project).unwrap();
    let error = world.wharf(["start"]).current_dir(&project).failure();
    assert!(error.ends_with("is not UTF-8, and the engine's API takes no other\n"), "{error}");
}

#[test]
fn wrong_usage_exits_with_two() {
    let world = World::new();
    for arguments in [
        &["open", "--nonsense"][..],
        &["opne"],
        &["attach", "--session", "a b"],
        &["stop", "--all", "x"],
        &["start", "--workspace", "rel"],
    ] {
        let outcome = world.wharf(arguments).run();
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(outcome.stderr.starts_with("error: "), "{}", outcome.stderr);
    }
}

#[test]
fn a_failure_after_a_key_is_told_on_its_client() {
    let world = World::new();
    let host = world.host();
    let screen = host.attach("main");
    let name = format!("100% #{{pid}} #({TRAP})");
    let project = world.project(&name);
    host.tmux(["set-environment", "-g", "DOCKER_HOST", "unix:///nonexistent/docker.sock"]);
    host.open_shell_in(&project);
    let windows = || host.tmux(["list-windows", "-a", "-F", "#{session_name} #{window_id} #{window_panes}"]);
    let before = windows();
    screen.press(&["C-b", "O"]);
    screen.wait_for_text("wharf: no container engine at `/nonexistent/docker.sock`: No such file or directory");

    host.tmux(["set-environment", "-gu", "DOCKER_HOST"]);
    host.tmux(["set-environment", "-g", "WHARF_IMAGE", "no such image"]);
    dismiss_message(&screen);
    screen.press(&["C-b", "O"]);
    screen.wait_for_text("wharf: `no such image` is not the name of an image");
    assert_eq!(windows(), before);
    assert_eq!(host.tmux(["display-message", "-p", "#{pane_in_mode}"]), "0");

    // The message is shown, and not expanded.
    host.tmux(["set-environment", "-gu", "WHARF_IMAGE"]);
    fs::remove_dir(&project).unwrap();
    dismiss_message(&screen);
    screen.press(&["C-b", "O"]);
    screen.wait_for_text("wharf: there is no directory `");
    screen.wait_for_text(&name);
    world.assert_no_trap_has_run();
}

#[test]
fn what_a_directory_is_called_is_shown_and_not_obeyed() {
    let world = World::new();
    let project = world.project("a\u{1b}]0;owned\u{7}\u{1b}[2J");
    let shown = format!("{}/src/a\\u{{1b}}]0;owned\\u{{7}}\\u{{1b}}[2J", world.root().display());
    for verb in [&["attach", "--print"][..], &["rm"], &["stop"]] {
        // As on a terminal, where colours are not taken away.
        let run = world.wharf(verb).current_dir(&project).env("CLICOLOR_FORCE", "1").failure();
        assert!(run.contains(&format!(" `{shown}` has no container\n")), "{run:?}");
    }
    fs::write(project.join("wharf.kdl"), format!("image \"{BUSYBOX}\"\nport 1\n")).unwrap();
    let trusted = world.wharf(["trust"]).current_dir(&project).success();
    assert_eq!(trusted, format!("`{shown}/wharf.kdl` is trusted as it is now\n  2: port 1"));
    fs::write(project.join("wharf.kdl"), "").unwrap();
    world.open_detached(&project);
    let host = world.host();
    let screen = host.attach("main");
    host.open_shell_in(&project);
    screen.type_line(&format!("'{}' rm", binary().display()));
    screen.wait_for_text("]0;owned\\u{7}\\u{1b}[2J` has live sessions (main). Remove its container and end them? [y/N]");
    screen.type_line("n");
    screen.wait_for_text("error: cancelled");
}

/// A message goes at the next key, and the status line is back.
fn dismiss_message(screen: &Screen) {
    screen.press(&["Enter"]);
    screen.wait_for_text("[main]");
}
