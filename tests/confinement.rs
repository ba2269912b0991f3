//! R49: what a container may not do, seen from inside and by docker.

use std::collections::BTreeSet;
use std::fs;

use crate::configured::trusted;
use crate::support::{BUSYBOX, Docker, World};

/// The numbers of capabilities(7), from the kernel's `linux/capability.h`.
const CAPABILITIES: [(u32, &str); 8] = [
    (0, "CHOWN"),
    (1, "DAC_OVERRIDE"),
    (3, "FOWNER"),
    (4, "FSETID"),
    (5, "KILL"),
    (6, "SETGID"),
    (7, "SETUID"),
    (10, "NET_BIND_SERVICE"),
];

/// The numbers of the capabilities in a line of `/proc/self/status`.
fn decoded(status: &str, line: &str) -> Vec<u32> {
    let set = u64::from_str_radix(value(status, line), 16).unwrap();
    (0..64).filter(|bit| set >> bit & 1 == 1).collect()
}

fn value<'a>(status: &'a str, line: &str) -> &'a str {
    status.lines().find_map(|shown| shown.strip_prefix(line)).unwrap().trim_start_matches(':').trim()
}

#[test]
fn every_process_has_few_capabilities_and_gets_no_more() {
    let world = World::new();
    let project = world.project("api");
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let status = ["cat", "/proc/self/status"];
    let within = |verb: &[&str]| world.wharf(verb.iter().chain(["--"].iter()).chain(&status)).current_dir(&project).success();
    let expected: Vec<u32> = CAPABILITIES.iter().map(|(number, _)| *number).collect();
    let uid = rustix::process::getuid().as_raw();
    for (way, status, uid) in [
        ("exec", within(&["exec"]), uid),
        ("run", within(&["run", "--image", BUSYBOX]), uid),
        ("docker exec", Docker::run(["exec", "--user", "0", &container].iter().chain(&status)), 0),
        ("the first process", Docker::shell(&container, "cat /proc/1/status"), uid),
    ] {
        assert_eq!(decoded(&status, "CapBnd"), expected, "{way}");
        assert_eq!(value(&status, "NoNewPrivs"), "1", "{way}");
        // A filter of system calls.
        assert_eq!(value(&status, "Seccomp"), "2", "{way}");
        // Engines give root no capability in the container of somebody else, and what is started there gains none.
        let is_roots = rustix::process::getuid().is_root();
        let effective = if uid == 0 && is_roots { expected.clone() } else { Vec::new() };
        assert_eq!(decoded(&status, "CapEff"), effective, "{way}");
    }
}

#[test]
fn docker_says_the_same() {
    let world = World::new();
    let project = world.project("api");
    let container = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
    let inspect = |format: &str| Docker::inspect(&container, format);
    let names = |format: &str| {
        let listed: Option<Vec<String>> = serde_json::from_str(&inspect(format)).unwrap();
        // Newer engines write the prefix.
        let names = listed.unwrap_or_default().into_iter().map(|name| name.trim_start_matches("CAP_").to_owned());
        names.collect::<BTreeSet<_>>()
    };
    let (added, dropped) = (names("{{json .HostConfig.CapAdd}}"), names("{{json .HostConfig.CapDrop}}"));
    if Docker::is_podman() {
        // It adds both up, and lists what is less than it gives by itself.
        assert!(added.is_empty() && dropped.contains("SYS_CHROOT") && !dropped.contains("CHOWN"), "{added:?} {dropped:?}");
    } else {
        assert_eq!(added, CAPABILITIES.map(|(_, name)| name.to_owned()).into());
        assert_eq!(dropped, ["ALL".to_owned()].into());
    }
    assert!(inspect("{{json .HostConfig.SecurityOpt}}").contains(r#""no-new-privileges""#));
    assert_eq!(inspect("{{.HostConfig.Privileged}}"), "false");
    for mode in ["NetworkMode", "PidMode", "UTSMode", "IpcMode"] {
        assert_ne!(inspect(&format!("{{{{.HostConfig.{mode}}}}}")), "host");
    }
    assert!(!inspect("{{json .Mounts}}").contains("docker.sock"));
}

#[test]
fn what_is_not_allowed_fails_even_for_root() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let as_root = |line: &str| {
        let output = Docker::output(["exec", "--user", "0", &container, "sh", "-c", line]);
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for line in [
        "mknod /tmp/device b 8 0",
        "chroot / true",
        "mount -t tmpfs none /mnt",
        "perl -MSocket -e 'socket(S, AF_INET, SOCK_RAW, 1) or die $!'",
    ] {
        let (succeeded, said) = as_root(line);
        assert!(!succeeded, "{line}");
        let said = said.to_lowercase();
        assert!(said.contains("not permitted") || said.contains("permission denied"), "{line}: {said}");
    }
    // What is setuid makes nobody root.
    assert_eq!(as_root("cp /usr/bin/id /usr/local/bin/rooted && chmod 4755 /usr/local/bin/rooted"), (true, String::new()));
    assert_eq!(Docker::run(["exec", "--user", "12345:12345", &container, "rooted", "-u"]), "12345");
}

/// Makes a package of one file and a script, and installs it as root with these options; what that printed.
fn install(container: &str, file_owner: &str, script: &str, options: &str) -> String {
    let lines = format!(
        "set -e; cd /tmp; mkdir -p pkg/DEBIAN pkg/usr/share/wharf-probe pkg/var/lib/wharf-probe
        printf 'Package: wharf-probe\\nVersion: 1\\nArchitecture: all\\nMaintainer: t <t@example.org>\\nDescription: t\\n' \\
            >pkg/DEBIAN/control
        printf '#!/bin/sh\\nset -e\\n{script}\\n' >pkg/DEBIAN/postinst
        chmod 755 pkg/DEBIAN/postinst
        echo content >pkg/usr/share/wharf-probe/file
        chown {file_owner} pkg/usr/share/wharf-probe/file
        dpkg-deb --build pkg probe.deb
        apt-get {options} install --yes --no-install-recommends ./probe.deb
        stat -c '%U:%G %a' /usr/share/wharf-probe/file /var/lib/wharf-probe
        apt-get {options} remove --purge --yes wharf-probe
        test ! -e /usr/share/wharf-probe/file"
    );
    let frontend = "--env=DEBIAN_FRONTEND=noninteractive";
    let output = Docker::output(["exec", "--user", "0", frontend, container, "sh", "-c", &lines]);
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}{said}");
    printed.into_owned()
}

#[test]
fn root_can_install_packages() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    if rustix::process::getuid().is_root() {
        // Files of others, with special modes, and a script that changes owners: all that package managers need.
        let script = "chown daemon:mail /var/lib/wharf-probe\\nchmod 2750 /var/lib/wharf-probe";
        let printed = install(&container, "daemon", script, "");
        assert!(printed.contains("daemon:root 644\ndaemon:mail 2750\n"), "{printed}");
    } else {
        // Root has no capability here, but still is who owns the image's files.
        let printed = install(&container, "root", "true", "-o APT::Sandbox::User=root");
        assert!(printed.contains("root:root 644\nroot:root 755\n"), "{printed}");
    }
}

