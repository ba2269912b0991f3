//! R51: what of a project a container does not see, and what people are told of the rest.

use std::fs;

use crate::config::{configured, write_global};
use crate::configured::trusted;
use crate::support::{BUSYBOX, Docker, World};

#[test]
fn what_is_masked_is_empty_inside_and_untouched_outside() {
    let world = World::new();
    let text = format!("image \"{BUSYBOX}\"\nmask \".env\"\nmask \"keys\"\nmask \"missing\"\nmask \"sub/link\"\n");
    let project = configured(&world, &text);
    for directory in ["keys", "sub"] {
        fs::create_dir(project.join(directory)).unwrap();
    }
    for file in [".env", "keys/a", "sub/b"] {
        fs::write(project.join(file), "secret\n").unwrap();
    }
    std::os::unix::fs::symlink("b", project.join("sub/link")).unwrap();
    let started = world.wharf(["start"]).arg(&project).run();
    assert_eq!((started.code, started.stderr.as_str()), (Some(0), ""));
    let inside = |script: &str| world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", script]).run();
    let seen = inside("cat .env sub/link sub/b; ls -A keys | wc -l; ls missing 2>/dev/null; echo told");
    assert_eq!((seen.code, seen.stdout.as_str()), (Some(0), "0\ntold\n"));
    for script in ["echo x >.env", "echo x >sub/link", "touch keys/x", "rm .env", "mv .env y"] {
        assert_ne!(inside(script).code, Some(0), "{script}");
    }
    for file in [".env", "keys/a", "sub/b"] {
        assert_eq!(fs::read_to_string(project.join(file)).unwrap(), "secret\n", "{file}");
    }
    assert!(!project.join("missing").exists());
    // The same after a stop, and after a rebuild.
    world.wharf(["stop"]).arg(&project).success();
    world.wharf(["rebuild"]).arg(&project).success();
    assert_eq!(inside("cat .env").stdout, "");
    world.wharf(["rm", "--force", "--volumes"]).arg(&project).success();
    assert_eq!(fs::read_to_string(project.join(".env")).unwrap(), "secret\n");
}

#[test]
fn what_is_masked_is_not_found_elsewhere_after_a_start() {
    let world = World::new();
    let project = configured(&world, &format!("image \"{BUSYBOX}\"\nmask \"a/b/.env\"\nmask \"keys/own\"\n"));
    for directory in ["a/b", "keys/own"] {
        fs::create_dir_all(project.join(directory)).unwrap();
    }
    fs::write(project.join("a/b/.env"), "secret\n").unwrap();
    let container = world.wharf(["start"]).arg(&project).success();
    for (moves, masked) in [("mv a c", "a/b/.env"), ("mv keys c", "keys/own")] {
        Docker::shell(&container, moves);
        world.wharf(["stop"]).arg(&project).success();
        assert_eq!(
            world.wharf(["start"]).arg(&project).failure(),
            format!(
                "error: `{}`, which container `{container}` is not to see, is not where it was\n\
                 hint: where it is now, it could be read: put it back, or `wharf rebuild`\n",
                project.join(masked).display()
            )
        );
        assert!(!project.join(masked).exists());
        fs::rename(project.join("c"), project.join(masked.split('/').next().unwrap())).unwrap();
        world.wharf(["start"]).arg(&project).success();
        assert_eq!(Docker::shell(&container, "cat a/b/.env; ls keys/own"), "");
    }
    // Whoever removes it on the host may.
    world.wharf(["stop"]).arg(&project).success();
    fs::remove_file(project.join("a/b/.env")).unwrap();
    world.wharf(["start"]).arg(&project).success();
}

#[test]
fn what_looks_secret_is_named_once_unless_it_is_masked_or_allowed() {
    let world = World::new();
    write_global(&world, &format!("image \"{BUSYBOX}\"\n"));
    let project = trusted(&world, "mask \"id_rsa\"\nallow \"fixtures\"\n");
    fs::create_dir(project.join("fixtures")).unwrap();
    for file in [".env", "id_rsa", "fixtures/key.pem", "server.pem"] {
        fs::write(project.join(file), "secret\n").unwrap();
    }
    let start = || world.wharf(["start"]).arg(&project).run();
    let told = "note: `.env`, `server.pem` can be read in the container; `mask` or `allow` in wharf.kdl\n";
    assert_eq!(start().stderr, told);
    // It has been said of this container.
    assert_eq!(start().stderr, "");
    assert_eq!(Docker::shell(&world.container_of(&project), "cat .env id_rsa"), "secret");
}

#[test]
fn a_key_that_makes_a_container_tells_it_where_it_was_pressed() {
    let world = World::new();
    write_global(&world, &format!("image \"{BUSYBOX}\"\n"));
    let project = world.project("api");
    fs::write(project.join("wharf.kdl"), "").unwrap();
    fs::write(project.join("\u{1b}[31m.pem"), "").unwrap();
    let host = world.host();
    host.tmux(["new-window", "-t", "main:", "-c", project.to_str().unwrap()]);
    let screen = host.attach("main");
    screen.press(&["C-b", "O"]);
    screen.wait_for_text("wharf: `[31m.pem` can be read in the container; `mask` or `allow` in wharf.kdl");
}
