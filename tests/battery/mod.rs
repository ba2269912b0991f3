//! R34: nobody notices the second tmux. Whatever a program prints and a person presses comes out of a wharf pane as it does out of
//! a bare pane of the same tmux.

mod case;
mod cells;
mod given;
mod hostile;
mod pair;
mod printed;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use self::case::Case;
use self::pair::Pair;
use crate::support::{BUSYBOX, DEBIAN, Host, World, repository, wait_for_equal};

/// Where they are listed.
const PAGE: &str = "docs/fidelity.md";

fn cases() -> Vec<Case> {
    [printed::cases(), given::cases(), told::cases()].into_iter().flatten().collect()
}

/// Runs every case; names those that fail.
#[track_caller]
fn compare(cases: &[Case], image: &str, environment: &[&str]) {
    let world = World::new();
    compare_in(&Host::bare(&world), &world, cases, image, environment);
}

#[track_caller]
fn compare_in(host: &Host, world: &World, cases: &[Case], image: &str, environment: &[&str]) {
    let pair = Pair::open(world, host, image, environment);
    let version = version_of(&host.tmux(["display-message", "-p", "#{version}"]));
    let mut failed = Vec::new();
    for case in cases.iter().filter(|case| case.since <= version) {
        if catch_unwind(AssertUnwindSafe(|| case.run(&pair))).is_err() {
            eprintln!("failed: {}", case.name);
            failed.push(case.name);
        }
        // One that leaves a pane in a state of its own makes all that follow fail, each after its deadline.
        if failed.len() > 8 {
            break;
        }
    }
    assert!(failed.is_empty(), "a wharf pane is not like a bare pane in: {}", failed.join(", "));
}

/// `3.3a` is 3.3.
fn version_of(version: &str) -> (u32, u32) {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn a_wharf_pane_is_like_a_bare_pane() {
    compare(&cases(), DEBIAN, &[]);
}

#[test]
fn by_exec_with_a_tmux_of_wharfs_own_in_one_that_is_called_screen() {
    compare(&cases(), BUSYBOX, &["WHARF_ATTACH=exec", "TERM=screen-256color"]);
}

#[test]
fn with_an_unknown_terminal_and_without_a_locale() {
    compare(&cases(), DEBIAN, &["TERM=foo-unknown", "LANG=C", "LC_ALL=POSIX"]);
}

/// Where it has an option for that, from 3.5 on; before, there is one format.
#[test]
fn extended_keys_come_in_the_hosts_format() {
    const KEYS: [&str; 4] = ["S-Tab", "C-Enter, S-Enter", "C-S-a, C-i, C-1", "extended keys, not asked for"];
    let world = World::new();
    let host = Host::bare(&world);
    host.tmux(["set-option", "-sq", "extended-keys-format", "csi-u"]);
    let mut cases = given::cases();
    cases.retain(|case| KEYS.contains(&case.name));
    assert_eq!(cases.len(), KEYS.len());
    cases.insert(
        0,
        case::own("the format", |pair| wait_for_equal("the host's format", &format_of(pair, false), || format_of(pair, true))),
    );
    compare_in(&host, &world, &cases, DEBIAN, &[]);
}

fn format_of(pair: &Pair, is_inside: bool) -> String {
    let ask = ["show-options", "-sqv", "extended-keys-format"];
    if !is_inside {
        return pair.host.tmux(ask);
    }
    let words = ["exec", "battery", "--", "/run/wharf/tools/wharf", "tmux"];
    pair.world.wharf(words.iter().chain(&ask)).success()
}

#[test]
fn the_documentation_names_every_feature() {
    let page = std::fs::read_to_string(repository().join(PAGE)).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    let named: BTreeSet<&str> = rows.flat_map(|(_, features)| features.split(" · ")).collect();
    let oldest = version_of("3.2");
    let cases = cases();
    let missing: Vec<&str> = cases.iter().filter(|case| case.since == oldest).map(|case| case.name).collect();
    let missing: Vec<&str> = missing.into_iter().filter(|name| !named.contains(name)).collect();
    assert!(missing.is_empty(), "not in {PAGE}: {}", missing.join(" · "));
    let newer = newer_features(&cases, oldest);
    assert!(page.contains(&newer), "{PAGE} is to have this table:\n{newer}");
}

/// Those that a later tmux brought, beside the version that did.
fn newer_features(cases: &[Case], oldest: (u32, u32)) -> String {
    let mut by_version = BTreeMap::<_, Vec<&str>>::new();
    for case in cases.iter().filter(|case| case.since > oldest) {
        by_version.entry(case.since).or_default().push(case.name);
    }
    let rows = by_version.iter().map(|((major, minor), names)| format!("| {major}.{minor} | {} |", names.join(" · ")));
    rows.collect::<Vec<_>>().join("\n")
}
