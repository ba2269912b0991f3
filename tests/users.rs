//! R41: who things are run as, where that is neither the host's user nor root.

use crate::config::configured;
use crate::configured::trusted;
use crate::support::{BUSYBOX, DEBIAN, Docker, World};

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
fn volumes_are_the_users_also_where_the_root_is_read_only() {
    let world = World::new();
    let project = configured(&world, &format!("image \"{BUSYBOX}\"\nvolume \"cache\" \"~/cache\"\nvolume \"data\" \"/data\"\n"));
    world.wharf(["start", "--read-only"]).arg(&project).success();
    let written = world.wharf(["exec"]).arg(&project).args(["--", "touch", "/data/x"]).run();
    assert_eq!((written.code, written.stderr.as_str()), (Some(0), ""));
    let written = world.wharf(["exec"]).arg(&project).args(["--", "sh", "-c", "touch ~/cache/x"]).run();
    assert_eq!((written.code, written.stderr.as_str()), (Some(0), ""));
}
