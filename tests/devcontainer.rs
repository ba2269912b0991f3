//! R83: a project's devcontainer.json, as it is.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::getuid;

use crate::support::{BUSYBOX, DEBIAN, Docker, World, wait_until};

/// A project with this devcontainer.json, which is trusted.
#[track_caller]
fn trusted(world: &World, text: &str) -> PathBuf {
    let project = untrusted(world, text);
    world.wharf(["trust"]).arg(&project).success();
    project
}

#[track_caller]
fn untrusted(world: &World, text: &str) -> PathBuf {
    let project = world.project("api");
    write(&project, ".devcontainer/devcontainer.json", text);
    project
}

#[track_caller]
fn write(project: &Path, name: &str, text: &str) {
    let file = project.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// What a shell in the project's container prints.
#[track_caller]
fn inside(world: &World, project: &Path, line: &str) -> String {
    let run = world.wharf(["exec"]).arg(project).args(["--", "sh", "-c", line]).run();
    assert_eq!(run.code, Some(0), "{line}: {}{}", run.stdout, run.stderr);
    run.stdout.trim_end().to_owned()
}

#[track_caller]
fn start(world: &World, project: &Path) -> String {
    let run = world.wharf(["start"]).arg(project).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stderr
}

/// All that a build leaves behind as docker's cache goes with the run.
fn from_debian(lines: &str) -> String {
    format!("FROM {DEBIAN}\nLABEL wharf.test=\"{}\"\n{lines}\n", std::env::var("WHARF_TEST_RUN").unwrap_or_default())
}

#[test]
fn an_image_its_variables_mounts_and_place() {
    let world = World::new();
    fs::write(world.root().join("shared"), "of the host").unwrap();
    let text = format!(
        r#"{{
            // As in any such file.
            "name": "api",
            "image": "{BUSYBOX}",
            "containerEnv": {{ "A": "${{localEnv:GIVEN}}", "B": "${{containerWorkspaceFolder}}", }},
            "remoteEnv": {{ "C": "${{containerEnv:B}}/c", "D": "${{containerEnv:NONE:none}}" }},
            "mounts": [
                "type=bind,source={},target=/shared,readonly",
                {{ "type": "volume", "target": "/data" }},
            ],
            "workspaceFolder": "/workspaces/api/sub",
            "customizations": {{ "wharf": {{ "sessions": {{ "logs": {{ "command": ["sleep", "1000"], "autostart": true }} }} }} }},
        }}"#,
        world.root().join("shared").display()
    );
    let project = trusted(&world, &text);
    fs::create_dir(project.join("sub")).unwrap();
    let opened = world.wharf(["open", "--detach"]).env("GIVEN", "of the host").arg(&project).run();
    assert_eq!(opened.code, Some(0), "{}", opened.stderr);
    let container = world.container_of(&project);
    let seen = inside(&world, &project, "echo $A; echo $B; echo $C; echo $D; pwd; cat /shared; ls -d ../.devcontainer /data");
    let expected =
        "of the host\n/workspaces/api/sub\n/workspaces/api/sub/c\nnone\n/workspaces/api/sub\nof the host../.devcontainer\n/data";
    assert_eq!(seen, expected);
    assert_ne!(world.wharf(["exec"]).arg(&project).args(["--", "touch", "/shared"]).run().code, Some(0));
    assert_eq!(Docker::inspect(&container, "{{.Config.Image}}"), BUSYBOX);
    assert!(world.wharf(["sessions"]).arg(&project).success().contains("logs"));
    // What was read of the host's environment is nobody else's.
    assert!(!Docker::inspect(&container, "{{json .Config.Labels}}").contains("of the host"));
}

