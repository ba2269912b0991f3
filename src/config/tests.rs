//! Exact messages, the rules of merging and of trust.

use super::decode::{File, decode};
use super::merge::{Config, Image, merge};
use super::part::Part;
use super::source::{Scope, Source};
use super::*;
use crate::error::Problems;

pub fn decoded(scope: Scope, text: &str) -> Result<Part, Problems> {
    let surroundings = Surroundings { home: Some("/home/ada".into()), sockets: vec!["/srv/engine/api.sock".into()] };
    decode(File { scope, path: "wharf.kdl", text }, &surroundings)
}

/// What a project's file of this content says.
#[track_caller]
pub fn part_of(text: &str) -> Part {
    part(Scope::Project, text)
}

#[track_caller]
fn part(scope: Scope, text: &str) -> Part {
    decoded(scope, text).unwrap_or_else(|problems| panic!("{}", problems.reports(false).join("\n")))
}

fn messages(text: &str) -> String {
    decoded(Scope::Project, text).map_or_else(|problems| problems.reports(false).join("\n\n"), |_| "no problem".to_owned())
}

/// Each problem of a document in one line.
fn lines(text: &str) -> Vec<String> {
    decoded(Scope::Project, text).map_or_else(|problems| problems.to_string().lines().map(str::to_owned).collect(), |_| vec![])
}