#[test]
fn a_debugger_reaches_what_it_starts() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    // What ptrace(2) is allowed is what opening this is allowed; nothing can be read at address 0.
    let probe = "sleep 100 & head -c 1 /proc/$!/mem 2>&1; kill $!";
    let said = Docker::shell(&container, probe);
    assert!(said.ends_with("Input/output error"), "{said}");
}

#[test]
fn a_link_that_a_program_inside_puts_in_the_place_of_a_mount_is_not_followed() {
    let world = World::new();
    let project = trusted(&world, &format!("image \"{BUSYBOX}\"\nmount \"data\" \"/data\"\n"));
    let (data, secret) = (project.join("data"), world.root().join("secret"));
    fs::create_dir(&data).unwrap();
    fs::create_dir(&secret).unwrap();
    let container = world.wharf(["start"]).arg(&project).success();
    Docker::shell(&container, &format!("rmdir data && ln -s '{}' data", secret.display()));
    world.wharf(["stop"]).arg(&project).success();
    let moved = format!(
        "error: `{}`, which container `{container}` mounts, leads to `{}` now\n\
         hint: a program in a container may have put a link there: put back what was there, or `wharf rebuild`\n",
        data.display(),
        secret.display()
    );
    for verb in [&["start"][..], &["open", "--detach"]] {
        assert_eq!(world.wharf(verb).arg(&project).failure(), moved);
    }
    let leads_out = format!(
        "error: `{}` leads out of the project, to `{}`\n\
         hint: a program in the container may have put a link there; if you have, mount `{1}` itself\n",
        data.display(),
        secret.display()
    );
    assert_eq!(world.wharf(["rebuild"]).arg(&project).failure(), leads_out);
    assert_eq!(Docker::state(&container), "exited");
    fs::remove_file(&data).unwrap();
    fs::create_dir(&data).unwrap();
    world.wharf(["start"]).arg(&project).success();
    // A new container follows it as little.
    Docker::shell(&container, &format!("rmdir data && ln -s '{}' data", secret.display()));
    world.wharf(["rm", "--force"]).arg(&project).success();
    assert_eq!(world.wharf(["start"]).arg(&project).failure(), leads_out);
}

#[test]
fn what_a_person_has_behind_a_link_of_their_own_is_mounted_by_its_canonical_path() {
    let world = World::new();
    let home = world.root().join("home");
    fs::create_dir(home.join("really")).unwrap();
    std::os::unix::fs::symlink("really", home.join("cache")).unwrap();
    let project = trusted(&world, &format!("image \"{BUSYBOX}\"\nmount \"~/cache\" \"/cache\"\nmask \".env\"\n"));
    fs::write(project.join(".env"), "").unwrap();
    // So is the directory of wharf's own state.
    std::os::unix::fs::symlink(world.root().join("state"), world.root().join("link")).unwrap();
    let wharf = |verb| world.wharf([verb]).arg(&project).env("XDG_STATE_HOME", world.root().join("link"));
    world.wharf(["trust"]).arg(&project).env("XDG_STATE_HOME", world.root().join("link")).success();
    let container = wharf("start").success();
    let source = "{{range .Mounts}}{{if eq .Destination \"/cache\"}}{{.Source}}{{end}}{{end}}";
    assert_eq!(Docker::inspect(&container, source), home.join("really").display().to_string());
    wharf("stop").success();
    wharf("start").success();
}