#[test]
fn a_build_with_a_user_of_its_own_who_may_use_sudo() {
    let world = World::new();
    let project = untrusted(
        &world,
        r#"{
            "build": { "dockerfile": "Dockerfile", "context": "..", "args": { "NAME": "dev" } },
            "remoteUser": "dev"
        }"#,
    );
    write(&project, "from-context", "x");
    let lines = "ARG NAME\nCOPY from-context /copied\nRUN useradd --create-home --uid 1234 $NAME \
                 && echo \"$NAME ALL=(ALL) NOPASSWD:ALL\" >/etc/sudoers.d/dev && echo mine >/home/$NAME/mine \
                 && chown $NAME /home/$NAME/mine && useradd --uid 1000 --no-create-home other";
    write(&project, ".devcontainer/Dockerfile", &from_debian(lines));
    world.wharf(["trust"]).arg(&project).success();
    start(&world, &project);
    let owner = |path: &Path| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).unwrap().uid()
    };
    let uid = if getuid().is_root() { 1234 } else { getuid().as_raw() };
    let seen =
        inside(&world, &project, "id -u; whoami; echo $HOME; stat -c %u $HOME $HOME/mine /etc/passwd; sudo id -u; cat /copied");
    assert_eq!(seen, format!("{uid}\ndev\n/home/dev\n{uid}\n{uid}\n0\n0\nx"));
    if !getuid().is_root() {
        inside(&world, &project, "touch made-inside; sudo touch made-by-root");
        assert_eq!(owner(&project.join("made-inside")), uid);
    }
    // The others of the image are still there.
    assert_eq!(
        inside(&world, &project, "id -un 1234 2>/dev/null || true; getent passwd other | cut -d: -f3"),
        if getuid().is_root() { "dev\n1000" } else { "1000" }
    );
}

#[test]
fn nothing_reaches_the_host_without_trust() {
    let world = World::new();
    let secret = world.root().join("secret");
    fs::write(&secret, "s").unwrap();
    let text = format!(
        r#"{{
            "image": "{BUSYBOX}",
            "initializeCommand": "touch {0}/ran-on-host",
            "postCreateCommand": "touch created",
            "containerEnv": {{
                "PLAIN": "yes",
                "ASKED": "${{localEnv:GIVEN}}"
            }},
            "mounts": ["type=bind,source={0}/secret,target=/secret"],
            "appPort": 18099,
            "remoteUser": "root"
        }}"#,
        world.root().display()
    );
    let project = untrusted(&world, &text);
    let run = world.wharf(["start"]).env("GIVEN", "taken").arg(&project).run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let container = world.container_of(&project);
    assert!(!world.root().join("ran-on-host").exists());
    let seen = inside(&world, &project, "echo $PLAIN $ASKED; ls /secret created 2>&1 | wc -l; id -u");
    assert_eq!(seen, format!("yes\n2\n{}", getuid().as_raw()));
    assert_eq!(
        Docker::inspect(&container, "{{len .HostConfig.PortBindings}} {{.HostConfig.SecurityOpt}}"),
        "0 [no-new-privileges]"
    );
    for line in [
        "3: \"initializeCommand\"",
        "4: \"postCreateCommand\"",
        "7: \"ASKED\"",
        "9: \"mounts\"",
        "10: \"appPort\"",
        "11: \"remoteUser\"",
    ] {
        assert!(run.stderr.contains(line), "{line} is not in {}", run.stderr);
    }
    assert!(!run.stderr.contains("PLAIN"), "{}", run.stderr);
    // It is said word by word what trust will let it do.
    let trusted = world.wharf(["trust"]).arg(&project).success();
    assert!(
        trusted.contains(&format!("3: \"initializeCommand\": \"touch {}/ran-on-host\",", world.root().display())),
        "{trusted}"
    );
    // Of another text it is not said.
    write(&project, ".devcontainer/devcontainer.json", &text.replace("ran-on-host", "ran-too"));
    assert_eq!(world.wharf(["rebuild", "--force"]).arg(&project).run().code, Some(0));
    assert!(!world.root().join("ran-too").exists());
}

#[test]
fn the_engines_socket_is_left_out_and_the_rest_works() {
    let world = World::new();
    let text = format!(
        r#"{{
            "image": "{BUSYBOX}",
            "mounts": [
                "source=/var/run/docker.sock,target=/var/run/docker.sock,type=bind",
                "target=/data,type=volume"
            ]
        }}"#
    );
    let project = trusted(&world, &text);
    let said = start(&world, &project);
    assert!(said.contains("who reaches the engine's socket is root on the host"), "{said}");
    assert_eq!(inside(&world, &project, "ls /var/run/docker.sock 2>/dev/null; ls -d /data"), "/data");
    // Once.
    let again = world.wharf(["open", "--detach"]).arg(&project).run();
    assert!(!again.stderr.contains("socket"), "{}", again.stderr);
}

