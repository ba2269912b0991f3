//! R63: an image that the engine doesn't have comes from its registry.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::{BUSYBOX, Docker, OWN, Registry, World, binary, wait_until};

#[track_caller]
fn assert_nothing_was_made(project: &Path) {
    for kind in ["container", "volume"] {
        assert_eq!(Docker::below(kind, project), [""; 0], "{kind}");
    }
}

fn is_there(image: &str) -> bool {
    Docker::output(["image", "inspect", image]).status.success()
}

#[test]
fn an_image_that_is_missing_is_pulled() {
    let world = World::new();
    let registry = Registry::start(&world);
    let image = registry.push(BUSYBOX, "small:1");
    let project = world.project("api");
    let start = || world.wharf(["start", "--image", &image]).arg(&project).run();
    let started = start();
    let container = world.container_of(&project);
    assert_eq!((started.code, started.stdout), (Some(0), format!("{container}\n")));
    assert_eq!(started.stderr, format!("pulling image {image}\npulled image {image}\n"));
    assert_eq!(Docker::state(&container), "running");
    assert_eq!(Docker::inspect(&container, "{{.Config.Image}}"), image);
    // Once is enough.
    world.wharf(["rm", "--force"]).arg(&project).success();
    assert_eq!(start().stderr, "");
}

#[test]
fn a_rebuild_and_a_throw_away_container_pull_as_well() {
    let world = World::new();
    let registry = Registry::start(&world);
    let image = registry.push(OWN, "own");
    let project = world.project("api");
    world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let rebuilt = world.wharf(["rebuild", "--image", &image]).arg(&project).run();
    assert_eq!((rebuilt.code, rebuilt.stderr), (Some(0), format!("pulling image {image}\npulled image {image}\n")));
    let container = world.container_of(&project);
    assert_eq!(
        Docker::inspect(&container, "{{.Config.Image}} {{.Image}}"),
        format!("{image} {}", Docker::inspect(OWN, "{{.Id}}"))
    );
    world.wharf(["rm", "--force", "--volumes"]).arg(&project).success();
    Docker::run(["rmi", "--no-prune", &format!("{image}:latest")]);
    let ran = world.wharf(["run", "--image", &image]).arg(&project).args(["--", "own-tool"]).run();
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "own tool\n"), "{}", ran.stderr);
    assert_nothing_was_made(&project);
}

#[test]
fn a_rebuild_pulls_before_it_asks_and_never_while_others_wait() {
    let world = World::new();
    let registry = Registry::start(&world);
    let image = registry.push(OWN, "own:1");
    let project = world.project("api");
    let container = world.open_detached(&project);
    let before = Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}");
    let host = world.host();
    let screen = host.attach("main");
    screen.type_line(&format!("'{}' rebuild --image {image} '{}'", binary().display(), project.display()));
    screen.wait_for_text("[y/N]");
    assert!(is_there(&image));
    Docker::run(["rmi", "--no-prune", &image]);
    screen.type_line("y");
    screen.wait_for_text(&format!("error: there is no image `{image}` on this engine"));
    assert_eq!(Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}"), before);
    assert!(!is_there(&image));
}

#[test]
fn an_image_that_the_registry_does_not_have_is_an_error_and_leaves_nothing() {
    let world = World::new();
    let registry = Registry::start(&world);
    registry.push(BUSYBOX, "small:1");
    let project = world.project("api");
    for (name, tag) in [("small", "2"), ("large", "1")] {
        let image = registry.name(&format!("{name}:{tag}"));
        assert_eq!(
            world.wharf(["start", "--image", &image]).arg(&project).failure(),
            format!(
                "pulling image {image}\n\
                 error: could not pull image `{image}`: manifest for {image} not found: manifest unknown: manifest unknown\n\
                 hint: check its name, or name another with `--image`\n"
            )
        );
    }
    assert_nothing_was_made(&project);
}

#[test]
fn a_registry_that_is_gone_is_an_error_and_leaves_nothing() {
    let world = World::new();
    let mut registry = Registry::start(&world);
    let image = registry.push(BUSYBOX, "small:1");
    registry.stop();
    let project = world.project("api");
    let host = registry.host();
    assert_eq!(
        world.wharf(["start", "--image", &image]).arg(&project).failure(),
        format!(
            "pulling image {image}\n\
             error: could not pull image `{image}`: Get \"http://{host}/v2/\": dial tcp {host}: connect: connection refused\n\
             hint: see that the engine reaches its registry, or name another image with `--image`\n"
        )
    );
    assert_nothing_was_made(&project);
}

#[test]
fn a_closed_registry_is_told_who_asks_as_docker_login_has_stored_it() {
    let world = World::new();
    let registry = Registry::start_closed(&world);
    let image = registry.push(BUSYBOX, "small:1");
    let project = world.project("api");
    let start = || world.wharf(["start", "--image", &image]).arg(&project);
    let config = world.root().join("home/.docker/config.json");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    // Nobody, and somebody else: printf 'ada:?>~' | base64
    for text in ["{}".to_owned(), format!(r#"{{"auths":{{"{}":{{"auth":"YWRhOj8+fg=="}}}}}}"#, registry.host())] {
        fs::write(&config, text).unwrap();
        let refused = start().failure();
        assert!(refused.starts_with(&format!("pulling image {image}\nerror: could not pull image `{image}`: ")), "{refused}");
        let hint = format!("hint: check its name, and that you may have it: `docker login {}`\n", registry.host());
        assert!(refused.ends_with(&hint), "{refused}");
        assert_nothing_was_made(&project);
    }
    fs::copy(world.root().join("docker/config.json"), &config).unwrap();
    assert_eq!(start().run().code, Some(0));
    assert!(is_there(&image));
}

#[test]
fn a_program_that_keeps_passwords_is_asked() {
    let world = World::new();
    let registry = Registry::start_closed(&world);
    let image = registry.push(BUSYBOX, "small:1");
    let project = world.project("api");
    let directory = world.root().join("home/.docker");
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("config.json"), format!(r#"{{"credHelpers":{{"{}":"kept"}}}}"#, registry.host())).unwrap();
    let helper = directory.join("docker-credential-kept");
    let script = format!(
        "#!/bin/sh\n[ \"$1 $(cat)\" = 'get {}' ] && echo '{{\"Username\":\"ada\",\"Secret\":\"s3cret\"}}'\n",
        registry.host()
    );
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    let started = world.wharf(["start", "--image", &image]).arg(&project).env("PATH", path).run();
    assert_eq!((started.code, started.stderr), (Some(0), format!("pulling image {image}\npulled image {image}\n")));
}

#[test]
fn a_window_shows_the_pull_and_what_it_failed_of() {
    let world = World::new();
    let registry = Registry::start(&world);
    let image = registry.push(BUSYBOX, "small:1");
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let open = |image: &str| world.wharf(["open", "--image", image]).arg(&project).env("TMUX", host.variable()).success();
    open(&registry.name("small:2"));
    screen.wait_for_text("error: could not pull image `");
    screen.wait_for_text("press any key to close");
    assert_nothing_was_made(&project);
    screen.press(&["x"]);
    wait_until("the window to be gone", || host.windows("").is_empty());
    open(&image);
    wait_until("the shell", || screen.text().lines().any(|line| line.trim_end().ends_with(['$', '#'])));
    assert_eq!(Docker::inspect(&world.container_of(&project), "{{.Config.Image}}"), image);
    // The line was drawn over.
    assert!(!screen.text().contains("pulling"), "{}", screen.text());
}
