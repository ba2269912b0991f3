//! The images of `scripts/test-images` are what other tests take them for.

use crate::support::{Docker, MUSL, OLD_TMUX, OTHER_ARCH, OWN, STATIC};

/// So that an interrupted run takes its containers away.
fn label() -> String {
    format!("--label=wharf.test={}", std::env::var("WHARF_TEST_RUN").unwrap_or_default())
}

/// What a command prints in a container of its own.
#[track_caller]
fn run(options: &[&str], image: &str, command: &[&str]) -> String {
    Docker::run([&["run", "--rm", "--network=none", &label()], options, &[image], command].concat())
}

#[test]
fn the_static_image_is_one_file() {
    let id = Docker::run(["create", &label(), STATIC]);
    // What the engine adds to any container is in directories.
    let files = crate::support::run(std::process::Command::new("sh").args(["-c", "docker export \"$1\" | tar -t", "sh", &id]));
    Docker::run(["rm", &id]);
    let files = String::from_utf8(files.stdout).unwrap();
    let of_the_image: Vec<&str> = files
        .lines()
        .filter(|path| !["dev/", "etc/", "proc/", "sys/", ".dockerenv"].iter().any(|of| path.starts_with(of)))
        .collect();
    assert_eq!(of_the_image, ["app"]);
    assert_eq!(run(&["--user=5:6", "--workdir=/proc"], STATIC, &["/app", "cwd"]), "/proc");
    assert_eq!(run(&["--user=5:6"], STATIC, &["/app", "id"]), "5:6");
    assert_eq!(run(&["--env=NAME=größe"], STATIC, &["/app", "env", "NAME"]), "größe");
}

#[test]
fn the_musl_images_shell_is_linked_with_musl() {
    let loaded = run(&[], MUSL, &["sh", "-c", "grep -o '/lib/ld-musl-.*' /proc/$$/maps | sort -u"]);
    assert!(loaded.starts_with("/lib/ld-musl-"), "{loaded}");
}

#[test]
fn the_old_tmux_is_older_than_3_2() {
    assert_eq!(run(&[], OLD_TMUX, &["tmux", "-V"]), "tmux 3.1c");
}

#[test]
fn the_image_with_ideas_of_its_own_has_them() {
    assert_eq!(
        Docker::inspect(OWN, "{{json .Config.Entrypoint}} {{.Config.User}} {{.Config.WorkingDir}} {{json .Config.Env}}"),
        r#"["/bin/false"] nobody /srv/own ["PATH=/opt/own/bin:/bin","GREETING=from the image"]"#
    );
    let shell = run(&["--entrypoint=sh"], OWN, &["-c", "own-tool; test -w /run/wharf || whoami"]);
    assert_eq!(shell, "own tool\nnobody");
}

#[test]
fn the_other_architectures_programs_do_not_run_here() {
    let here = Docker::run(["version", "--format", "{{.Server.Arch}}"]);
    assert_ne!(Docker::inspect(OTHER_ARCH, "{{.Architecture}}"), here);
}
