//! What the README and the pages in `docs` say is so.

use std::collections::BTreeSet;
use std::fs;

use crate::support::{Host, World, repository};

/// A page, by its path in the repository.
fn page(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

/// The pages for users.
fn pages() -> Vec<String> {
    let docs = fs::read_dir(repository().join("docs")).unwrap();
    docs.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).chain([page("README.md")]).collect()
}

/// The code blocks of a page in this language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let blocks = text.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    blocks.filter(|(of, _)| *of == language).map(|(_, code)| code).collect()
}

/// The words of the command lines of wharf on a page: what two blanks divide from a line is a comment.
fn commands(page: &str) -> Vec<Vec<String>> {
    let lines = blocks(page, "sh").into_iter().flat_map(str::lines).filter_map(|line| line.strip_prefix("wharf "));
    let commands = lines.map(|line| line.split("  ").next().unwrap().replace(['[', ']', '…'], ""));
    commands.map(|command| command.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn every_command_is_documented_with_flags_that_exist() {
    let world = World::new();
    let help = world.wharf(["--help"]).success();
    let listed = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1).take_while(|line| !line.is_empty());
    let known: BTreeSet<String> =
        listed.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|verb| verb != "help").collect();
    for path in ["README.md", "docs/commands.md"] {
        let mut documented = BTreeSet::new();
        for words in commands(&page(path)) {
            // These have verbs of their own.
            let verb = if ["config", "image"].contains(&words[0].as_str()) { &words[..2] } else { &words[..1] };
            let help = world.wharf(verb).arg("--help").success();
            let exist: BTreeSet<&str> = help.split(|c: char| c.is_whitespace() || c == ',').collect();
            for flag in words.iter().take_while(|word| *word != "--").filter(|word| word.starts_with("--")) {
                assert!(exist.contains(flag.as_str()), "{path}: {words:?}: {flag}");
            }
            documented.insert(words[0].clone());
        }
        assert_eq!(documented, known, "{path}");
    }
}

#[test]
fn every_flag_is_documented() {
    let world = World::new();
    let mut missing = Vec::new();
    for words in commands(&page("docs/commands.md")) {
        let verb = if ["config", "image"].contains(&words[0].as_str()) { &words[..2] } else { &words[..1] };
        let help = world.wharf(verb).arg("--help").success();
        let flags =
            help.lines().filter_map(|line| line.trim_start().strip_prefix("--").or_else(|| line.get(6..)?.strip_prefix("--")));
        let flags = flags.map(|flag| format!("--{}", flag.split_whitespace().next().unwrap()));
        // `attach --create` takes what `open` takes.
        let is_known = |flag: &String| flag == "--help" || words[0] == "attach" || words.contains(flag);
        missing.extend(flags.filter(|flag| !is_known(flag)).map(|flag| format!("{} {flag}", words[0])));
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_script_that_is_named_exists() {
    let mut named = BTreeSet::new();
    for page in pages() {
        let words = page.split(|c: char| !(c.is_ascii_alphanumeric() || "/-_".contains(c)));
        named.extend(words.filter(|word| word.starts_with("scripts/")).map(str::to_owned));
    }
    assert!(named.len() >= 2, "{named:?}");
    for script in named {
        let is_sourced = repository().join(format!("{script}.sh")).is_file();
        assert!(is_sourced || repository().join(&script).is_file(), "{script}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut pages: Vec<String> = fs::read_dir(repository().join("docs"))
        .unwrap()
        .map(|entry| format!("docs/{}", entry.unwrap().file_name().to_str().unwrap()))
        .collect();
    pages.push("README.md".to_owned());
    for path in pages {
        for link in page(&path).split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.as_str().into() } else { std::path::Path::new(&path).with_file_name(file) };
            let text = fs::read_to_string(repository().join(&target)).unwrap_or_else(|_| panic!("{path}: {link}"));
            let headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
            assert!(heading.is_empty() || headings.into_iter().any(|known| known == heading), "{path}: {link}");
        }
    }
}

/// What a heading is called in a link.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_configuration_is_right() {
    let world = World::new();
    let pages = pages();
    let snippets: Vec<&str> = pages.iter().flat_map(|page| blocks(page, "kdl")).collect();
    assert!(snippets.len() >= 3);
    for (i, snippet) in snippets.into_iter().enumerate() {
        let is_global = snippet.lines().any(|line| ["dotfiles ", "projects "].iter().any(|key| line.starts_with(key)));
        let directory = world.project(&i.to_string());
        let file = directory.join(if is_global { "config.kdl" } else { "wharf.kdl" });
        fs::write(&file, snippet).unwrap();
        world.wharf(["config", "check"]).arg(&file).success();
    }
}

#[test]
fn every_key_of_the_configuration_is_documented() {
    let world = World::new();
    let file = world.root().join("wrong.kdl");
    fs::write(&file, "x").unwrap();
    let refusal = world.wharf(["config", "check"]).arg(&file).failure();
    let keys = refusal.split("allowed: ").nth(1).unwrap().trim().split(", ").map(|key| format!("`{key}`"));
    let text = page("docs/configuration.md");
    let documented = text.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    let documented: Vec<String> = documented.map(str::to_owned).collect();
    for key in keys {
        assert!(documented.iter().any(|cell| cell.contains(&key)), "{key}");
    }
}

/// All of them, one after the other, as in one `.tmux.conf`.
#[test]
fn every_piece_of_a_tmux_conf_is_taken() {
    let world = World::new();
    let host = Host::bare(&world);
    let plugins = world.root().join("home/.tmux/plugins");
    fs::create_dir_all(&plugins).unwrap();
    std::os::unix::fs::symlink(world.installed(), plugins.join("wharf")).unwrap();
    let mut count = 0;
    for page in pages() {
        for piece in blocks(&page, "tmux") {
            let file = world.root().join("piece.conf");
            fs::write(&file, piece).unwrap();
            // It says what is wrong, and with which line.
            assert_eq!(host.tmux(["source-file", file.to_str().unwrap()]), "", "{piece}");
            let setup = world.wharf(["setup"]).env("TMUX", host.variable()).run();
            assert_eq!((setup.stdout.as_str(), setup.stderr.as_str()), ("", ""), "{piece}");
            count += 1;
        }
    }
    assert!(count >= 4, "{count}");
    assert!(host.tmux(["list-keys", "-T", "prefix"]).contains("wharf"));
}
