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
        // These have verbs of their own.
        let verb = if ["config", "image"].contains(&words[0]) { &words[..2] } else { &words[..1] };
        let help = world.wharf(verb).arg("--help").success();
        let known: BTreeSet<&str> = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
        for flag in flags {
            let name = flag.split('=').next().unwrap();
            assert!(known.contains(name), "{line}");
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

#[test]
fn every_configuration_in_the_readme_is_right() {
    let world = World::new();
    let text = readme();
    let snippets: Vec<&str> = text.split("```kdl\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(snippets.len() >= 3);
    for (i, snippet) in snippets.into_iter().enumerate() {
        let file = world.root().join(format!("{i}.kdl"));
        std::fs::write(&file, snippet).unwrap();
        world.wharf(["config", "check"]).arg(&file).success();
    }
}

#[test]
fn every_key_of_the_configuration_is_in_the_readme() {
    let world = World::new();
    let file = world.root().join("wrong.kdl");
    std::fs::write(&file, "x").unwrap();
    let refusal = world.wharf(["config", "check"]).arg(&file).failure();
    let keys = refusal.split("allowed: ").nth(1).unwrap().trim().split(", ").map(|key| format!("`{key}`"));
    let text = readme();
    let documented = text.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    let documented: Vec<String> = documented.map(str::to_owned).collect();
    for key in keys {
        assert!(documented.iter().any(|cell| cell.contains(&key)), "{key}");
    }
}