#[test]
fn the_three_places_and_what_lies_over_and_under_them() {
    let world = World::new();
    let global = world.root().join("home/.config/wharf/config.kdl");
    fs::create_dir_all(global.parent().unwrap()).unwrap();
    fs::write(&global, "env { FROM \"global\"; G \"1\" }\n").unwrap();
    let project = world.project("api");
    let named = |from: &str| format!(r#"{{ "image": "{BUSYBOX}", "containerEnv": {{ "FROM": "{from}", "D": "1" }} }}"#);
    write(&project, ".devcontainer/one/devcontainer.json", &named("one"));
    write(&project, ".devcontainer/two/devcontainer.json", &named("two"));
    let show = |arguments: &[&str]| {
        let run = world.wharf(["config", "show"]).args(arguments).arg(&project).run();
        (run.code, run.stdout, run.stderr)
    };
    let of_file =
        |shown: &str, value: &str| shown.lines().any(|line| line.contains(value) && line.contains("devcontainer.json:1"));
    // Which of several, nobody can know.
    let refused = world.wharf(["start"]).arg(&project).run();
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("`--config NAME`, of one, two"), "{}", refused.stderr);
    let (code, shown, _) = show(&["--config", "two"]);
    assert_eq!(code, Some(0));
    assert!(of_file(&shown, r#""FROM" "two""#) && shown.contains(r#""G" "1"  // global"#), "{shown}");
    assert_eq!(show(&["--config", "three"]).0, Some(1));
    // The usual place comes before all others.
    write(&project, ".devcontainer.json", &named("beside"));
    assert!(of_file(&show(&[]).1, r#""FROM" "beside""#));
    write(&project, ".devcontainer/devcontainer.json", &named("usual"));
    assert!(of_file(&show(&[]).1, r#""FROM" "usual""#));
    // Wharf's own file lies over all.
    write(&project, "wharf.kdl", "env { FROM \"own\" }\n");
    let shown = show(&[]).1;
    assert!(shown.contains(r#""FROM" "own"  // project"#) && of_file(&shown, r#""D" "1""#), "{shown}");
    start(&world, &project);
    assert_eq!(inside(&world, &project, "echo $FROM $D $G"), "own 1 1");
}

#[test]
fn what_is_no_json_is_said_with_its_place() {
    let world = World::new();
    let project = untrusted(&world, "{\n  \"image\": \"x\",\n  \"mounts\": [\n");
    let run = world.wharf(["open", "--detach"]).arg(&project).run();
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("devcontainer.json:3:13"), "{}", run.stderr);
    assert_eq!(Docker::below("container", &project), [""; 0]);
    write(&project, ".devcontainer/devcontainer.json", "{ \"image\": \"x\", \"remoteUsr\": \"dev\" }");
    let run = world.wharf(["config", "check"]).current_dir(&project).run();
    assert_eq!(run.code, Some(0));
    assert!(
        run.stderr.contains("wharf knows no property `remoteUsr`") && run.stderr.contains("did you mean `remoteUser`?"),
        "{}",
        run.stderr
    );
}

#[test]
fn commands_run_once_in_their_order_and_go_on_where_one_has_failed() {
    let world = World::new();
    let text = format!(
        r#"{{
            "image": "{BUSYBOX}",
            "remoteUser": "root",
            "initializeCommand": ["touch", "made-on-host"],
            "onCreateCommand": "echo on-create >>log; pwd >>log",
            "updateContentCommand": {{ "a": "echo update-a >>log", "b": ["sh", "-c", "test -e fixed"] }},
            "postCreateCommand": "echo post-create >>log",
            "postStartCommand": "echo post-start $SET >>log",
            "postAttachCommand": "echo post-attach >>log",
            "remoteEnv": {{ "SET": "in-sessions" }}
        }}"#
    );
    let project = trusted(&world, &text);
    let log = || fs::read_to_string(project.join("log")).unwrap_or_default();
    let failed = world.wharf(["open", "--detach"]).arg(&project).run();
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.contains("b: sh -c test -e fixed"), "{}", failed.stderr);
    assert!(project.join("made-on-host").exists());
    assert_eq!(log(), "on-create\n/workspaces/api\nupdate-a\n");
    fs::write(project.join("fixed"), "").unwrap();
    world.wharf(["open", "--detach"]).arg(&project).run();
    let whole = "on-create\n/workspaces/api\nupdate-a\npost-create\npost-start in-sessions\n";
    wait_until("what runs in the background", || log() == whole);
    // Of the next start there is only what belongs to it.
    world.wharf(["stop"]).arg(&project).success();
    world.wharf(["open", "--detach"]).arg(&project).run();
    wait_until("the next start", || log() == format!("{whole}post-start in-sessions\n"));
    let host = world.host();
    let screen = host.attach("main");
    host.open_shell_in(&project);
    screen.press(&["C-b", "O"]);
    wait_until("an attach", || log().ends_with("post-attach\n"));
}

/// A feature in a directory of the project, whose script is this.
fn feature(project: &Path, name: &str, metadata: &str, script: &str) {
    write(project, &format!(".devcontainer/{name}/devcontainer-feature.json"), &format!("{{ \"id\": \"{name}\", {metadata} }}"));
    write(project, &format!(".devcontainer/{name}/install.sh"), &format!("#!/bin/sh\nset -e\n{script}\n"));
}

#[test]
fn features_of_the_projects_own_are_installed_in_their_order() {
    let world = World::new();
    let text = format!(
        r#"{{
            "image": "{DEBIAN}",
            "remoteUser": "dev",
            "features": {{
                "./tool": {{ "version": "2", "loud": true }},
                "./users": {{}}
            }}
        }}"#
    );
    let project = untrusted(&world, &text);
    feature(
        &project,
        "tool",
        r#""options": { "version": { "default": "1" }, "size": { "default": "small" } }, "installsAfter": ["./users"],
           "dependsOn": { "./.devcontainer/base": {} }, "containerEnv": { "TOOL": "/opt/tool" }"#,
        "echo \"$VERSION $LOUD $SIZE $_REMOTE_USER $_REMOTE_USER_HOME $(cat /base)\" >/tool",
    );
    feature(&project, "users", r#""version": "1.0.0""#, "useradd --create-home --uid 1234 dev");
    feature(&project, "base", r#""version": "1.0.0""#, "echo base >/base");
    // Nothing is installed that nobody trusts.
    start(&world, &project);
    assert_eq!(inside(&world, &project, "ls /tool 2>/dev/null || echo none"), "none");
    world.wharf(["trust"]).arg(&project).success();
    let rebuilt = world.wharf(["rebuild", "--force"]).arg(&project).run();
    assert_eq!(rebuilt.code, Some(0), "{}", rebuilt.stderr);
    assert_eq!(
        inside(&world, &project, "cat /tool; echo $TOOL; whoami; echo $HOME"),
        "2 true small dev /home/dev base\n/opt/tool\ndev\n/home/dev"
    );
    let image = Docker::inspect(&world.container_of(&project), "{{.Config.Image}}");
    // The same set is the same image.
    let again = world.wharf(["rebuild", "--force"]).arg(&project).run();
    assert!(!again.stderr.contains("building image"), "{}", again.stderr);
    assert_eq!(Docker::inspect(&world.container_of(&project), "{{.Config.Image}}"), image);
    // One that fails is named, and what was there goes on.
    feature(&project, "users", r#""version": "1.0.1""#, "echo last words; exit 3");
    let failed = world.wharf(["rebuild", "--force"]).arg(&project).run();
    assert_eq!(failed.code, Some(1));
    assert!(
        failed.stderr.contains("could not install feature `./.devcontainer/users`") && failed.stderr.contains("last words"),
        "{}",
        failed.stderr
    );
    assert_eq!(inside(&world, &project, "whoami"), "dev");
    Docker::output(["image", "rm", "--force", &image]);
}

#[test]
fn privileged_takes_the_persons_own_word() {
    let world = World::new();
    let project = trusted(
        &world,
        &format!(
            r#"{{ "image": "{BUSYBOX}", "privileged": true, "capAdd": ["SYS_PTRACE"], "securityOpt": ["seccomp=unconfined"] }}"#
        ),
    );
    let said = start(&world, &project);
    assert!(said.contains("`wharf trust --privileged`"), "{said}");
    let rights = || {
        let container = world.container_of(&project);
        Docker::inspect(&container, "{{.HostConfig.Privileged}} {{.HostConfig.SecurityOpt}} {{.HostConfig.CapAdd}}")
    };
    assert!(rights().starts_with("false ") && rights().contains("seccomp=unconfined"), "{}", rights());
    assert!(rights().contains("SYS_PTRACE"), "{}", rights());
    let shown = || world.wharf(["config", "show"]).arg(&project).run().stdout.contains("// privileged  // project");
    assert!(!shown());
    world.wharf(["trust", "--privileged"]).arg(&project).success();
    assert!(shown());
    let container = world.container_of(&project);
    let labels = Docker::inspect(
        &container,
        r#"{{index .Config.Labels "devcontainer.local_folder"}} {{index .Config.Labels "devcontainer.config_file"}}"#,
    );
    assert_eq!(labels, format!("{0} {0}/.devcontainer/devcontainer.json", project.display()));
}