/// Every key, in every form.
pub const EVERYTHING: &str = r#"
image "rust:1.95"
user "root"
workspace "/work"
session "main"
session "claude" { command "claude" "--continue"; autostart #true; directory "src"; stop-signal "INT" }
mount "~/.gitconfig" "~/.gitconfig" readonly=#true
mount "/srv/data" "/data/"
volume "target" "/work/target"
env { RUST_LOG "a \"b\"\n\u{1b}"; inherit "ANTHROPIC_API_KEY" "NPM_TOKEN" }
port 3000
port 8080 host=18080 address="0.0.0.0"
ssh { port 2222 }
limits memory="4GiB" cpus=1.5 pids=4096 gpus="all" shm="1GiB"
ulimit "nofile" 65536 hard="unlimited"
tmpfs "/scratch" size="64KiB"
device "/dev/kvm"
capability "SYS_PTRACE"
host "db.test" "10.0.0.5"
dns "1.1.1.1" "fd00::1"
hostname "box"
host-access #true
network "backend"
on-create "npm ci"
on-start "sh" "-c" "date >>/tmp/starts"
on-exit "stop"
idle-stop "1d 12h"
stop-timeout "10s"
mask ".env"
allow "fixtures/*.pem"
attach "exec"
profile "big" { image "debian:12"; limits memory="64GiB"; env { SIZE "big" } }
"#;

#[test]
fn every_key_is_read_and_what_is_shown_reads_the_same() {
    let config = merge([part(Scope::Project, EVERYTHING)]);
    let shown = show(&config);
    assert!(!shown.contains('\u{1b}'), "{shown}");
    // Sources differ: what is shown has lines of its own.
    let again = show(&merge([part(Scope::Project, &shown)]));
    let values = |text: &str| text.lines().map(|line| line.split("  // ").next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(values(&again), values(&shown));
    let built = merge([part(Scope::Project, "build \"ci/Dockerfile\" { target \"dev\"; arg \"A\" \"1\" }")]);
    assert_eq!(values(&show(&built))[0], "build \"ci/Dockerfile\" { target \"dev\"; arg \"A\" \"1\"; }");
}

#[test]
fn several_errors_are_told_at_once() {
    insta::assert_snapshot!(messages("imge \"debian\"\n\nport 70000 hots=1\nlimits memory=\"4 apples\"\nsession \"größe\""), @r#"
    error: there is no key `imge` here
     --> wharf.kdl:1:1
      |
    1 | imge "debian"
      | ^^^^
      |
      = hint: did you mean `image`?

    error: `70000` is not a port
     --> wharf.kdl:3:6
      |
    3 | port 70000 hots=1
      |      ^^^^^
      |
      = hint: ports are 1 to 65535

    error: `port` has no property `hots`
     --> wharf.kdl:3:12
      |
    3 | port 70000 hots=1
      |            ^^^^^^
      |
      = hint: did you mean `host`? allowed: host, address

    error: `4 apples` is not a size
     --> wharf.kdl:4:8
      |
    4 | limits memory="4 apples"
      |        ^^^^^^^^^^^^^^^^^
      |
      = hint: write a number with its unit, as "512MiB" or "4GiB"

    error: `größe` is not a name for a session: use letters, digits, `-` and `_`
     --> wharf.kdl:5:9
      |
    5 | session "größe"
      |         ^^^^^^^
      |
      = hint: a name is letters, digits, `-` and `_`, as "main"
    "#);
}

#[test]
fn an_error_of_syntax_is_told_as_the_parser_has_it() {
    insta::assert_snapshot!(messages("image \"debian\nport {"), @r#"
    error: unexpected newline in single-line quoted string
     --> wharf.kdl:1:7
      |
    1 | image "debian
      |       ^^^^^^^
      |
      = hint: You can make a string multi-line by wrapping it in '"""', with a newline immediately after the opening quotes.

    error: no closing '}' for child block
     --> wharf.kdl:2:6
      |
    2 | port {
      |      ^
    "#);
}

#[test]
fn what_can_never_be_configured_says_why() {
    insta::assert_snapshot!(messages("mount \"/var/run/docker.sock\" \"/engine.sock\"\nprivileged #true\nnetwork \"host\""), @r#"
    error: `mount "/var/run/docker.sock"` can't be configured: who reaches the engine's socket is root on the host
     --> wharf.kdl:1:7
      |
    1 | mount "/var/run/docker.sock" "/engine.sock"
      |       ^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: remove it; nothing makes wharf do this

    error: `privileged` can't be configured: with it, a container is no boundary between what runs in it and the host
     --> wharf.kdl:2:1
      |
    2 | privileged #true
      | ^^^^^^^^^^
      |
      = hint: remove it; nothing makes wharf do this

    error: `network "host"` can't be configured: a container in the host's network reaches every service that the host keeps to itself
     --> wharf.kdl:3:9
      |
    3 | network "host"
      |         ^^^^^^
      |
      = hint: remove it; nothing makes wharf do this
    "#);
}

#[test]
fn the_engines_socket_is_found_under_any_name() {
    for path in
        ["/run/docker.sock", "/run", "/", "/var/run/../run/docker.sock", "~/x/docker.sock", "/srv/engine", "/srv/engine/api.sock"]
    {
        let found = lines(&format!("mount \"{path}\" \"/x\""));
        assert!(found.len() == 1 && found[0].contains("root on the host"), "{path}: {found:?}");
    }
    for path in ["/srv", "/run/user", "~", "data", "/srv/engine2"] {
        let found = lines(&format!("mount \"{path}\" \"/x\""));
        assert_eq!(found.is_empty(), path != "/srv", "{path}: {found:?}");
    }
}

#[test]
fn each_bad_value_has_its_message() {
    let never = "can't be configured: with it, a container is no boundary between what runs in it and the host";
    for (text, message) in [
        ("image", "1:1: `image` needs the name of an image"),
        ("image 4", "1:7: expected a string, found a number"),
        ("image \"a b\"", "1:7: `a b` is not the name of an image"),
        ("image \"a\" \"b\"", "1:11: `image` takes no more than that"),
        ("image \"a\"\nimage \"b\"", "2:1: `image` is written twice"),
        ("image \"a\" {\n  x\n}", "1:1: `image` takes no children"),
        ("user \"a:b\"", "1:6: `a:b` is not a user"),
        ("workspace \"work\"", "1:11: `work` can't be a path in the container"),
        ("workspace \"/\"", "1:11: `/` can't be a path in the container"),
        ("session \"a b\"", "1:9: `a b` is not a name for a session: use letters, digits, `-` and `_`"),
        ("session \"a\" { autostart \"yes\"; }", "1:25: expected `#true` or `#false`, found a string"),
        ("session \"a\"\nsession \"a\"", "2:1: `a` is written twice (before: project wharf.kdl:1)"),
        ("mount \"/data\"", "1:1: `mount` needs a path in the container"),
        ("mount \"~bob/x\" \"/x\"", "1:7: `~bob/x` is not a path"),
        ("mount \"x\" \"/run/wharf/host\"", "1:11: `/run/wharf/host` can't be a path in the container"),
        ("mount \"x\" \"/x\" readonly=1", "1:16: expected `#true` or `#false`, found a number"),
        ("mount \"/a\" \"/x\"\nvolume \"v\" \"/x\"", "2:1: `/x` has a mount already (project wharf.kdl:1)"),
        ("volume \"a/b\" \"/x\"", "1:8: `a/b` is not a name"),
        ("env { \"1X\" \"a\"; }", "1:7: `1X` is not the name of a variable"),
        ("env { HOME \"/\"; }", "1:7: `HOME` is set by wharf"),
        ("env { A 1; }", "1:9: expected a string, found a number"),
        ("env { A \"1\"; inherit \"A\"; }", "1:14: `A` is written twice (before: project wharf.kdl:1)"),
        ("port 0", "1:6: `0` is not a port"),
        ("port \"80\"", "1:6: expected a port, found a string"),
        ("port 80 address=\"localhost\"", "1:9: `localhost` is not an address"),
        ("ssh { port 99999; }", "1:12: `99999` is not a port"),
        ("limits memory=\"4\"", "1:8: `4` is not a size"),
        ("limits memory=\"1KiB\"", "1:8: `1KiB` is too little"),
        ("limits memory=4", "1:8: expected a size, found a number"),
        ("limits shm=\"0B\"", "1:8: `0B` is not a size"),
        ("ulimit \"files\" 5", "1:8: `files` is not known here"),
        ("ulimit \"nofile\"", "1:1: `ulimit` needs a number"),
        ("ulimit \"nofile\" -1", "1:17: -1 is not a limit"),
        ("ulimit \"nofile\" 9 hard=8", "1:1: the limit is above `hard`, which it can't be"),
        ("tmpfs \"/x\"\ntmpfs \"/x\"", "2:1: `/x` is written twice (before: project wharf.kdl:1)"),
        ("mount \"/a\" \"/x\"\ntmpfs \"/x\"", "2:1: `/x` has a mount already (project wharf.kdl:1)"),
        ("volume \"a\" \"/x\"\ntmpfs \"/x\"", "2:1: `/x` has a mount already (project wharf.kdl:1)"),
        ("device \"/etc/passwd\"", "1:8: `/etc/passwd` is not the path of a device"),
        ("device \"/dev/mem\"", &format!("1:8: `device \"/dev/mem\"` {never}")),
        ("capability \"CAP_SYS_ADMIN\"", &format!("1:12: `capability \"SYS_ADMIN\"` {never}")),
        ("capability \"sys_ptrace\"", "1:12: `sys_ptrace` is not a capability"),
        ("host \"a b\" \"10.0.0.5\"", "1:6: `a b` is not the name of a machine"),
        ("host \"db\" \"host-gateway\"", "1:11: `host-gateway` is not an address"),
        ("dns", "1:1: `dns` needs the address of a server"),
        ("hostname \"-x\"", "1:10: `-x` is not the name of a machine"),
        ("limits cpus=0", "1:8: 0 is not a number of CPUs"),
        ("limits pids=0", "1:8: `0` is not a number of processes"),
        ("limits gpus=\"some\"", "1:8: some is not a number of GPUs"),
        ("limits cpus=1 cpus=2", "1:15: `cpus` is written twice"),
        (
            "network \"container:x\"",
            "1:9: `network \"container:x\"` can't be configured: a container in the host's network reaches every service that the host keeps to itself",
        ),
        (
            "network \"none\"",
            "1:9: `network \"none\"` can't be configured: it is one of the engine's own, in which no container has a name",
        ),
        ("network \"a b\"", "1:9: `a b` is not a name"),
        ("on-create", "1:1: `on-create` needs a command"),
        ("on-exit \"sotp\"", "1:9: `sotp` is not known here"),
        ("idle-stop", "1:1: `idle-stop` needs a duration"),
        ("idle-stop 8", "1:11: expected a duration, found a number"),
        ("idle-stop \"8\"", "1:11: `8` is not a duration"),
        ("idle-stop \"1mo\"", "1:11: `1mo` is not a duration"),
        ("idle-stop \"999ms\"", "1:11: `999ms` is too little"),
        ("stop-timeout \"51s\"", "1:14: this is too long"),
        ("session \"db\" { stop-signal \"SIGINT\"; }", "1:28: `SIGINT` is not known here"),
        ("idle-stop \"1h\"\nidle-stop \"2h\"", "2:1: `idle-stop` is written twice"),
        ("mask \"../x\"", "1:6: `../x` is not within the project"),
        ("attach \"ssh\"", "1:8: `ssh` is not known here"),
        ("projects \"~/src\"", "1:1: `projects` is for the global file: a project can't say where others are"),
        ("profile \"a\" { projects \"x\"; }", "1:15: there is no key `projects` here"),
        ("image (u8)\"a\"", "1:1: a type in parentheses means nothing here"),
        ("image \"a\"\nbuild \"b\"", "2:1: `image` and `build` exclude each other (project wharf.kdl:1 and project wharf.kdl:2)"),
        ("image \"a\\u{0}\"", "1:7: a NUL byte can't be part of this"),
    ] {
        assert_eq!(lines(text), [format!("wharf.kdl:{message}")], "{text}");
    }
}

fn config(global: &str, project: &str) -> Config {
    merge([part(Scope::Global, global), part(Scope::Project, project)])
}

#[test]
fn the_nearer_layer_counts_and_lists_are_joined_by_their_keys() {
    // What two files become, but for the user, `on-exit` and `attach`, which are never nothing.
    for (global, project, merged) in [
        ("", "", "image \"wharf-default:latest\""),
        ("image \"a\"", "", "image \"a\""),
        ("image \"a\"", "image \"b\"", "image \"b\""),
        ("image \"a\"", "build \"b\"", "build \"b\""),
        ("build \"b\"", "image \"a\"", "image \"a\""),
        ("workspace \"/a\"", "workspace \"/b\"", "image \"wharf-default:latest\"|workspace \"/b\""),
        ("limits cpus=1 pids=5", "limits cpus=2", "image \"wharf-default:latest\"|limits cpus=2 \\|       pids=5"),
        (
            "port 1; port 2 host=5",
            "port 2; port 3",
            "image \"wharf-default:latest\"|port 1 host=1 address=\"127.0.0.1\"|port 2 host=2 address=\"127.0.0.1\"|port 3 host=3 address=\"127.0.0.1\"",
        ),
        (
            "env { A \"1\"; B \"1\"; }",
            "env { inherit \"A\"; }",
            "image \"wharf-default:latest\"|env {|    inherit \"A\"|    \"B\" \"1\"|}",
        ),
        ("mount \"/a\" \"/x\"", "mount \"/b\" \"/x/\"", "image \"wharf-default:latest\"|mount \"/b\" \"/x\" readonly=#false"),
        ("volume \"v\" \"/x\"", "mount \"/b\" \"/x\"", "image \"wharf-default:latest\"|mount \"/b\" \"/x\" readonly=#false"),
        ("mount \"/b\" \"/x\"", "volume \"v\" \"/x\"", "image \"wharf-default:latest\"|volume \"v\" \"/x\""),
        ("session \"a\" { command \"x\"; }", "session \"a\"", "image \"wharf-default:latest\"|session \"a\""),
        ("limits gpus=1", "", "image \"wharf-default-gpu:latest\"|limits gpus=1"),
        ("image \"a\"", "limits gpus=\"all\"", "image \"a\"|limits gpus=\"all\""),
        ("idle-stop \"2d\"", "", "image \"wharf-default:latest\"|idle-stop \"48h\""),
        ("idle-stop \"2d\"", "idle-stop \"90m\"", "image \"wharf-default:latest\"|idle-stop \"1h 30m\""),
        ("on-create \"a\"", "on-create \"b\"", "image \"wharf-default:latest\"|on-create \"a\"|on-create \"b\""),
    ] {
        let shown = show(&config(global, project));
        let values = shown.lines().map(|line| line.split("  // ").next().unwrap());
        let values: Vec<&str> =
            values.filter(|line| !["user ", "on-exit", "attach "].iter().any(|it| line.starts_with(it))).collect();
        assert_eq!(values.join("|"), merged, "{global} + {project}");
    }
}

#[test]
fn each_value_shows_where_it_was_written() {
    let flags = Part { image: Some(Sourced::flag("alpine".to_owned(), "--image")), ..Part::default() };
    let config = merge([
        part(Scope::Global, "image \"a\"\nlimits cpus=2"),
        part(Scope::Project, "\nport 80\nlimits pids=9\nenv {\n  A \"1\"\n}"),
        flags,
    ]);
    insta::assert_snapshot!(show(&config), @r#"
    image "alpine"  // flag --image
    user "host"  // default
    env {
        "A" "1"  // project wharf.kdl:5
    }
    port 80 host=80 address="127.0.0.1"  // project wharf.kdl:2
    limits cpus=2 \  // global wharf.kdl:2
           pids=9  // project wharf.kdl:3
    on-exit "keep"  // default
    attach "relay"  // default
    "#);
}

#[test]
fn an_untrusted_file_keeps_what_stays_inside() {
    let whole = part(Scope::Project, EVERYTHING);
    let (inside, waiting) = inside_only(whole);
    let waits: Vec<String> = lines_of(EVERYTHING, &waiting).into_iter().map(|(_, line)| line).collect();
    let first_words: Vec<&str> = waits.iter().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(
        first_words,
        [
            "user",
            "mount",
            "mount",
            "env",
            "port",
            "port",
            "ssh",
            "limits",
            "ulimit",
            "device",
            "capability",
            "host-access",
            "network",
            "on-create",
            "on-start",
            "on-exit",
            "allow"
        ]
    );
    let kept = merge([inside.clone()]);
    assert_eq!(kept.image.value, Image::Named("rust:1.95".to_owned()));
    assert_eq!((kept.sessions.len(), kept.volumes.len(), kept.env.len(), kept.masks.len()), (2, 1, 1, 1));
    assert_eq!(kept.limits.memory.as_ref().map(|memory| memory.value), Some(4 << 30));
    assert_eq!((kept.limits.gpus, kept.mounts.len(), kept.ports.len()), (None, 0, 0));
    assert_eq!(kept.idle_stop.map(|limit| limit.to_string()).as_deref(), Some("36h"));
    // Nothing more waits in what was kept.
    assert_eq!(inside_only(inside.clone()), (inside, [].into()));
    let (_, waiting) = inside_only(part(Scope::Project, "build \".\"\nprofile \"a\" {\n  port 80\n}"));
    assert_eq!(waiting, [1, 3].into());
}

#[test]
fn lines_are_told_by_their_numbers() {
    let source = part(Scope::Project, "\n\nimage \"a\"").image.unwrap().from;
    assert!(matches!(&source, Source::File { line: 3, .. }), "{source}");
}
