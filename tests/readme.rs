//! What the README says is so.

use std::collections::BTreeSet;

use crate::support::{World, repository};

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The lines of the README's code blocks.
fn code() -> Vec<String> {
    let text = readme();
    let blocks = text.split("```").skip(1).step_by(2);
    blocks.flat_map(|block| block.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn every_command_in_the_readme_is_one() {
    let world = World::new();
    let mut verbs = BTreeSet::new();
    for line in code() {
        let Some(arguments) = line.trim_start_matches("$ ").strip_prefix("wharf ") else {
            continue;
        };
        let command = arguments.split("  ").next().unwrap().replace(['[', ']', '…'], "");
        let words: Vec<&str> = command.split_whitespace().collect();
        verbs.insert(words[0].to_owned());
        let flags = words.iter().take_while(|&&word| word != "--").filter(|word| word.starts_with("--"));
        let help = world.wharf([words[0], "--help"]).success();
        for flag in flags {
            assert!(help.contains(*flag), "{line}");
        }
    }
    let help = world.wharf(["--help"]).success();
    let listed = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1).take_while(|line| !line.is_empty());
    let known: BTreeSet<String> =
        listed.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|verb| verb != "help").collect();
    assert_eq!(verbs, known, "the README shows every command");
}

#[test]
fn every_script_in_the_readme_exists() {
    let scripts: Vec<String> = code()
        .into_iter()
        .filter_map(|line| line.split_whitespace().next().filter(|word| word.starts_with("scripts/")).map(str::to_owned))
        .collect();
    assert!(scripts.len() >= 2, "{scripts:?}");
    for script in scripts {
        assert!(repository().join(&script).is_file(), "{script}");
    }
}
