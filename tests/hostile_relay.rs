//! What a hostile program in a container can do in the relay's place: the host's side ends with a clear error, soon, and
//! the terminal obeys nothing of it.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::support::relay::{HELLO, Liar, NO_ENGINE, ends, frame, shared};
use crate::support::{BUSYBOX, Docker, World, run};

/// A project whose container runs, and whose relay's place is free to be taken.
struct Stage {
    world: World,
    project: PathBuf,
    container: String,
    shared: PathBuf,
}

impl Stage {
    fn set() -> Self {
        let world = World::new();
        let project = world.project("api");
        let container = world.wharf(["start", "--image", BUSYBOX]).arg(&project).success();
        let shared = shared(&world, &container);
        Self { world, project, container, shared }
    }

    fn lie(&self, answer: impl Fn(&mut UnixStream) + Send + Sync + 'static) -> Liar {
        Liar::greets(&self.shared, &self.world, answer)
    }

    /// Fails in time, with one line and a hint.
    #[track_caller]
    fn fails(&self, verb: &[&str]) -> String {
        let outcome = ends(self.world.wharf(verb).current_dir(&self.project));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""), "{verb:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains(|c: char| c.is_control() && c != '\n'), "{verb:?}: {:?}", outcome.stderr);
        let lost = format!("error: lost the connection to container `{}`: ", self.container);
        let (why, hint) = outcome.stderr.strip_prefix(&lost).and_then(|rest| rest.split_once('\n')).unwrap_or_else(|| {
            panic!("{verb:?}: {}", outcome.stderr);
        });
        assert_eq!(hint, "hint: `wharf attach` gets in again\n", "{verb:?}");
        why.to_owned()
    }
}

fn chatter(stream: &mut UnixStream) {
    let piece = frame(b'o', &vec![b'x'; 64 * 1024]);
    while stream.write_all(&piece).is_ok() {}
}

#[test]
fn endless_output_is_no_answer_and_is_not_kept() {
    let stage = Stage::set();
    let _liar = stage.lie(chatter);
    for verb in ["wait", "sessions", "capture"] {
        assert_eq!(stage.fails(&[verb]), "it printed more than 64 MiB", "{verb}");
    }

    // All that it takes meanwhile is bounded too.
    let mut capture = stage.world.command("sh");
    let wharf = stage.world.wharf(["capture"]).into_command();
    capture.current_dir(&stage.project).args(["-c", "ulimit -v 500000; exec \"$0\" capture"]).arg(wharf.get_program());
    let output = run(&mut capture);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("it printed more than 64 MiB"), "{error}");
}

