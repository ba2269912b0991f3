//! R41: who things are run as, where that is neither the host's user nor root.

use crate::config::configured;
use crate::configured::trusted;
use crate::support::{BUSYBOX, DEBIAN, Docker, World, is_root, run_label};

#[test]
fn a_user_of_the_image_is_at_home_there() {
    let world = World::new();
    let text = "user \"www-data\"\nmount \"/usr/share\" \"~/share\" readonly=#true\nvolume \"kept\" \"~/kept\"\n\
                session \"home\" { command \"sh\" \"-c\" \"echo in $PWD; exec cat\"; directory \"~\"; }\n";
    let project = trusted(&world, &format!("image \"{DEBIAN}\"\n{text}"));
    let container = world.open_detached(&project);
    let exec = |script: &str| world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", script]).run();
    let told = exec(
        "id -un; id -u; echo $HOME $USER; grep -c '^www-data:' /etc/passwd; touch ~/x ~/kept/x && ls ~/share | grep -cx doc",
    );
    assert_eq!((told.stdout.as_str(), told.stderr.as_str()), ("www-data\n33\n/var/www www-data\n1\n1\n", ""));
    assert_eq!(Docker::inspect(&container, "{{.Config.User}}"), "33:33");
    world.wharf(["open", "--detach", "--session", "home"]).arg(&project).success();
    crate::support::wait_until("the session", || {
        world.wharf(["capture", "--session", "home"]).arg(&project).success().starts_with("in /var/www")
    });
    // What is in the home volume stays, and the image is not asked for its users a second time.
    world.wharf(["rebuild", "--force"]).arg(&project).success();
    assert_eq!(exec("ls ~ ~/kept").stdout, "/var/www:\nkept\nshare\nx\n\n/var/www/kept:\nx\n");
}

#[test]
fn a_user_that_the_image_lacks_is_told_before_anything_is_made() {
    let world = World::new();
    for (image, hint) in [(BUSYBOX, "it has no /etc/passwd"), (DEBIAN, "its users: root, daemon, bin, sys, sync,")] {
        let project = configured(&world, &format!("image \"{image}\"\nuser \"nod\"\n"));
        world.wharf(["trust"]).arg(&project).success();
        let refusal = world.wharf(["start"]).arg(&project).failure();
        assert!(refusal.starts_with(&format!("error: image `{image}` has no user `nod`\nhint: {hint}")), "{refusal}");
        for kind in ["container", "volume"] {
            assert_eq!(Docker::below(kind, &project), Vec::<String>::new(), "{kind}");
        }
    }
}

#[test]
fn whom_the_image_has_by_the_persons_number_or_name_is_said() {
    let world = World::new();
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let name = std::env::var("USER").unwrap_or_else(|_| "user".to_owned());
    let (image, maker) =
        (format!("wharf-test-namesake-{}", std::process::id()), format!("wharf-namesake-{}", std::process::id()));
    let add = format!(
        "echo other:x:{uid}:{gid}::/: >>/etc/passwd; echo other:x:{gid}: >>/etc/group; echo {name}:x:4711:4711::/: >>/etc/passwd"
    );
    Docker::run(["run", "--name", &maker, &run_label(), DEBIAN, "sh", "-c", &add]);
    Docker::run(["commit", &maker, &image]);
    Docker::run(["rm", &maker]);
    let project = configured(&world, &format!("image \"{image}\"\n"));
    world.wharf(["start"]).arg(&project).success();
    let inspected = world.wharf(["inspect"]).arg(&project).success();
    let user = inspected.lines().find(|line| line.starts_with("user ")).unwrap();
    let replaced = format!(" (in place of the image's other ({uid}), {name} (4711))");
    // Root is who they are in every image.
    assert_eq!(user, format!("user       {uid}:{gid}{}", if is_root() { "" } else { &replaced }));
    if !is_root() {
        let exec = world.wharf(["exec", "--", "id"]).current_dir(&project).success();
        assert!(exec.starts_with(&format!("uid={uid}({name}) gid={gid}({name})")), "{exec}");
    }
    world.wharf(["rm", "--force", "--volumes"]).arg(&project).success();
    Docker::run(["image", "rm", &image]);
}

