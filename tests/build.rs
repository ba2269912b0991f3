//! R18, R63: an image of the project's own, from its Dockerfile.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::{BUSYBOX, DEBIAN, Docker, World, binary, wait_until};

/// A project that no other test has a namesake of, with these files; its configuration is trusted.
#[track_caller]
fn project(world: &World, files: &[(&str, &str)]) -> PathBuf {
    let project = world.project(&unique(world));
    for (name, text) in files {
        let file = project.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    world.wharf(["trust"]).arg(&project).success();
    project
}

/// As it is part of an image's name.
fn unique(world: &World) -> String {
    let name = world.root().file_name().unwrap().to_str().unwrap();
    format!("{}-{}", name.to_lowercase(), std::process::id())
}

fn tag(world: &World) -> String {
    format!("wharf-project-src-{}:latest", unique(world))
}

#[track_caller]
fn start(world: &World, project: &Path) -> String {
    let started = world.wharf(["start"]).arg(project).run();
    assert_eq!(started.code, Some(0), "{}", started.stderr);
    started.stderr
}

#[track_caller]
fn assert_nothing_was_made(world: &World, project: &Path) {
    for kind in ["container", "volume"] {
        assert_eq!(Docker::below(kind, project), [""; 0], "{kind}");
    }
    assert!(!Docker::output(["image", "inspect", &tag(world)]).status.success());
}

/// All that a build leaves behind as docker's cache goes with the run.
fn of_this_run() -> String {
    format!("LABEL wharf.test=\"{}\"", std::env::var("WHARF_TEST_RUN").unwrap_or_default())
}

fn from_busybox(lines: &str) -> String {
    format!("FROM {BUSYBOX}\n{}\n{lines}\n", of_this_run())
}

#[test]
fn a_session_that_begins_during_a_build_is_not_ended_by_the_rebuild() {
    let world = World::new();
    let project = project(&world, &[("wharf.kdl", &format!("image \"{BUSYBOX}\"\n"))]);
    start(&world, &project);
    let container = world.container_of(&project);
    let before = Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}");
    fs::write(project.join("wharf.kdl"), "build \"Dockerfile\"\n").unwrap();
    world.wharf(["trust"]).arg(&project).success();
    // Longer than it takes to open a session.
    fs::write(project.join("Dockerfile"), from_busybox("RUN sleep 4")).unwrap();
    let mut rebuild = world.wharf(["rebuild"]).arg(&project).into_command();
    let mut rebuild = rebuild.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(rebuild.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(told.next().unwrap(), format!("building image {}", tag(&world)));
    world.wharf(["open", "--detach", "--session", "work"]).arg(&project).run();
    let told: Vec<String> = told.collect();
    assert!(told.contains(&format!("error: container `{container}` has live sessions: work")), "{told:?}");
    assert_eq!(rebuild.wait().unwrap().code(), Some(1));
    assert_eq!(Docker::inspect(&container, "{{.Id}} {{.State.StartedAt}}"), before);
}

#[test]
fn a_dockerfile_is_built_once_and_again_when_its_inputs_change() {
    let world = World::new();
    let dockerfile = from_busybox("ARG WHO\nCOPY greeting /greeting\nRUN echo \"$(cat /greeting), $WHO\" >/told");
    let project = project(
        &world,
        &[
            ("wharf.kdl", "build \"Dockerfile\" { arg \"WHO\" \"it's me & you\"; }\n"),
            ("Dockerfile", &dockerfile),
            ("greeting", "hello"),
            (".dockerignore", "wharf.kdl\nlog\n"),
        ],
    );
    let tag = tag(&world);
    let told = start(&world, &project);
    assert!(told.starts_with(&format!("building image {tag}\nStep 1/")), "{told}");
    assert!(told.ends_with(&format!("built image {tag}\n")), "{told}");
    let container = world.container_of(&project);
    assert_eq!(Docker::shell(&container, "cat /told"), "hello, it's me & you");
    assert_eq!(Docker::inspect(&container, "{{.Config.Image}} {{index .Config.Labels \"wharf.image\"}}"), format!("{tag} {tag}"));
    let labels = "{{index .Config.Labels \"wharf\"}} {{index .Config.Labels \"wharf.project\"}}";
    assert_eq!(Docker::inspect(&tag, labels), format!("true {}", project.display()));

    let again = || {
        world.wharf(["rm", "--force"]).arg(&project).success();
        start(&world, &project)
    };
    fs::write(project.join("log"), "ignored").unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    fs::File::options().write(true).open(project.join("greeting")).unwrap().set_modified(long_ago).unwrap();
    assert_eq!(again(), "", "nothing has changed");
    fs::write(project.join("greeting"), "good day").unwrap();
    // One that exists is not recreated for it.
    assert_eq!(start(&world, &project), "");
    assert!(again().contains("built image"));
    assert_eq!(Docker::shell(&container, "cat /told"), "good day, it's me & you");
    fs::write(project.join("greeting"), "hi").unwrap();
    let rebuilt = world.wharf(["rebuild"]).arg(&project).run();
    assert_eq!((rebuilt.code, rebuilt.stdout), (Some(0), format!("rebuilt {container}\n")), "{}", rebuilt.stderr);
    assert_eq!(Docker::shell(&container, "cat /told"), "hi, it's me & you");
}

#[test]
fn a_directory_is_the_context_and_a_target_is_the_stage_that_counts() {
    let world = World::new();
    let stages = format!(
        "FROM {BUSYBOX} AS base\n{0}\nRUN echo x >/x\nFROM scratch AS dev\n{0}\nCOPY --from=base /bin /bin\nCOPY . /context\n\
         ENV PATH=/bin\nFROM {BUSYBOX} AS never\nRUN false\n",
        of_this_run()
    );
    let project =
        project(&world, &[("wharf.kdl", "build \"ci\" { target \"dev\"; }\n"), ("ci/Dockerfile", &stages), ("outside", "x")]);
    symlink("Dockerfile", project.join("ci/link")).unwrap();
    start(&world, &project);
    assert_eq!(Docker::shell(&world.container_of(&project), "cd /context; echo *; readlink link"), "Dockerfile link\nDockerfile");
}

#[test]
fn what_is_ignored_is_not_in_the_context() {
    let world = World::new();
    let project = project(
        &world,
        &[
            ("wharf.kdl", "build \"ci/dev.Dockerfile\"\n"),
            ("ci/dev.Dockerfile", &from_busybox("COPY . /context")),
            // What counts is the Dockerfile's own.
            (".dockerignore", "*\n"),
            ("ci/dev.Dockerfile.dockerignore", "*\n!src\n**/*.log\n!src/keep.log\n"),
            ("src/main.rs", ""),
            ("src/a/b.log", ""),
            ("src/keep.log", ""),
            ("secret", ""),
        ],
    );
    start(&world, &project);
    let files = Docker::shell(&world.container_of(&project), "cd /context; find . -type f | sort");
    assert_eq!(files, "./src/keep.log\n./src/main.rs");
}

#[test]
fn a_build_that_fails_names_the_step_and_leaves_nothing() {
    let world = World::new();
    let label = unique(&world);
    let lines = format!("LABEL test.build={label}\nRUN for i in $(seq 12); do echo line $i; done; echo broken; exit 3");
    let files = [("wharf.kdl", "build \".\"\n"), ("Dockerfile", &from_busybox(&lines))];
    let project = project(&world, &files);
    let failure = world.wharf(["start"]).arg(&project).failure();
    let (_, error) = failure.split_once("error: ").unwrap();
    let command = "for i in $(seq 12); do echo line $i; done; echo broken; exit 3";
    let output: String = (4..=12).map(|i| format!("  | line {i}\n")).collect();
    let said = if Docker::is_podman() {
        format!("building at STEP \"RUN {command}\": while running runtime: exit status 3")
    } else {
        format!("The command '/bin/sh -c {command}' returned a non-zero code: 3")
    };
    let tag = tag(&world);
    assert_eq!(
        error,
        format!(
            "could not build image `{tag}` in step 4 (`RUN {command}`): {said}\n{output}  | broken\n\
             hint: `{}` is what it was built from\n",
            project.join("Dockerfile").display()
        )
    );
    assert_nothing_was_made(&world, &project);
    assert_eq!(Docker::run(["ps", "--all", "--quiet", "--filter", &format!("label=test.build={label}")]), "");
}

#[test]
fn a_bad_build_is_told_before_anything_is_made() {
    let world = World::new();
    let project = project(&world, &[("wharf.kdl", "build \"Dockerfile\" { target \"gone\"; }\n")]);
    let dockerfile = project.join("Dockerfile");
    let failure = || {
        let failure = world.wharf(["start"]).arg(&project).failure();
        failure.split_once("error: ").unwrap().1.to_owned()
    };
    let hint = format!("hint: `{}` is what it was built from\n", dockerfile.display());
    assert_eq!(
        failure(),
        format!(
            "there is no Dockerfile `{}`\nhint: `wharf config show` says where `build` is configured\n",
            dockerfile.display()
        )
    );
    let tag = tag(&world);
    for (text, said) in [
        ("FORM x\n", "dockerfile parse error line 1: unknown instruction: FORM"),
        ("FROM scratch AS here\n", "failed to reach build target gone in Dockerfile"),
    ] {
        fs::write(&dockerfile, text).unwrap();
        let said = if Docker::is_podman() { "The target \"gone\" was not found in the provided Dockerfile" } else { said };
        assert_eq!(failure(), format!("could not build image `{tag}`: {said}\n{hint}"));
    }
    fs::write(project.join(".dockerignore"), "target\n[a\n").unwrap();
    assert_eq!(
        failure(),
        format!(
            "`{}` has no pattern in line 2: `[a`\n\
             hint: a `\\`, `[` or `!` that is meant as such is written behind a `\\`\n",
            project.join(".dockerignore").display()
        )
    );
    assert_nothing_was_made(&world, &project);
}

#[test]
fn a_name_that_another_projects_image_has_is_not_taken_from_it() {
    let world = World::new();
    let name = unique(&world);
    let of = |place: &str| {
        let project = world.root().join(place).join("src").join(&name);
        fs::create_dir_all(&project).unwrap();
        fs::write(project.join("Dockerfile"), from_busybox(&format!("RUN echo {place} >/place"))).unwrap();
        fs::write(project.join("wharf.kdl"), "build \"Dockerfile\"\n").unwrap();
        world.wharf(["trust"]).arg(&project).success();
        start(&world, &project);
        (Docker::inspect(&world.container_of(&project), "{{.Config.Image}}"), world.container_of(&project))
    };
    let (one, first) = of("one");
    let (two, second) = of("two");
    assert_eq!(one, tag(&world));
    let hex = second.rsplit('-').next().unwrap();
    assert_eq!(two, format!("wharf-project-src-{name}-{hex}:latest"));
    assert_eq!(Docker::shell(&first, "cat /place"), "one");
    assert_eq!(Docker::shell(&second, "cat /place"), "two");
    // From then on it has its own, and neither is built again.
    for place in ["one", "two"] {
        let project = world.root().join(place).join("src").join(&name);
        world.wharf(["rm", "--force"]).arg(&project).success();
        assert_eq!(start(&world, &project), "");
    }
}

#[test]
fn ctrl_c_cancels_a_build_and_nothing_is_left_of_it() {
    let world = World::new();
    let label = unique(&world);
    let lines = format!("LABEL test.build={label}\nRUN echo at work; sleep 1000");
    let project = project(&world, &[("wharf.kdl", "build \"Dockerfile\"\n"), ("Dockerfile", &from_busybox(&lines))]);
    let host = world.host();
    let screen = host.attach("main");
    screen.type_line(&format!("'{}' start '{}'; echo ended with $((40 + 2))", binary().display(), project.display()));
    screen.wait_for_text("step 4: RUN echo at work; sleep 1000");
    screen.wait_for_text("  at work");
    screen.press(&["C-c"]);
    screen.press(&["Enter"]);
    let filter = format!("label=test.build={label}");
    wait_until("its container to be gone", || Docker::run(["ps", "--all", "--quiet", "--filter", &filter]).is_empty());
    assert_nothing_was_made(&world, &project);
}

#[test]
fn a_window_shows_the_build_and_a_key_what_cannot_be_built() {
    let world = World::new();
    let project = project(&world, &[("wharf.kdl", "build \"Dockerfile\"\n")]);
    let host = world.host();
    let screen = host.attach("main");
    host.tmux(["new-window", "-t", "main:", "-c", project.to_str().unwrap()]);
    let windows = host.tmux(["list-windows", "-a"]);
    screen.press(&["C-b", "O"]);
    screen.wait_for_text("wharf: there is no Dockerfile `");
    assert_eq!(host.tmux(["list-windows", "-a"]), windows);
    fs::write(project.join("Dockerfile"), from_busybox("RUN echo shown; touch /built; false")).unwrap();
    // The message goes at the next key, and the status line is back.
    screen.press(&["Enter"]);
    screen.wait_for_text("[main]");
    screen.press(&["C-b", "O"]);
    screen.wait_for_text("could not build image");
    screen.wait_for_text("  | shown");
    screen.wait_for_text("press any key to close");
    screen.press(&["x"]);
    fs::write(project.join("Dockerfile"), from_busybox("RUN touch /built")).unwrap();
    wait_until("the window to be gone", || host.windows("").is_empty());
    screen.press(&["C-b", "O"]);
    wait_until("the container", || {
        let names = Docker::below("container", &project);
        names.len() == 1 && Docker::output(["exec", &names[0], "test", "-e", "/built"]).status.success()
    });
}

#[test]
fn a_dockerfile_that_is_not_trusted_is_not_built() {
    let world = World::new();
    let project = world.project(&unique(&world));
    fs::write(project.join("wharf.kdl"), "build \"Dockerfile\"\n").unwrap();
    fs::write(project.join("Dockerfile"), from_busybox("RUN touch /built")).unwrap();
    let told = start(&world, &project);
    assert!(told.contains("\n  1: build \"Dockerfile\"\n"), "{told}");
    assert_eq!(Docker::inspect(&world.container_of(&project), "{{.Config.Image}}"), DEBIAN);
    assert!(!Docker::output(["image", "inspect", &tag(&world)]).status.success());
}
