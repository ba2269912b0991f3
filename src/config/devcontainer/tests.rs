//! What a devcontainer.json becomes, and exact messages.

use std::collections::HashMap;
use std::sync::Arc;

use super::entry::Read;
use super::{Decoded, PROPERTIES, decode, image, ports, run_args, sessions, users};
use crate::config::decode::{File, Surroundings};
use crate::config::merge::merge;
use crate::config::show::show;
use crate::config::source::Scope;
use crate::error::Problems;

fn decoded(text: &str, is_trusted: bool) -> Result<Decoded, Problems> {
    let variables = HashMap::from([("HOME".to_owned(), "/home/ada".to_owned()), ("TOKEN".to_owned(), "secret".to_owned())]);
    let surroundings = Surroundings {
        home: Some("/home/ada".into()),
        sockets: vec!["/srv/engine/api.sock".into()],
        variables: Arc::new(variables),
    };
    let path = "/src/api/.devcontainer/devcontainer.json";
    decode(File { scope: Scope::Project, path, text }, &surroundings, is_trusted)
}

/// What it comes to, as KDL: a line for each value, without where it was written.
#[track_caller]
fn shown(text: &str) -> Vec<String> {
    let decoded = decoded(text, true).unwrap_or_else(|problems| panic!("{}", problems.reports(false).join("\n")));
    let shown = show(&merge([decoded.part]));
    let lines = shown.lines().filter(|line| !line.starts_with("//") && !line.ends_with("// default"));
    lines.map(|line| line.split("  // project").next().unwrap().trim().to_owned()).collect()
}

#[track_caller]
fn assert_shows(text: &str, expected: &[&str]) {
    let shown = shown(text);
    for line in expected {
        assert!(shown.iter().any(|shown| shown == line), "{line:?} is not in {shown:#?}");
    }
}

fn errors(text: &str) -> String {
    decoded(text, true).map_or_else(|problems| problems.reports(false).join("\n\n"), |_| "no error".to_owned())
}

fn warnings(text: &str) -> Vec<String> {
    decoded(text, true).unwrap().warnings.into_iter().map(|warning| warning.message).collect()
}

#[test]
fn a_file_with_an_image_is_its_environment() {
    let usual = ["AUDIT_WRITE", "MKNOD", "NET_RAW", "SETFCAP", "SETPCAP", "SYS_CHROOT"];
    let expected = ["image \"debian:12\"", "user \"image\" ids=\"host\"", "workspace \"/workspaces/api\"", "sudo #true"];
    let capabilities = usual.map(|name| format!("capability \"{name}\""));
    let expected: Vec<String> = expected.map(str::to_owned).into_iter().chain(capabilities).collect();
    assert_eq!(shown("{\n// a comment\n\"image\": \"debian:12\", /* another */\n}"), expected);
}

