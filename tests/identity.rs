//! R1–R7: which container belongs to which directory.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::support::{BUSYBOX, Docker, TRAP, World, printed_by, run_label, wait_until};

#[test]
fn a_directory_has_one_container_whose_name_follows_from_its_path() {
    let world = World::new();
    let project = world.project("api");
    let link = world.root().join("link");
    symlink(&project, &link).unwrap();
    let start = |target: &std::ffi::OsStr| world.wharf(["start", "--image", BUSYBOX]).arg(target).success();

    let name = start(project.as_os_str());
    assert_eq!(start(project.as_os_str()), name);
    assert_eq!(start(link.as_os_str()), name);
    assert_eq!(start(format!("{}/", project.display()).as_ref()), name);

    let sum = printed_by(Command::new("sh").args(["-c", "printf %s \"$1\" | sha256sum", "sh"]).arg(&project));
    assert_eq!(name, format!("wharf-api-{}", &sum[..12]));
}

#[test]
fn directories_of_one_basename_have_two_containers() {
    let world = World::new();
    let names = ["a/api", "b/api"].map(|path| world.wharf(["start", "--image", BUSYBOX]).arg(world.project(path)).success());
    assert_ne!(names[0], names[1]);
}

#[test]
fn a_target_whose_directory_is_gone_is_taken_as_it_is_given() {
    let world = World::new();
    let project = world.project("gone");
    let name = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    fs::remove_dir(&project).unwrap();
    assert_eq!(world.wharf(["stop"]).arg(&project).success(), format!("stopped {name}"));
    assert_eq!(world.wharf(["rm"]).arg(format!("{}/", project.display())).success(), format!("removed {name}"));
}

#[test]
fn a_path_to_a_directory_that_is_gone_can_lead_there_by_any_way() {
    let world = World::new();
    let (project, beside) = (world.project("deep/gone"), world.project("beside"));
    symlink(world.root().join("src/deep"), world.root().join("link")).unwrap();
    let link = world.root().join("link/gone").display().to_string();
    for target in ["../deep/gone", "../missing/../deep/./gone", &link] {
        let name = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
        fs::remove_dir(&project).unwrap();
        assert_eq!(world.wharf(["rm", target]).current_dir(&beside).success(), format!("removed {name}"), "{target}");
        fs::create_dir(&project).unwrap();
    }
    // Where the way has become another since, what was given counts.
    let name = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    fs::remove_dir(&project).unwrap();
    fs::rename(world.root().join("src/deep"), world.root().join("src/moved")).unwrap();
    symlink("moved", world.root().join("src/deep")).unwrap();
    assert_eq!(world.wharf(["rm"]).arg(&project).success(), format!("removed {name}"));
}

#[test]
fn a_file_is_no_projects_and_hides_none() {
    let world = World::new();
    // A name that no other test's project has.
    let called = format!("built-{}", world.root().file_name().unwrap().to_str().unwrap());
    let project = world.project(&called);
    let other = format!("other-{called}");
    for file in [&called, &other] {
        fs::write(project.join(file), "").unwrap();
    }
    let name = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    assert_eq!(world.wharf(["stop", &called]).current_dir(&project).success(), format!("stopped {name}"));
    for file in [format!("./{called}"), other] {
        let refusal = world.wharf(["stop", &file]).current_dir(&project).failure();
        assert_eq!(refusal, format!("error: `{file}` is not a directory\n"));
    }
}