#[test]
fn volumes_are_the_users_also_where_the_root_is_read_only() {
    let world = World::new();
    let project = configured(&world, &format!("image \"{BUSYBOX}\"\nvolume \"cache\" \"~/cache\"\nvolume \"data\" \"/data\"\n"));
    world.wharf(["start", "--read-only"]).arg(&project).success();
    let written = world.wharf(["exec"]).arg(&project).args(["--", "touch", "/data/x"]).run();
    assert_eq!((written.code, written.stderr.as_str()), (Some(0), ""));
    let written = world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", "touch ~/cache/x"]).run();
    assert_eq!((written.code, written.stderr.as_str()), (Some(0), ""));
}

#[test]
fn what_people_made_of_a_volume_and_the_home_stays_over_a_rebuild() {
    let world = World::new();
    let text = "user \"www-data\"\nmount \"data\" \"~/.config/data\"\nvolume \"db\" \"/srv/db\"\nvolume \"tmp\" \"/var/tmp\"\n";
    let project = trusted(&world, &format!("image \"{DEBIAN}\"\n{text}"));
    std::fs::create_dir(project.join("data")).unwrap();
    for read_only in [&[][..], &["--read-only"]] {
        let container = world.wharf(["start"]).args(read_only).arg(&project).success();
        let modes = || Docker::shell(&container, "stat -c '%u:%g %a %n' /var/www /var/www/.config /srv/db /var/tmp");
        // What the engine fills from the image is as the image has it, but for its owner.
        assert_eq!(modes(), "33:33 755 /var/www\n33:33 755 /var/www/.config\n33:33 755 /srv/db\n33:33 1777 /var/tmp");
        Docker::shell(&container, "chmod 700 /var/www && chmod 2711 /var/www/.config && chmod 750 /srv/db");
        // In the container, nobody may.
        Docker::run(["run", "--rm", "--volume", &format!("{container}-db:/db"), BUSYBOX, "chown", "0:7", "/db"]);
        let before = modes();
        world.wharf(["rebuild", "--force"]).arg(&project).success();
        assert_eq!(modes(), before);
        world.wharf(["rm", "--force", "--volumes"]).arg(&project).success();
    }
}

#[test]
fn a_volume_of_roots_is_whoever_root_has_given_it_to() {
    let world = World::new();
    let project = trusted(&world, &format!("image \"{BUSYBOX}\"\nuser \"root\"\nvolume \"db\" \"/db\"\n"));
    let container = world.wharf(["start"]).arg(&project).success();
    Docker::shell(&container, "chown 999:999 /db && chmod 700 /db && chmod 750 /root");
    world.wharf(["rebuild"]).arg(&project).success();
    assert_eq!(Docker::shell(&container, "stat -c '%u:%g %a' /db /root"), "999:999 700\n0:0 750");
}

#[test]
fn a_list_of_users_that_nobody_could_hold_is_not_read() {
    let world = World::new();
    let project = world.project("api");
    let image = format!("wharf-test-users-{}:latest", std::process::id());
    let made = Docker::run(["create", BUSYBOX, "sh", "-c", "true"]);
    let passwd = world.root().join("passwd");
    std::fs::File::create(&passwd).unwrap().set_len(2 << 20).unwrap();
    Docker::run(["cp", passwd.to_str().unwrap(), &format!("{made}:/etc/passwd")]);
    Docker::run(["commit", &made, &image]);
    Docker::run(["rm", &made]);
    let refusal = world.wharf(["start", "--image", &image]).arg(&project).run();
    Docker::run(["rmi", &image]);
    assert_eq!(refusal.code, Some(1));
    assert!(refusal.stderr.starts_with("error: could not read `/etc/passwd` of container `wharf-api-"), "{}", refusal.stderr);
    assert!(refusal.stderr.ends_with("`: it has more than 1048576 bytes\n"), "{}", refusal.stderr);
}
