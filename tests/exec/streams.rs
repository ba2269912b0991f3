//! What goes in and comes out: standard input, output and errors, and the words of the command.

use std::fs;

use super::{WAYS, noise, sha256};
use crate::support::{Place, Talk, wait_until};

#[test]
fn input_arrives_byte_for_byte() {
    let place = Place::started();
    let much = noise(10_000_000);
    let every_byte: Vec<u8> = [b"\x01\x02\0\x1b[9999~\x04\x1a\r\n".to_vec(), (0..=255).rev().collect()].concat();
    for way in WAYS {
        let mut sum = Talk::start(place.exec(way, &["sha256sum"]));
        sum.feed(much.clone());
        assert_eq!(String::from_utf8(sum.end().stdout).unwrap(), format!("{}  -\n", sha256(&much)), "{way}");
        let mut cat = Talk::start(place.exec(way, &["cat"]));
        cat.feed(every_byte.clone());
        assert_eq!(cat.end().stdout, every_byte, "{way}");
    }
}

#[test]
fn what_goes_in_and_comes_out_at_once_is_all_there() {
    let place = Place::started();
    let much = noise(10_000_000);
    for way in WAYS {
        let mut cat = Talk::start(place.exec(way, &["cat"]));
        cat.feed(much.clone());
        let ended = cat.end();
        assert_eq!((ended.code, sha256(&ended.stdout)), (Some(0), sha256(&much)), "{way}");
    }
}

#[test]
fn an_answer_comes_while_the_input_stays_open() {
    let place = Place::started();
    for way in WAYS {
        let mut cat = Talk::start(place.exec(way, &["cat"]));
        for line in ["one\n", "two\n"] {
            cat.say(line);
            cat.wait_for_output(line);
        }
        cat.feed(Vec::new());
        let ended = cat.end();
        assert_eq!((ended.code, ended.stdout.as_slice()), (Some(0), &b"one\ntwo\n"[..]), "{way}");
    }
}

#[test]
fn input_that_is_closed_at_once_is_at_its_end() {
    let place = Place::started();
    for way in WAYS {
        let mut cat = Talk::start(place.exec(way, &["cat"]));
        cat.feed(Vec::new());
        let ended = cat.end();
        assert_eq!((ended.code, ended.stdout.len(), ended.stderr.as_str()), (Some(0), 0, ""), "{way}");
    }
}

#[test]
fn output_and_errors_stay_apart() {
    let place = Place::started();
    for way in WAYS {
        let outcome = place.sh(way, "for n in 1 2 3; do echo out $n; echo err $n >&2; done").run();
        assert_eq!(outcome.stdout, "out 1\nout 2\nout 3\n", "{way}");
        assert_eq!(outcome.stderr, "err 1\nerr 2\nerr 3\n", "{way}");
    }
}

#[test]
fn large_output_is_intact() {
    let place = Place::started();
    let much = noise(50_000_000);
    fs::write(place.project.join("much"), &much).unwrap();
    for way in WAYS {
        let ended = Talk::start(place.sh(way, "cat much; echo end >&2; exit 3")).end();
        assert_eq!((ended.code, ended.stdout.len(), ended.stderr.as_str()), (Some(3), much.len(), "end\n"), "{way}");
        assert_eq!(sha256(&ended.stdout), sha256(&much), "{way}");
    }
}

#[test]
fn arguments_arrive_as_they_are() {
    let place = Place::started();
    let words = ["a b", "", "it's", "\"q\"", "two\nlines", "$HOME", ";", "a;b", "--", "-x", "größe", "\t", "*", "\\", "#{pid}"];
    for way in WAYS {
        let printed = place.exec(way, &["printf", "<%s>"]).args(words).success();
        assert_eq!(printed, words.map(|word| format!("<{word}>")).concat(), "{way}");
    }
}

#[test]
fn a_program_need_not_read_its_input() {
    let place = Place::started();
    for way in WAYS {
        let mut talk = Talk::start(place.sh(way, "echo started; until [ -e go ]; do sleep 0.05; done; echo done; exit 5"));
        talk.feed(noise(10_000_000));
        talk.wait_for_output("started");
        wait_until("as much input as is taken ahead", || talk.fed() >= 256 * 1024);
        fs::write(place.project.join("go"), "").unwrap();
        let ended = talk.end();
        assert_eq!((ended.code, ended.stdout.as_slice()), (Some(5), &b"started\ndone\n"[..]), "{way}");
        fs::remove_file(place.project.join("go")).unwrap();
    }
}

#[test]
fn a_program_that_closes_its_input_takes_no_more() {
    let place = Place::started();
    for way in WAYS {
        let mut talk =
            Talk::start(place.sh(way, "head -c 1000000 | wc -c; exec <&-; until [ -e go ]; do sleep 0.05; done; exit 6"));
        talk.feed(noise(10_000_000));
        talk.wait_for_output("1000000");
        assert!(talk.fed() < 5_000_000);
        fs::write(place.project.join("go"), "").unwrap();
        assert_eq!(talk.end().code, Some(6), "{way}");
        fs::remove_file(place.project.join("go")).unwrap();
    }
}