#[test]
fn a_build_is_relative_to_the_file() {
    for (build, expected) in [
        (r#""build": {"dockerfile": "Dockerfile"}"#, r#"build ".devcontainer/Dockerfile" { context ".devcontainer"; }"#),
        (
            r#""build": {"dockerfile": "../Dockerfile", "context": "..", "target": "dev", "args": {"A": "1", "B": true}, "cacheFrom": "x:y"}"#,
            r#"build "Dockerfile" { context "."; target "dev"; arg "A" "1"; arg "B" "true"; cache-from "x:y"; }"#,
        ),
        (r#""dockerFile": "Dockerfile", "context": "..""#, r#"build ".devcontainer/Dockerfile" { context "."; }"#),
    ] {
        assert_shows(&format!("{{{build}}}"), &[expected]);
    }
}

#[test]
fn users_mounts_and_variables() {
    assert_shows(
        r#"{
            "image": "x",
            "remoteUser": "vscode",
            "containerEnv": {"A": "${localEnv:HOME}", "N": 1},
            "remoteEnv": {"PATH": "${containerEnv:PATH}:/opt", "GONE": null},
            "workspaceFolder": "/work/sub",
            "workspaceMount": "source=${localWorkspaceFolder},target=/work,type=bind",
            "mounts": [
                "source=${localEnv:HOME}/.aws,target=/home/vscode/.aws,type=bind,readonly",
                {"source": "cache-${devcontainerId}", "target": "/cache", "type": "volume"},
                "type=volume,target=${containerWorkspaceFolder}/node_modules",
                "source=/var/run/docker.sock,target=/var/run/docker.sock,type=bind"
            ],
            "appPort": ["8080:80", 3000, "0.0.0.0:9000:9000"],
            "shutdownAction": "stopContainer"
        }"#,
        &[
            "user \"vscode\" ids=\"host\"",
            "\"A\" \"/home/ada\"",
            "\"N\" \"1\"",
            "\"PATH\" \"${containerEnv:PATH}:/opt\"",
            "unset \"GONE\"",
            "workspace \"/work\"",
            "directory \"/work/sub\"",
            "mount \"/home/ada/.aws\" \"/home/vscode/.aws\" readonly=#true",
            "volume \"cache-0fn045tui9aacsprlp2q03r1g39ar6kkhsefluvtcdfldtmamunr\" \"/cache\" shared=#true",
            "volume \"work-sub-node-modules\" \"/work/sub/node_modules\"",
            "port 80 host=8080 address=\"127.0.0.1\"",
            "port 3000 host=3000 address=\"127.0.0.1\"",
            "port 9000 host=9000 address=\"0.0.0.0\"",
            "on-exit \"stop\"",
        ],
    );
}

#[test]
fn commands_become_hooks_in_their_order() {
    let text = r#"{
        "image": "x",
        "postCreateCommand": {"a": "npm ci", "b": ["make", "all"]},
        "updateContentCommand": ["./one word"],
        "onCreateCommand": "echo created",
        "postStartCommand": "",
        "postAttachCommand": "echo hello"
    }"#;
    assert_shows(
        text,
        &[
            "on-create \"echo created\"",
            "on-create \"'./one word'\"",
            "after-create { \"a\" \"npm ci\"; \"b\" \"make\" \"all\"; }",
            "on-attach \"echo hello\"",
        ],
    );
    assert_shows(
        &text.replacen('{', r#"{"waitFor": "postStartCommand","#, 1),
        &["on-create { \"a\" \"npm ci\"; \"b\" \"make\" \"all\"; }", "wait-for \"on-start\""],
    );
}

#[test]
fn arguments_of_docker_run_are_mapped_or_named() {
    let text = r#"{"image": "x", "runArgs": ["--network=backend", "--memory", "2g", "-e", "A=b", "-v/data:/data:ro", "--name", "x",
        "--device=/dev/kvm", "--rm", "--privileged", "--ipc=host", "--cap-add", "SYS_ADMIN", "--cap-add=sys_ptrace",
        "--shm-size=1g", "--add-host=host.docker.internal:host-gateway", "--ulimit", "nofile=1024:2048", "--tmpfs", "/t:size=64m"]}"#;
    assert_shows(
        text,
        &[
            "network \"backend\"",
            "limits memory=\"2GiB\" \\",
            "shm=\"1GiB\"",
            "capability \"SYS_PTRACE\"",
            "host-access #true",
            "ulimit \"nofile\" 1024 hard=2048",
            "tmpfs \"/t\" size=\"64MiB\"",
            "device \"/dev/kvm\"",
            "\"A\" \"b\"",
            "mount \"/data\" \"/data\" readonly=#true",
        ],
    );
    let part = decoded(text, true).unwrap().part;
    let notable: Vec<&str> = part.properties.iter().filter(|it| it.is_notable).map(|it| it.name.as_str()).collect();
    assert_eq!(notable, ["runArgs --rm", "runArgs --ipc=host", "runArgs --cap-add"]);
    assert!(part.privileged.is_some());
}

#[test]
fn every_property_of_a_file_is_accounted_for() {
    let text = r#"{"image": "x", "name": "n", "unknown": 1, "customizations": {"vscode": {}}, "features": {"a": {}},
        "hostRequirements": {"cpus": 4, "gpu": "optional"}, "forwardPorts": [3000], "init": true}"#;
    let part = decoded(text, true).unwrap().part;
    let names: Vec<&str> = part.properties.iter().map(|property| property.name.as_str()).collect();
    for name in ["image", "name", "unknown", "customizations.vscode", "features", "hostRequirements.gpu", "forwardPorts", "init"]
    {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    assert_eq!(warnings(text), ["wharf knows no property `unknown`"]);
}

