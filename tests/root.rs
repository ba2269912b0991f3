//! R92: root in a project's container, without anything inside being able to become it.

use std::fs;

use crate::configured::trusted;
use crate::support::{BUSYBOX, Docker, World, repository, wait_until};

/// A container of a user who is not root, whoever runs the tests.
const AS_ANOTHER: &str = "user \"www-data\"\n";
/// What a test looks for that a package of Debian's would do: files of others, special modes, and a service's directory.
const LIKE_A_PACKAGE: &str = "install -d -o daemon -g mail -m 2750 /var/lib/probe && stat -c '%U:%G %a' /var/lib/probe";

#[test]
fn root_is_one_word_away_and_has_all_that_package_managers_need() {
    let world = World::new();
    let project = world.project("api");
    let container = world.wharf(["start"]).arg(&project).success();
    let exec = |words: &[&str]| world.wharf(["exec", "--root"]).arg(&project).arg("--").args(words).run();
    let told = exec(&["sh", "-c", &format!("id -u; echo $HOME $USER; pwd; {LIKE_A_PACKAGE}")]);
    let expected = format!("0\n/root root\n{}\ndaemon:mail 2750\n", project.display());
    assert_eq!((told.stdout.as_str(), told.stderr.as_str()), (expected.as_str(), ""));
    // The same processes, network and files, and an exit code and streams of its own.
    assert_eq!(exec(&["sh", "-c", "cat /proc/1/comm; hostname; ls /run/wharf/tools/tmux.conf; exit 7"]).code, Some(7));
    assert_eq!(exec(&["cat", "/proc/1/cmdline"]).stdout, Docker::shell(&container, "cat /proc/1/cmdline"));
    assert_eq!(world.wharf(["exec", "--root"]).arg(&project).args(["--", "cat"]).input("in").success(), "in");
    // What came of it is there for everybody, and stays over a stop.
    world.wharf(["stop"]).arg(&project).success();
    assert_eq!(Docker::names_of("container", &format!("name={container}-root")), Vec::<String>::new());
    assert_eq!(exec(&["stat", "-c", "%U", "/var/lib/probe"]).stdout, "daemon\n");
}

#[test]
fn roots_programs_can_do_no_more_than_root_may_in_any_container() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["start"]).arg(&project).success();
    let status = world.wharf(["exec", "--root"]).arg(&project).args(["--", "cat", "/proc/self/status"]).success();
    let value = |line: &str| status.lines().find_map(|shown| shown.strip_prefix(line)).unwrap().trim().to_owned();
    // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID and NET_BIND_SERVICE (capabilities(7)).
    assert_eq!((value("CapEff:").as_str(), value("CapPrm:").as_str()), ("00000000000004fb", "00000000000004fb"));
    assert_eq!((value("NoNewPrivs:").as_str(), value("Seccomp:").as_str()), ("1", "2"));
    for line in ["chroot / true", "mknod /tmp/device b 8 0", "mount -t tmpfs none /mnt"] {
        let tried = world.wharf(["exec", "--root"]).arg(&project).args(["--", "sh", "-c", line]).run();
        assert_ne!(tried.code, Some(0), "{line}: {tried:?}");
    }
}

#[test]
fn a_window_of_roots_is_another_than_the_users() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let open = |words: &[&str]| world.wharf(words).arg(&project).env("TMUX", host.variable()).success();
    open(&["open"]);
    screen.wait_for_prompt();
    open(&["open", "--root"]);
    wait_until("root's window", || host.windows("#{@wharf_session}").contains(&"root".to_owned()));
    screen.wait_for_prompt();
    screen.type_line("echo it is $(id -u) in $PWD");
    screen.wait_for_line(&format!("it is 0 in {}", project.display()));
    open(&["open", "--root"]);
    assert_eq!(host.windows("").len(), 2);
    // What runs there is at stake as any session is.
    let refusal = world.wharf(["rm"]).arg(&project).failure();
    assert!(refusal.contains("has live sessions: main, root\n"), "{refusal}");
    // It outlives its window.
    host.tmux(["kill-window", "-t", "main:"]);
    open(&["open", "--root"]);
    screen.wait_for_line(&format!("it is 0 in {}", project.display()));
}

