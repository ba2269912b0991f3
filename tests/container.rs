//! R40, R41, R43: what a container gets from the host.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{DEBIAN, Docker, Place, World, binary, wait_until};

#[test]
fn the_project_is_mounted_read_write_at_its_own_path() {
    let world = World::new();
    let project = world.project("api");
    fs::write(project.join("from-host"), "host").unwrap();
    let container = world.open_detached(&project);
    assert_eq!(Docker::shell(&container, "pwd; cat from-host"), format!("{}\nhost", project.display()));
    Docker::shell(&container, "echo inside >from-inside");
    assert_eq!(fs::read_to_string(project.join("from-inside")).unwrap(), "inside\n");
}

#[test]
fn the_project_can_be_mounted_elsewhere() {
    let world = World::new();
    let project = world.project("api");
    world.wharf(["open", "--detach", "--workspace", "/workspace/"]).arg(&project).success();
    let container = world.container_of(&project);
    assert_eq!(Docker::shell(&container, "pwd; echo x >made; ls"), "/workspace\nmade");
    assert!(project.join("made").exists());
    assert_eq!(Docker::shell(&container, "readlink /proc/$(pgrep -x bash)/cwd"), "/workspace");
}

#[test]
fn git_works_in_a_worktree() {
    let world = World::new();
    let (_, topic) = world.worktree();
    let container = world.open_detached(&topic);
    assert_eq!(Docker::shell(&container, "git status --short --branch"), "## topic");
    assert_eq!(Docker::shell(&container, "git log --format=%s"), "first");
}

#[test]
fn what_is_written_inside_belongs_to_the_hosts_user() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    assert_eq!(Docker::shell(&container, "echo $(id -u):$(id -g)"), format!("{uid}:{gid}"));
    let expected = if uid == 0 { "root".to_owned() } else { std::env::var("USER").unwrap() };
    assert_eq!(Docker::shell(&container, "whoami; echo $USER"), format!("{expected}\n{expected}"));
    assert_eq!(Docker::shell(&container, "test -w ~ && cd && pwd"), Docker::shell(&container, "echo $HOME"));
    Docker::shell(&container, "touch made");
    let made = project.join("made").metadata().unwrap();
    assert_eq!((made.uid(), made.gid()), (uid, gid));
}

#[test]
fn a_project_below_the_home_directory_leaves_the_way_there_writable() {
    let world = World::new();
    let user = if rustix::process::getuid().is_root() { "root".to_owned() } else { std::env::var("USER").unwrap() };
    let home = if user == "root" { "/root".to_owned() } else { format!("/home/{user}") };
    let project = world.project("api");
    world.wharf(["open", "--detach", "--workspace", &format!("{home}/src/work/api")]).arg(&project).success();
    let container = world.container_of(&project);
    assert_eq!(Docker::shell(&container, "touch ~/src/here ~/src/work/there && pwd"), format!("{home}/src/work/api"));
}

#[test]
fn each_attach_brings_its_own_terminal() {
    let world = World::new();
    let project = world.project("api");
    let of_terminal = [
        ("TERM", "tmux-256color"),
        ("TZ", "America/Lima"),
        ("COLORTERM", "24bit"),
        ("LANG", "de_DE.UTF-8"),
        ("SSH_AUTH_SOCK", "/nonexistent/agent"),
    ];
    let mut open = world.wharf(["open", "--detach"]).arg(&project);
    for (name, value) in of_terminal {
        open = open.env(name, value);
    }
    open.success();
    let container = world.container_of(&project);
    // What it was created with is there for good: of those, only what the image has itself.
    let variables = |of: &str| -> Vec<String> { serde_json::from_str(&Docker::inspect(of, "{{json .Config.Env}}")).unwrap() };
    let of_image = variables(DEBIAN);
    let created_with = variables(&container).into_iter().filter(|pair| !of_image.contains(pair));
    let names: Vec<String> = created_with.filter_map(|pair| Some(pair.split_once('=')?.0.to_owned())).collect();
    for (name, _) in of_terminal {
        assert!(!names.iter().any(|created| created == name), "{name}: {names:?}");
    }

    // One that the image has.
    Docker::run(["exec", "--user=0", &container, "cp", "-r", "/usr/lib/locale/C.utf8", "/usr/lib/locale/nb_NO.utf8"]);
    let host = world.host();
    for (term, rest) in [
        ("tmux-256color", ["TZ=Asia/Tokyo", "COLORTERM=truecolor", "LANG=C.UTF-8"]),
        ("xterm-256color", ["TZ=Europe/Oslo", "COLORTERM=yes", "LANG=nb_NO.UTF-8"]),
    ] {
        let environment = format!("TERM={term} {}", rest.join(" "));
        let attach = format!("exec env {environment} '{}' attach '{}'", binary().display(), project.display());
        let pane = host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", &attach]);
        wait_until("the attached client", || Docker::inner_clients(&container) == [term]);
        for pair in rest {
            let name = pair.split_once('=').unwrap().0;
            assert_eq!(Docker::inner_tmux(&container, &["show-environment", "-t", "main", name]), pair);
        }
        host.tmux(["kill-pane", "-t", &pane]);
        wait_until("no client to be left", || Docker::inner_clients(&container).is_empty());
    }
}

