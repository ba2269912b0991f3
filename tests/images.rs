//! Any image works: one without tmux, users, a shell or glibc, and one with ideas of its own.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::{
    BUSYBOX, DEBIAN, Docker, Host, MUSL, NO_SLEEP, OLD_TMUX, OTHER_ARCH, OWN, STATIC, Screen, World, is_root, wait_until,
};

/// The project's container runs from the image, with a session in it.
#[track_caller]
fn open_detached(world: &World, project: &Path, image: &str) -> String {
    world.wharf(["open", "--detach", "--image", image]).arg(project).success();
    world.container_of(project)
}

/// The client looks at the project's window, where a shell waits.
#[track_caller]
fn open_window(world: &World, host: &Host, screen: &Screen, project: &Path) {
    world.wharf(["open"]).arg(project).env("TMUX", host.variable()).success();
    wait_for_shell(screen);
}

/// The prompt of any shell, in the window `api`: other windows have prompts as well.
#[track_caller]
fn wait_for_shell(screen: &Screen) {
    wait_until("a shell's prompt", || {
        let text = screen.text();
        text.contains(":api*") && text.lines().any(|line| line.trim_end().ends_with(['$', '#']))
    });
}

/// The name and the home that the host's user has inside.
fn user_and_home() -> (String, String) {
    if is_root() {
        return ("root".to_owned(), "/root".to_owned());
    }
    let user = std::env::var("USER").unwrap();
    let home = format!("/home/{user}");
    (user, home)
}

fn host_ids() -> (u32, u32) {
    (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw())
}

#[track_caller]
fn assert_belongs_to_host_user(file: &Path) {
    let made = file.metadata().unwrap();
    assert_eq!((made.uid(), made.gid()), host_ids(), "{}", file.display());
}

#[test]
fn busybox_alone_has_a_session_like_any_other() {
    let world = World::new();
    let project = world.project("api");
    open_detached(&world, &project, BUSYBOX);
    let host = world.host();
    let screen = host.attach("main");
    open_window(&world, &host, &screen, &project);
    let (user, home) = user_and_home();
    screen.type_line("clear; echo $TERM; echo $HOME $USER $SHELL; pwd");
    screen.wait_for_line("tmux-256color");
    screen.wait_for_line(&format!("{home} {user} /bin/sh"));
    screen.wait_for_line(project.to_str().unwrap());
    screen.type_line("printf 'größe\\n'");
    screen.wait_for_line("größe");
}

#[test]
fn a_user_whom_no_image_knows_is_somebody_in_busybox() {
    let world = World::new();
    let project = world.project("api");
    let container = open_detached(&world, &project, BUSYBOX);
    let host = world.host();
    let screen = host.attach("main");
    open_window(&world, &host, &screen, &project);
    let ((uid, gid), (user, _)) = (host_ids(), user_and_home());
    screen.type_line("clear; echo $(id -u):$(id -g); whoami; touch made; echo $((6*7))");
    screen.wait_for_line("42");
    screen.wait_for_line(&format!("{uid}:{gid}"));
    screen.wait_for_line(&user);
    assert_belongs_to_host_user(&project.join("made"));
    assert_eq!(Docker::shell(&container, "touch ~/here && whoami"), user);
}

#[test]
fn one_static_program_is_enough_of_an_image() {
    let world = World::new();
    let project = world.project("api");
    let host = world.host();
    let screen = host.attach("main");
    let open = world.wharf(["open", "--image", STATIC]).arg(&project).args(["--", "/app"]);
    open.env("TMUX", host.variable()).success();
    screen.wait_for_line("app is here");
    screen.type_line("größe, and back");
    // What the terminal shows of the keys, and what the program makes of them.
    wait_until("the typed line, twice", || {
        screen.text().lines().filter(|line| line.trim_end() == "größe, and back").count() == 2
    });
    screen.press(&["C-d"]);
    screen.wait_for_text("app ended with exit code 0 · Enter closes");
    screen.press(&["Enter"]);
    wait_until("the window to be gone", || host.windows("").is_empty());
    assert_eq!(Docker::state(&world.container_of(&project)), "running");
}

#[test]
fn a_static_program_runs_as_the_hosts_user_where_the_project_is() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["open", "--detach", "--image", STATIC]).arg(&project).args(["--", "/app"]).success();
    let container = world.container_of(&project);
    let (uid, gid) = host_ids();
    let session = || {
        let processes = Docker::run(["top", &container, "-eo", "pid,uid,gid,args"]);
        let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        processes.lines().map(columns).find(|columns| columns[3..] == ["/app"])
    };
    wait_until("the program", || session().is_some());
    assert_eq!(session().unwrap()[1..3], [uid.to_string(), gid.to_string()]);
    assert_eq!(Docker::run(["exec", &container, "/app", "id"]), format!("{uid}:{gid}"));
    assert_eq!(Docker::run(["exec", &container, "/app", "cwd"]), project.to_str().unwrap());
    Docker::run(["exec", &container, "/app", "touch", "made"]);
    assert_belongs_to_host_user(&project.join("made"));
}

