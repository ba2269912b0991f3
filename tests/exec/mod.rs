//! R21: a program in the container is as one that is run here: what goes in, what comes out, and how it ends.

mod ends;
mod streams;
mod terminal;

use std::fs;
use std::thread;

use sha2::{Digest, Sha256};

use crate::support::{Docker, Place, Run, Talk, World};

const WAYS: [&str; 2] = ["relay", "exec"];

impl Place {
    fn exec(&self, way: &str, command: &[&str]) -> Run {
        self.world.wharf(["exec", "--"]).args(command).current_dir(&self.project).env("WHARF_ATTACH", way)
    }

    fn sh(&self, way: &str, script: &str) -> Run {
        self.exec(way, &["sh", "-c", script])
    }

    /// Whether a program of exactly these words runs in the container.
    fn runs(&self, words: &str) -> bool {
        self.programs().iter().any(|program| program.split_once(' ').is_some_and(|(_, program)| program == words))
    }

    /// Where the kernel keeps each program waiting, and its words.
    fn programs(&self) -> Vec<String> {
        let each = "for it in /proc/[0-9]*; do echo $(cat $it/wchan) $(tr '\\0' ' ' <$it/cmdline); done 2>/dev/null";
        let listed = Docker::shell(&self.container, each);
        listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }
}

/// Bytes that no mistake leaves as they are: pieces that are lost, repeated or swapped show.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_exit_code_is_the_programs() {
    let place = Place::started();
    for way in WAYS {
        for (script, code) in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)] {
            let outcome = place.sh(way, script).run();
            assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(code), "", ""), "{way}: {script}");
        }
    }
}

#[test]
fn what_cannot_be_run_says_why() {
    let place = Place::started();
    fs::write(place.project.join("data"), "no program").unwrap();
    for way in WAYS {
        let missing = place.exec(way, &["no-such-program"]).run();
        assert_eq!(missing.code, Some(127), "{way}");
        assert_eq!(missing.stderr, "wharf: there is no program `no-such-program` in the container\n");
        let data = place.exec(way, &["./data"]).run();
        assert_eq!(data.code, Some(126), "{way}");
        assert!(data.stderr.starts_with("wharf: could not run `./data`: "), "{}", data.stderr);
    }
}

#[test]
fn the_directory_is_the_one_at_hand() {
    let place = Place::started();
    let below = place.project.join("a b/größe");
    fs::create_dir_all(&below).unwrap();
    // What makes the directory above the project's root.
    fs::create_dir(place.project.join(".devcontainer")).unwrap();
    for way in WAYS {
        assert_eq!(place.exec(way, &["pwd"]).success(), place.project.to_str().unwrap(), "{way}");
        assert_eq!(place.exec(way, &["pwd"]).current_dir(&below).success(), below.to_str().unwrap(), "{way}");
    }
}

#[test]
fn a_stopped_container_is_started() {
    let place = Place::started();
    for way in WAYS {
        place.world.wharf(["stop"]).arg(&place.project).success();
        assert_eq!(place.exec(way, &["echo", "hi"]).run().stdout, "hi\n", "{way}");
        assert_eq!(Docker::state(&place.container), "running");
    }
}

#[test]
fn without_a_container_there_is_nothing_to_run_in() {
    let world = World::new();
    let project = world.project("api");
    for way in WAYS {
        let exec = world.wharf(["exec", "--", "true"]).current_dir(&project).env("WHARF_ATTACH", way);
        let expected = format!("error: `{}` has no container\nhint: `wharf open` makes one\n", project.display());
        assert_eq!(exec.failure(), expected, "{way}");
    }
}

#[test]
fn fifty_at_once() {
    let place = Place::started();
    for way in WAYS {
        let input = noise(300_000);
        let expected = sha256(&input);
        thread::scope(|scope| {
            let all: Vec<_> = (0..50)
                .map(|number| {
                    let run = place.sh(way, &format!("sha256sum; echo {number} >&2; exit {number}"));
                    let input = input.clone();
                    scope.spawn(move || {
                        let mut talk = Talk::start(run);
                        talk.feed(input);
                        talk.end()
                    })
                })
                .collect();
            for (number, one) in (0..).zip(all) {
                let ended = one.join().unwrap();
                assert_eq!(ended.code, Some(number), "{way}: {}", ended.stderr);
                assert_eq!(String::from_utf8(ended.stdout).unwrap(), format!("{expected}  -\n"), "{way}");
                assert_eq!(ended.stderr, format!("{number}\n"), "{way}");
            }
        });
    }
}