#[test]
fn frames_that_are_too_long_or_are_none_end_it() {
    let stage = Stage::set();
    for (bytes, why) in [
        (b"S\xff\xff\xff\xff[".to_vec(), "a frame is too long"),
        (b"S\0\x20\0\x01[".to_vec(), "a frame is too long"),
        (frame(b'?', b""), "a frame is of no known kind"),
        (frame(b'X', b"1"), "a frame has the wrong length"),
        (frame(b'S', b"[{"), "a frame does not read as what it says it is"),
        (HELLO.to_vec(), "the relay's answer is not one to what was asked"),
    ] {
        let _liar = stage.lie(move |stream| {
            let _ = stream.write_all(&bytes);
            let _ = std::io::copy(stream, &mut std::io::sink());
        });
        assert_eq!(stage.fails(&["wait"]), why);
    }
    // One that is announced, and never comes.
    let _liar = stage.lie(|stream| {
        let _ = stream.write_all(b"S\0\x1f\xff\xff[");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    assert_eq!(stage.fails(&["wait"]), "its relay did not answer within 10 s");
}

#[test]
fn nobody_waits_for_one_that_greets_and_says_no_more() {
    let stage = Stage::set();
    let _liar = stage.lie(|stream| drop(std::io::copy(stream, &mut std::io::sink())));
    let project = stage.project.to_str().unwrap();
    let verbs: [(&[&str], u8); 5] =
        [(&["wait"], 10), (&["sessions"], 10), (&["capture"], 10), (&["send", project, "text"], 10), (&["open", "--detach"], 10)];
    let stage = &stage;
    thread::scope(|scope| {
        for (verb, seconds) in verbs {
            let why = format!("its relay did not answer within {seconds} s");
            scope.spawn(move || assert_eq!(stage.fails(verb), why, "{verb:?}"));
        }
        scope.spawn(move || {
            let outcome = ends(stage.world.wharf(["list"]));
            assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
            let row = outcome.stdout.lines().find(|line| line.contains(project)).unwrap();
            assert_eq!(row.split_whitespace().take(3).collect::<Vec<_>>(), ["api", "running", "?"]);
        });
    });
}

#[test]
fn nobody_waits_for_one_that_reads_nothing() {
    let stage = Stage::set();
    let _liar = Liar::at(&stage.shared.join("relay.sock"), &stage.world, |mut stream| {
        let _ = stream.write_all(HELLO);
        thread::sleep(Duration::from_secs(60));
    });
    let script = "head -c 10000000 /dev/zero | \"$0\" send \"$1\"";
    let wharf = stage.world.wharf([""]).into_command();
    let mut send = stage.world.command("timeout");
    send.args(["20", "sh", "-c", script]).arg(wharf.get_program()).arg(&stage.project);
    let error = String::from_utf8(run(&mut send).stderr).unwrap();
    assert!(error.contains("its relay did not answer within 10 s"), "{error}");

    // More words than a socket holds: that they are not read shows before anything runs.
    let words = vec!["x".repeat(100_000); 10];
    let words: Vec<&str> = ["exec", "--", "echo"].into_iter().chain(words.iter().map(String::as_str)).collect();
    assert_eq!(stage.fails(&words), "its relay did not answer within 2 s");
}

#[test]
fn what_it_says_is_shown_on_one_line_and_not_obeyed() {
    let stage = Stage::set();
    let reason = format!("no\r\n\x1b[2J\x1b]0;owned\x07 \u{9b}31m\u{202e}{}", "x".repeat(1 << 20));
    let refusal = frame(b'N', reason.as_bytes());
    let _liar = stage.lie(move |stream| drop(stream.write_all(&refusal)));
    let shown: String = format!("no [2J ]0;owned 31m {}", "x".repeat(500)).chars().take(500).chain(['…']).collect();
    let project = stage.project.to_str().unwrap();
    for verb in [&["sessions"][..], &["exec", "--", "true"], &["capture"], &["send", project, "text"], &["wait"]] {
        assert_eq!(stage.fails(verb), shown, "{verb:?}");
    }
    // Nor is it lost where most of the input was not read.
    let sent = stage.world.wharf(["send", project]).input(vec![b'x'; 4 << 20]).failure();
    assert!(sent.contains(&shown), "{sent}");

    // As the tmux inside, when that fails.
    let complaint = [frame(b'e', reason.as_bytes()), frame(b'X', &1_i32.to_be_bytes())].concat();
    let _liar = stage.lie(move |stream| drop(stream.write_all(&complaint)));
    let error = stage.world.wharf(["open", "--detach"]).arg(&stage.project).failure();
    assert!(!error.contains(|c: char| c.is_control() && c != '\n'), "{error:?}");
    assert!(error.lines().all(|line| line.chars().count() < 700), "{error}");
}

#[test]
fn a_plain_capture_holds_no_control_characters() {
    let stage = Stage::set();
    let screen = "one\n\x1b]52;c;cm0gLXJmIH4=\x07two\r\n\u{9b}2Jthree\n";
    let answer = [frame(b'o', screen.as_bytes()), frame(b'X', &0_i32.to_be_bytes())].concat();
    let _liar = stage.lie(move |stream| drop(stream.write_all(&answer)));
    let printed = stage.world.wharf(["capture"]).current_dir(&stage.project).success();
    assert_eq!(printed, "one\n]52;c;cm0gLXJmIH4=two\n2Jthree");
    // Whoever asks for escape sequences gets them.
    assert_eq!(stage.world.wharf(["capture", "--escapes"]).current_dir(&stage.project).run().stdout, screen);
}

#[test]
fn names_that_are_none_are_not_taken_for_sessions() {
    let stage = Stage::set();
    for name in [r"\u001b[2J", "", "a b", "#(touch x)", "-t", &"x".repeat(65)] {
        let session = format!(r#"[{{"name":"{name}","created":1,"activity":1,"attached":0,"bell":false}}]"#);
        let _liar = stage.lie(move |stream| drop(stream.write_all(&frame(b'S', session.as_bytes()))));
        assert_eq!(stage.fails(&["wait"]), "a frame does not read as what it says it is", "{name}");
    }
    // As the tmux inside would print them: people may have made them, so they are shown, and nothing in them is obeyed. Numbers
    // out of all bounds are only numbers.
    // A title's length, the title and the name, then fourteen words, which can be empty.
    let (none, rest) = (" ".repeat(11), " ".repeat(9));
    let printed = format!("0  \x1b[2J 1 1 0{none}\n0  -t 1 1 0{none}\n0  main {} -1 4294967295 ! 2147483647{rest}\n", i64::MAX);
    let answer = [frame(b'o', printed.as_bytes()), frame(b'X', &0_i32.to_be_bytes())].concat();
    let _liar = stage.lie(move |stream| drop(stream.write_all(&answer)));
    let table = stage.world.wharf(["sessions"]).current_dir(&stage.project).env("TZ", "UTC").success();
    let expected = "SESSION    ATTACHED    CREATED              BELL  STATE   EXIT CODE\n\
                    \\u{1b}[2J  0           1970-01-01 00:00:01  -     done    -\n\
                    -t         0           1970-01-01 00:00:01  -     done    -\n\
                    main       4294967295  -                    yes   failed  2147483647";
    assert_eq!(table, expected);
}

#[test]
fn a_tmux_that_was_killed_is_not_one_without_sessions() {
    let stage = Stage::set();
    let _liar = stage.lie(|stream| drop(stream.write_all(&frame(b'X', &137_i32.to_be_bytes()))));
    let error = stage.world.wharf(["sessions"]).current_dir(&stage.project).failure();
    let reason = "tmux ended with exit code 137, and said nothing";
    assert_eq!(error, format!("error: could not list the sessions in container `{}`: {reason}\n", stage.container));
}

#[test]
fn a_claim_to_be_of_another_project_is_not_believed() {
    let stage = Stage::set();
    let other = stage.world.project("other");
    stage.world.wharf(["start", "--image", BUSYBOX]).arg(&other).success();
    let claims = move |project: &Path| {
        let claim = format!(r#"{{"project":"{}"}}"#, project.display());
        let hello = frame(b'H', &[b"wharf\0\x01", claim.as_bytes()].concat());
        move |mut stream: UnixStream| {
            let _ = stream.write_all(&[hello.clone(), frame(b'X', &0_i32.to_be_bytes())].concat());
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    };
    // By its name, so that only the relay or the engine can say which project it is.
    let sessions = || stage.world.wharf(["sessions", &stage.container]).env("DOCKER_HOST", NO_ENGINE);
    let socket = stage.shared.join("relay.sock");
    let _liar = Liar::at(&socket, &stage.world, claims(&stage.project));
    assert_eq!(sessions().success(), format!("no session runs in container {}", stage.container));
    let _liar = Liar::at(&socket, &stage.world, claims(&other));
    let error = sessions().failure();
    assert!(error.starts_with("error: no container engine at `/nonexistent/docker.sock`: "), "{error}");
}

#[test]
fn a_relay_of_another_version_is_gone_around() {
    let stage = Stage::set();
    // The relay inside keeps its own directory, and cannot take this place back.
    fs::rename(&stage.shared, stage.world.root().join("moved")).unwrap();
    fs::create_dir(&stage.shared).unwrap();
    let liar = Liar::at(&stage.shared.join("relay.sock"), &stage.world, |mut stream| {
        let _ = stream.write_all(b"H\0\0\0\x0bwharf\0\x09\x1b[1m");
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let outcome = ends(stage.world.wharf(["exec", "--", "hostname"]).current_dir(&stage.project));
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "api\n", ""));
    assert!(liar.visitors() > 0);
}

#[test]
fn where_even_the_tools_are_of_another_version_the_error_says_so() {
    let stage = Stage::set();
    // A container of this project as another wharf would have made it: a relay is all that its tools are.
    let format = "{{range $name, $value := .Config.Labels}}{{$name}}={{$value}}\n{{end}}";
    let labels = Docker::inspect(&stage.container, format);
    Docker::run(["rm", "--force", &stage.container]);
    let tools = stage.world.root().join("tools");
    fs::create_dir(&tools).unwrap();
    fs::write(
        tools.join("wharf"),
        "#!/bin/sh\n[ \"$2\" = --stdio ] || exit 1\nprintf 'H\\0\\0\\0\\013wharf\\0\\011\\033[1m'\ncat >/dev/null\n",
    )
    .unwrap();
    fs::set_permissions(tools.join("wharf"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut create = vec!["run".to_owned(), "--detach".to_owned(), "--init".to_owned(), "--name".to_owned()];
    create.push(stage.container.clone());
    for label in labels.lines().filter(|label| !label.starts_with("wharf.tools")) {
        create.extend(["--label".to_owned(), label.to_owned()]);
    }
    create.extend(["--label".to_owned(), "wharf.tools=static".to_owned(), "--volume".to_owned()]);
    create.push(format!("{}:/run/wharf/tools:ro", tools.display()));
    create.extend([BUSYBOX, "sleep", "infinity"].map(str::to_owned));
    Docker::run(create);

    let outcome = ends(stage.world.wharf(["sessions"]).current_dir(&stage.project));
    let expected = format!(
        "error: could not get into container `{}`: its relay speaks version 9 of the protocol, and this wharf 2\n\
         hint: update wharf\n",
        stage.container
    );
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr), (Some(1), "", expected));
}