#[test]
fn without_a_shell_an_image_needs_a_command() {
    let world = World::new();
    let project = world.project("api");
    let error = world.wharf(["open", "--detach", "--image", STATIC]).arg(&project).failure();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    assert!(lines[0].starts_with("error: there is no shell in the image of container `wharf-api-"), "{error}");
    assert!(lines[1].starts_with("hint: ") && lines[1].contains("wharf open -- CMD"), "{error}");
}

#[test]
fn a_shell_of_another_c_library_has_a_session() {
    let world = World::new();
    let project = world.project("api");
    open_detached(&world, &project, MUSL);
    let host = world.host();
    let screen = host.attach("main");
    open_window(&world, &host, &screen, &project);
    screen.type_line("clear; grep -q /lib/ld-musl- /proc/$$/maps && echo $((6*7)) with musl; echo $PATH");
    screen.wait_for_line("42 with musl");
    screen.wait_for_line("/bin:/usr/bin");
}

#[test]
fn an_images_tmux_that_is_too_old_is_left_alone() {
    let world = World::new();
    let project = world.project("api");
    let container = open_detached(&world, &project, OLD_TMUX);
    let host = world.host();
    let screen = host.attach("main");
    open_window(&world, &host, &screen, &project);
    screen.type_line("clear; echo $((6*7)); tmux -V");
    screen.wait_for_line("42");
    screen.wait_for_line(&Docker::shell(&container, "tmux -V"));
    let programs = Docker::shell(&container, "for program in /proc/[0-9]*/exe; do readlink $program; done; true");
    assert!(programs.lines().any(|program| program.starts_with("/run/wharf/tools/")), "{programs}");
    assert!(!programs.lines().any(|program| program == "/usr/bin/tmux"), "{programs}");
}

#[test]
fn what_an_image_sets_for_itself_survives_but_for_who_and_where() {
    let world = World::new();
    let project = world.project("api");
    let container = open_detached(&world, &project, OWN);
    let host = world.host();
    let screen = host.attach("main");
    open_window(&world, &host, &screen, &project);
    screen.type_line("clear; own-tool; echo $GREETING; echo $PATH; pwd; echo uid $(id -u)");
    screen.wait_for_line("own tool");
    screen.wait_for_line("from the image");
    screen.wait_for_line("/opt/own/bin:/bin");
    screen.wait_for_line(project.to_str().unwrap());
    screen.wait_for_line(&format!("uid {}", host_ids().0));
    assert_eq!(Docker::state(&container), "running");
}

#[test]
fn an_image_without_sleep_is_held_by_wharf_itself() {
    let world = World::new();
    let project = world.project("api");
    let container = open_detached(&world, &project, NO_SLEEP);
    let held = Docker::run(["top", &container]);
    assert!(held.lines().any(|line| line.ends_with("/run/wharf/tools/wharf pause")), "{held}");
    world.wharf(["stop"]).arg(&project).success();
    assert_eq!(Docker::inspect(&container, "{{.State.ExitCode}}"), "143");
    assert_eq!(open_detached(&world, &project, NO_SLEEP), container);
}

#[test]
fn a_root_file_system_can_be_read_only() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["open", "--detach", "--read-only", "--image", DEBIAN]).arg(&project).success();
    let container = world.container_of(&project);
    assert_eq!(Docker::inspect(&container, "{{.HostConfig.ReadonlyRootfs}}"), "true");
    let host = world.host();
    let screen = host.attach("main");
    open_window(&world, &host, &screen, &project);
    screen.type_line("clear; touch /x; touch made ~/here && echo $((6*7)); whoami");
    screen.wait_for_text("Read-only file system");
    screen.wait_for_line("42");
    screen.wait_for_line(&user_and_home().0);
    assert!(project.join("made").exists());
    // What the host mounts is not where the container could put a link to something else of the host's.
    let mounts = Docker::inspect(&container, "{{json .HostConfig.Mounts}}");
    assert!(mounts.contains("/state/wharf/files/"), "{mounts}");
    assert_eq!(Docker::shell(&container, "ls /run/wharf/host"), "gitconfig\nrelay.sock");
    world.wharf(["rm", "--force", "--volumes"]).arg(&project).success();
    assert_eq!(world.root().join("state/wharf/files").read_dir().unwrap().count(), 0);
}

#[test]
fn an_image_for_another_architecture_says_so_and_leaves_nothing() {
    let world = World::new();
    let project = world.project("api");
    let error = world.wharf(["open", "--detach", "--image", OTHER_ARCH]).arg(&project).failure();
    assert!(error.starts_with("error: ") && error.contains("arm64") && error.contains("amd64"), "{error}");
    for kind in ["container", "volume"] {
        assert_eq!(Docker::below(kind, &project), [""; 0], "{kind}");
    }
}
