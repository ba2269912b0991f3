//! How a program ends: by a signal, by its reader's end, by its client's.

use rustix::process::Signal;

use super::{WAYS, noise};
use crate::support::{Docker, Place, Talk, wait_until};

#[test]
fn signals_reach_the_program() {
    let place = Place::started();
    let names = [(Signal::INT, "INT"), (Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::QUIT, "QUIT")];
    for way in WAYS {
        for (signal, name) in names {
            for has_input in [false, true] {
                let script = format!("trap 'echo caught; exit 9' {name}; echo ready; while :; do sleep 0.05; done");
                let mut talk = Talk::start(place.sh(way, &script));
                if has_input {
                    talk.feed(noise(10_000_000));
                    wait_until("as much input as is taken ahead", || talk.fed() >= 256 * 1024);
                }
                talk.wait_for_output("ready");
                talk.signal(signal);
                let ended = talk.end();
                let caught = (ended.code, ended.stdout.as_slice());
                assert_eq!(caught, (Some(9), &b"ready\ncaught\n"[..]), "{way}: {name}, unread input: {has_input}");
            }
        }
        let talk = Talk::start(place.sh(way, "echo ready; exec sleep 1000"));
        talk.wait_for_output("ready");
        talk.signal(Signal::TERM);
        assert_eq!(talk.end().code, Some(143), "{way}");
    }
}

#[test]
fn a_reader_that_stops_does_not_stop_a_signal() {
    let place = Place::started();
    for way in WAYS {
        let mut talk = Talk::start_unread(place.exec(way, &["yes", "wharf"]));
        // Until nothing is read from it any more.
        wait_until("the program to be held up", || {
            place.programs().iter().any(|program| program.ends_with("pipe_write yes wharf"))
        });
        talk.signal(Signal::TERM);
        wait_until("the program's end", || !place.runs("yes wharf"));
        assert!(talk.is_running(), "{way}: what was said before its end is still to be read");
        talk.read_on();
        assert_eq!(talk.end().code, Some(143), "{way}");
    }
}

#[test]
fn a_reader_that_goes_ends_it() {
    let place = Place::started();
    for way in WAYS {
        let mut talk = Talk::start_unread(place.exec(way, &["yes", "wharf"]));
        wait_until("the program", || place.runs("yes wharf"));
        talk.close_stdout();
        assert_eq!(talk.end().code, Some(141), "{way}");
        wait_until("the program's end", || !place.runs("yes wharf"));
    }
}

#[test]
fn a_client_that_is_killed_takes_its_program_along() {
    let place = Place::started();
    for way in WAYS {
        for has_input in [false, true] {
            let mut talk = Talk::start(place.exec(way, &["sleep", "4711"]));
            wait_until("the program", || place.runs("sleep 4711"));
            if has_input {
                talk.feed(noise(10_000_000));
                wait_until("as much input as is taken ahead", || talk.fed() >= 256 * 1024);
            }
            drop(talk);
            wait_until("the program's end", || !place.runs("sleep 4711"));
        }
    }
}

#[test]
fn what_a_program_leaves_behind_holds_nobody_up() {
    let place = Place::started();
    for way in WAYS {
        for left in ["sleep 4712", "yes", "while :; do echo more; sleep 0.02; done"] {
            let ended = Talk::start(place.sh(way, &format!("({left}) & echo $!; exit 4"))).end();
            assert_eq!(ended.code, Some(4), "{way}: {left}");
            let printed = String::from_utf8(ended.stdout).unwrap();
            let id: u32 = printed.lines().find_map(|line| line.parse().ok()).unwrap();
            // It was left, and not ended.
            Docker::output(["exec", &place.container, "kill", &id.to_string()]);
        }
    }
}