#[test]
fn errors_show_their_place_and_what_is_meant() {
    let text = "{\n  \"image\": \"x\",\n  \"waitFor\": \"postCreateComand\",\n  \"mounts\": [5],\n  \"appPort\": \"x\"\n}";
    insta::assert_snapshot!(errors(text), @r#"
    error: `postCreateComand` is not known here
     --> /src/api/.devcontainer/devcontainer.json:3:14
      |
    3 |   "waitFor": "postCreateComand",
      |              ^^^^^^^^^^^^^^^^^^
      |
      = hint: did you mean "postCreateCommand"? allowed: "initializeCommand", "onCreateCommand", "updateContentCommand", "postCreateCommand", "postStartCommand", "postAttachCommand"

    error: a mount needs `target`
     --> /src/api/.devcontainer/devcontainer.json:4:14
      |
    4 |   "mounts": [5],
      |              ^
      |
      = hint: write where it is in the container

    error: `x` is not a port
     --> /src/api/.devcontainer/devcontainer.json:5:14
      |
    5 |   "appPort": "x"
      |              ^^^
      |
      = hint: write it as 3000, "8080:80" or "127.0.0.1:8080:80"
    "#);
    for (text, expected) in [
        ("{\n  \"image\": \"x\"\n  \"name\" \"y\"\n}", "3:10: expected colon after the string or word in object property"),
        ("[]", "1:1: expected an object, found an array"),
        ("", "1:1: there is no object here"),
        ("image debian", "1:1: unexpected word"),
        ("{\"build\": []}", "1:11: expected an object, found an array"),
        ("{\"image\": {}}", "1:11: expected a string, found an object"),
        ("{\"init\": \"perhaps\"}", "1:10: expected `true` or `false`, found a string"),
    ] {
        let found = decoded(text, true).unwrap_err().to_string();
        assert_eq!(found, format!("/src/api/.devcontainer/devcontainer.json:{expected}"));
    }
}

#[test]
fn the_hosts_environment_is_for_trusted_files() {
    let text = "{\n\"image\": \"x\",\n\"containerEnv\": {\n\"T\": \"${localEnv:TOKEN:none}\"\n}}";
    assert_shows(text, &["\"T\" \"secret\""]);
    let untrusted = decoded(text, false).unwrap();
    assert_eq!(untrusted.part.variables[0].value.value.as_deref(), Some("none"));
    assert_eq!(untrusted.asking, [4].into());
    // What is kept on the container is what was written.
    let trusted = decoded(text, true).unwrap();
    assert_eq!(trusted.part.variables[0].value.written.as_deref(), Some("${localEnv:TOKEN:none}"));
}

/// The names in the first cells of a table's rows.
fn documented() -> Vec<String> {
    let page = include_str!("../../../docs/devcontainer.md");
    let cells = page.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn the_table_has_every_property_and_no_other() {
    let top = PROPERTIES.iter().map(|(name, _)| (*name).to_owned());
    let below = |above: &str, names: &[(&'static str, Read)]| -> Vec<String> {
        names.iter().map(|(name, _)| format!("{above}{name}")).collect()
    };
    let below = [
        below("build.", &image::BUILD),
        below("portsAttributes.", &ports::ATTRIBUTES),
        below("hostRequirements.", &users::REQUIREMENTS),
        below("customizations.wharf.", &sessions::WHARF),
        run_args::names(),
    ];
    let mut known: Vec<String> = top.chain(below.concat()).collect();
    let mut documented = documented();
    known.sort_unstable();
    documented.sort_unstable();
    assert_eq!(documented, known);
}

#[test]
fn no_two_properties_have_the_same_name() {
    let mut names: Vec<&str> = PROPERTIES.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), PROPERTIES.len());
}

#[test]
fn no_text_makes_it_panic() {
    let whole = r#"{"image": "x", "runArgs": ["-p", "1:2"], "mounts": ["type=bind,source=/a,target=/b"], "remoteEnv": {"A": "${localEnv:B}"}}"#;
    for at in (0..whole.len()).step_by(3) {
        for piece in ["", "{", "\"", "\\u00", "${", "é", "\u{1b}[31m", "/*", "null"] {
            let text = format!("{}{piece}{}", &whole[..at], &whole[at..]);
            if let Err(problems) = decoded(&text, true) {
                assert!(!problems.reports(false).join("\n").contains('\u{1b}'), "{text}");
            }
        }
        let _ = decoded(&whole[..at], true);
    }
    for deep in ["[", "{\"a\":", "{\"mounts\":["] {
        assert!(decoded(&deep.repeat(100_000), true).is_err());
    }
}