/// Every name is a directory; what is behind it is what a shell in its session prints for `$PWD`.
#[test]
fn a_directory_of_any_name_opens() {
    let world = World::new();
    let long = "x".repeat(255);
    let commands = format!("#({TRAP})$({TRAP})`{TRAP}`");
    let ended = format!("'; {TRAP}; \"; {TRAP} #\n{TRAP}\n.");
    let names = [
        "two words",
        "it's \"quoted\"",
        "#{pid}",
        "#[fg=red]",
        &commands,
        &ended,
        "two\nlines",
        "größe 日本",
        "-rf",
        "a;",
        "a:b,c=d",
        "%H%M",
        "$HOME ~ * ? \\ \\n",
        "\u{1b}[31mred\u{7}",
        &long,
    ];
    for name in names {
        let project = world.project(name);
        let container = world.open_detached(&project);
        assert!(container.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{container}");
        let shown = Docker::shell(&container, "readlink /proc/$(pgrep -x bash)/cwd");
        // No storage driver is sure to make a mount point of the longest name that there can be.
        let expected = if name.len() < 252 { project.to_str().unwrap() } else { &format!("/workspace/{}", &long[..40]) };
        assert_eq!(shown, expected, "{name:?}");
        world.assert_no_trap_has_run();
        Docker::run(["rm", "-f", &container]);
    }
}

#[test]
fn a_key_opens_a_directory_of_any_name_and_runs_nothing_of_it() {
    let world = World::new();
    let host = world.host();
    let screen = host.attach("main");
    for name in [&format!("#({TRAP})$({TRAP})"), "two\nlines #{pid} #[fg=red]", "it's \"q\"; %H"] {
        let project = world.project(name);
        host.open_shell_in(&project);
        screen.press(&["C-b", "O"]);
        wait_until("the project's window", || {
            host.tmux(["display-message", "-p", "#{@wharf_project}"]) == project.to_str().unwrap()
        });
        screen.wait_for_prompt();
        screen.type_line("echo $((6*7))");
        screen.wait_for_line("42");
    }
    world.assert_no_trap_has_run();
}

#[test]
fn a_container_of_our_name_that_is_not_ours_is_never_touched() {
    let world = World::new();
    let project = world.project("api");
    let name = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    Docker::run(["rm", "-f", &name]);
    Docker::run(["run", "-d", "--name", &name, &run_label(), BUSYBOX, "sleep", "infinity"]);
    let before = Docker::inspect(&name, "{{.Id}} {{.State.StartedAt}}");

    let project_text = project.to_str().unwrap();
    let refusal = format!(
        "error: a container `{name}` exists that wharf did not make for `{project_text}`\n\
         hint: look at it (`docker inspect {name}`); if you can spare it, `docker rm {name}`\n"
    );
    for arguments in [vec!["open", "--detach"], vec!["start"], vec!["stop"], vec!["rm", "--force"], vec!["attach", "--print"]] {
        assert_eq!(world.wharf(&arguments).arg(&project).failure(), refusal, "{arguments:?}");
    }
    assert_eq!(
        world.wharf(["stop", &name]).failure().lines().next(),
        Some(&*format!("error: container `{name}` is not wharf's"))
    );
    assert_eq!(Docker::inspect(&name, "{{.Id}} {{.State.StartedAt}}"), before);
    Docker::run(["rm", "-f", &name]);
}

#[test]
fn a_container_that_has_the_name_of_a_helper_is_not_taken_for_one() {
    let world = World::new();
    let project = world.project("api");
    let helper = format!("{}-helper", world.wharf(["start", "--image", BUSYBOX]).arg(&project).success());
    world.wharf(["rm"]).arg(&project).success();
    let run = std::env::var("WHARF_TEST_RUN").unwrap_or_default();
    let foreign_label = format!("wharf.test={run}");
    Docker::run(["run", "-d", "--name", &helper, "--label", &foreign_label, BUSYBOX, "sleep", "infinity"]);
    let refusal = world.wharf(["start", "--read-only", "--image", BUSYBOX]).arg(&project).failure();
    assert_eq!(
        refusal,
        format!(
            "error: a container `{helper}` exists that wharf did not make\n\
             hint: look at it (`docker inspect {helper}`); if you can spare it, `docker rm {helper}`\n"
        )
    );
    assert_eq!(Docker::state(&helper), "running");
    Docker::run(["rm", "-f", &helper]);
    world.wharf(["start", "--read-only", "--image", BUSYBOX]).arg(&project).success();
}

#[test]
fn labels_say_whose_container_and_volume_it_is() {
    let world = World::new();
    let project = world.project("api");
    let name = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let volume = format!("{name}-home");
    for format in ["{{json .Config.Labels}}", "{{json .Labels}}"] {
        let of = if format.contains("Config") { &name } else { &volume };
        let labels: serde_json::Value = serde_json::from_str(&Docker::inspect(of, format)).unwrap();
        assert_eq!(labels["wharf"], "true");
        assert_eq!(labels["wharf.project"], project.to_str().unwrap());
        assert_eq!(labels["wharf.name"], *name);
        assert_eq!(labels["wharf.image"], BUSYBOX);
        assert_eq!(labels["wharf.config"].as_str().unwrap().len(), 12);
        let created: jiff::Timestamp = labels["wharf.created_at"].as_str().unwrap().parse().unwrap();
        assert!(jiff::Timestamp::now().duration_since(created) < jiff::SignedDuration::from_mins(1));
    }
}

#[test]
fn after_a_removal_by_hand_every_command_is_right_at_once() {
    let world = World::new();
    let project = world.project("api");
    let name = world.open_detached(&project);
    Docker::run(["rm", "-f", &name]);

    let json = world.wharf(["list", "--json"]).success();
    assert!(!json.contains(&name), "{json}");
    let none = format!("error: `{}` has no container\nhint: `wharf open` makes one\n", project.display());
    for arguments in [vec!["stop"], vec!["rm"], vec!["attach", "--print"]] {
        assert_eq!(world.wharf(&arguments).arg(&project).failure(), none, "{arguments:?}");
    }
    assert_eq!(world.open_detached(&project), name);
    assert_eq!(Docker::inner_tmux(&name, &["list-sessions", "-F", "#{session_name}"]), "main");
}

#[test]
fn a_deep_directory_belongs_to_the_project_above_it() {
    let world = World::new();
    let project = world.project("api");
    fs::create_dir(project.join(".git")).unwrap();
    let deep = world.project("api/src/very/deep");
    let name = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    assert_eq!(world.wharf(["start", "--image", BUSYBOX]).current_dir(&deep).success(), name);
    assert_eq!(world.wharf(["start", "--image", BUSYBOX]).arg(&deep).success(), name);
}

#[test]
fn the_home_directory_is_opened_only_when_asked_for() {
    let world = World::new();
    let home = world.root().join("home");
    let refusal = world.wharf(["start", "--image", BUSYBOX]).current_dir(&home).failure();
    let home_text = home.display();
    assert_eq!(
        refusal,
        format!("error: `{home_text}` is too much for one project\nhint: to open all of it, name it: `wharf open {home_text}`\n")
    );
    assert!(world.wharf(["start", "--image", BUSYBOX]).arg(&home).success().starts_with("wharf-home-"));
    // Nothing can be mounted at `/`.
    let refusal = world.wharf(["start"]).current_dir("/").failure();
    let hint = "hint: to open all of it, name it and where it goes: `wharf open --workspace /host /`\n";
    assert_eq!(refusal, format!("error: `/` is too much for one project\n{hint}"));
}

#[test]
fn a_target_can_be_a_path_or_any_of_the_projects_names() {
    let world = World::new();
    // Of this test only: the engine has other projects.
    let base = world.root().file_name().unwrap().to_str().unwrap().to_owned();
    let [one, two] = ["x", "y"].map(|parent| world.project(&format!("{parent}{base}/{base}")));
    let [first, second] = [&one, &two].map(|project| world.wharf(["start", "--image", BUSYBOX]).arg(project).success());
    let stop = |target: &str| world.wharf(["stop", target]).success();

    // From where no directory is called that, since one would count before a name.
    let elsewhere = world.project("elsewhere");
    let with_parent = format!("x{base}/{base}");
    assert!(!elsewhere.join(&with_parent).exists());
    let stopped = world.wharf(["stop", &with_parent]).current_dir(&elsewhere).success();
    assert_eq!(stopped, format!("stopped {first}"));
    assert_eq!(stop(&second), format!("stopped {second}"));
    assert_eq!(
        world.wharf(["stop", &base]).failure(),
        format!(
            "error: `{base}` could be any of: {}, {}\nhint: write its parent too (`parent/base`), or the container's name\n",
            one.display(),
            two.display()
        )
    );
    world.wharf(["rm", &first]).success();
    assert_eq!(stop(&base), format!("was not running: {second}"));
    assert_eq!(
        world.wharf(["stop", "no-such-project"]).failure(),
        "error: no project or container is called `no-such-project`\nhint: `wharf list` shows every name; a directory works as well\n"
    );
}

/// A container as another user of this machine would have made it for a project.
fn of_another_user(world: &World, project: &std::path::Path) -> String {
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(project).success();
    world.wharf(["rm", "--force", "--volumes"]).arg(project).success();
    let labels = [
        "wharf=true".to_owned(),
        format!("wharf.project={}", project.display()),
        format!("wharf.name={container}"),
        "wharf.user=4242".to_owned(),
    ];
    let labels = labels.iter().flat_map(|label| ["--label", label]);
    Docker::run(["create", "--name", &container].into_iter().chain(labels).chain([BUSYBOX, "sleep", "1"]));
    container
}

#[test]
fn what_other_users_have_made_is_theirs() {
    let world = World::new();
    let (own, theirs) = (world.project("api"), world.project("their/api"));
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(&own).success();
    let other = of_another_user(&world, &theirs);
    let uid = rustix::process::getuid().as_raw().to_string();
    for kind in ["container", "volume"] {
        let name = if kind == "container" { container.clone() } else { format!("{container}-home") };
        let label =
            if kind == "container" { "{{index .Config.Labels \"wharf.user\"}}" } else { "{{index .Labels \"wharf.user\"}}" };
        assert_eq!(Docker::run([kind, "inspect", "--format", label, &name]), uid, "{kind}");
    }
    let listed = |words: &[&str]| world.wharf(words).success();
    assert!(listed(&["list"]).contains(own.to_str().unwrap()));
    assert!(!listed(&["list"]).contains(theirs.to_str().unwrap()));
    assert!(listed(&["list", "--everyone"]).contains(theirs.to_str().unwrap()));
    // A name is one's own first; without one, it is theirs.
    assert!(listed(&["status", "api"]).starts_with("api running"));
    assert!(listed(&["status", &other]).starts_with("api "));
    std::fs::remove_dir(&theirs).unwrap();
    let pruned = |words: &[&str]| world.wharf(words).run().stdout.contains(&other);
    assert!(!pruned(&["prune", "--dry-run"]));
    assert!(pruned(&["prune", "--dry-run", "--everyone"]));
}