#[test]
fn a_locale_that_the_image_lacks_is_one_that_it_has() {
    let place = Place::opened();
    let script = "echo $LANG $LC_ALL $LC_CTYPE; perl -e 'print 42'; locale charmap";
    let exec = place.world.wharf(["exec", "--", "bash", "-c", script]).current_dir(&place.project);
    let exec = exec.env("LANG", "de_DE.UTF-8").env("LC_ALL", "nb_NO.UTF-8").env("LC_CTYPE", "POSIX");
    // And nobody complains on standard error.
    assert_eq!(exec.success(), "C.UTF-8 C.UTF-8 C.UTF-8\n42UTF-8");
}

#[test]
fn an_unknown_terminal_attaches_all_the_same() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let attach = format!("exec env TERM=xterm-kitty '{}' attach '{}'", binary().display(), project.display());
    host.tmux(["new-window", "-t", "main:", &attach]);
    wait_until("the attached client", || Docker::inner_clients(&container) == ["xterm-256color"]);
}

/// A real ssh-agent, ended with the test.
struct Agent {
    process: std::process::Child,
    socket: String,
}

impl Agent {
    fn start(world: &World, name: &str) -> Self {
        let socket = world.root().join(name).to_str().unwrap().to_owned();
        let process = Command::new("ssh-agent").args(["-D", "-a", &socket]).stdout(Stdio::null()).spawn().unwrap();
        wait_until("the agent's socket", || Path::new(&socket).exists());
        Self { process, socket }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The agent protocol's request for identities, and the answer of an agent that has none (draft-miller-ssh-agent).
const ASK_AGENT: &str = r#"perl -MIO::Socket::UNIX -e '
    my $s = IO::Socket::UNIX->new(Peer => $ENV{SOCK}) or do { print "none"; exit };
    syswrite $s, "\0\0\0\1\x0b"; sysread $s, my $answer, 64; print unpack("H*", $answer)'"#;

#[test]
fn the_agent_of_the_last_terminal_is_within_reach() {
    let world = World::new();
    let project = world.project("api");
    let container = world.open_detached(&project);
    let host = world.host();
    let ask = || Docker::shell(&container, &format!("SOCK=/run/wharf/host/agent.sock; export SOCK; {ASK_AGENT}; true"));
    assert_eq!(ask(), "none");

    let attach = |agent: &Agent| {
        let line = format!("exec env SSH_AUTH_SOCK='{}' '{}' attach '{}'", agent.socket, binary().display(), project.display());
        host.tmux(["new-window", "-P", "-F", "#{pane_id}", "-t", "main:", &line])
    };
    let (one, two) = (Agent::start(&world, "one.sock"), Agent::start(&world, "two.sock"));
    attach(&one);
    wait_until("the first agent", || ask() == "000000050c00000000");
    let second = attach(&two);
    wait_until("both clients", || Docker::inner_clients(&container).len() == 2);
    drop(one);
    // The newest terminal's agent answers, and after it is gone nobody does until another attaches.
    wait_until("the second agent", || ask() == "000000050c00000000");
    host.tmux(["kill-pane", "-t", &second]);
    wait_until("no agent", || ask() != "000000050c00000000");
    let inside = Docker::inner_tmux(&container, &["show-environment", "-t", "main", "SSH_AUTH_SOCK"]);
    assert_eq!(inside, "SSH_AUTH_SOCK=/run/wharf/host/agent.sock");
}