#[test]
fn nothing_of_the_users_is_obeyed_by_root() {
    let world = World::new();
    let project = trusted(&world, AS_ANOTHER);
    let container = world.wharf(["start"]).arg(&project).success();
    let exec = |words: &[&str]| world.wharf(words).arg(&project);
    // A tmux that the user has chosen, a server of theirs at the socket, and links at the files that wharf writes to for them.
    Docker::shell(
        &container,
        "cd /run/wharf && echo /tmp/evil >tmux-choice && ln -sf /etc/shadow used && echo 1 >once && ln -sf /etc/shadow arrivals-by-exec && echo 1 >until-last-session",
    );
    let shadow = || exec(&["exec", "--root"]).args(["--", "sha256sum", "/etc/shadow"]).success();
    let before = shadow();
    exec(&["open", "--root", "--detach"]).success();
    assert_eq!(shadow(), before);
    assert_eq!(Docker::state(&container), "running");
    assert_eq!(exec(&["exec", "--root"]).args(["--", "stat", "-c", "%u %a", "/run/wharf-root"]).success(), "0 700");
    let others = exec(&["exec"]).args(["--", "ls", "/run/wharf-root"]).run();
    assert!(others.stderr.contains("Permission denied"), "{others:?}");
}

#[test]
fn sudo_works_where_a_person_wants_it_and_says_what_it_gives_up() {
    let world = World::new();
    let project = trusted(&world, &format!("{AS_ANOTHER}sudo #true\n"));
    let container = world.wharf(["start"]).arg(&project).success();
    let exec = |words: &[&str]| world.wharf(["exec"]).arg(&project).arg("--").args(words).run();
    let told = exec(&["sudo", "sh", "-c", &format!("id -u; {LIKE_A_PACKAGE}")]);
    assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("0\ndaemon:mail 2750\n", ""));
    let shown = world.wharf(["inspect"]).arg(&project).success();
    let confined = Docker::inspect(&container, "{{json .HostConfig.SecurityOpt}}").contains("no-new-privileges");
    assert!(!confined);
    assert!(shown.contains("\nsudo       yes: without no-new-privileges, "), "{shown}");
    // As root, all the same.
    assert_eq!(world.wharf(["exec", "--root"]).arg(&project).args(["--", "id", "-u"]).success(), "0");
}

#[test]
fn sudo_of_a_project_waits_for_trust() {
    let world = World::new();
    let project = world.project("api");
    fs::write(project.join("wharf.kdl"), format!("image \"{BUSYBOX}\"\nsudo #true\n")).unwrap();
    let started = world.wharf(["start"]).arg(&project).run();
    assert_eq!(started.code, Some(0));
    assert!(started.stderr.contains("sudo #true"), "{}", started.stderr);
    let container = world.container_of(&project);
    assert_eq!(Docker::inspect(&container, "{{json .HostConfig.SecurityOpt}}"), r#"["no-new-privileges"]"#);
}

#[test]
fn the_default_images_sudo_says_what_helps_where_it_cannot_work() {
    let world = World::new();
    let project = trusted(&world, AS_ANOTHER);
    fs::copy(repository().join("images/default/sudo"), project.join("sudo")).unwrap();
    let sudo = || world.wharf(["exec"]).arg(&project).args(["--", "./sudo", "id", "-u"]).run();
    world.wharf(["start"]).arg(&project).success();
    let told = sudo();
    assert_eq!((told.code, told.stdout.as_str()), (Some(1), ""));
    assert!(told.stderr.contains("hint: on the host, `wharf exec --root -- CMD` runs a program as root here"), "{}", told.stderr);
    fs::write(project.join("wharf.kdl"), format!("{AS_ANOTHER}sudo #true\n")).unwrap();
    world.wharf(["trust"]).arg(&project).success();
    world.wharf(["rebuild"]).arg(&project).success();
    assert_eq!((sudo().stdout.as_str(), sudo().code), ("0\n", Some(0)));
}
