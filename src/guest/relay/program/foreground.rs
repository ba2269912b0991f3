//! What runs in the foreground of a session, read where the kernel says it: no program has to be started for that.

use std::fs;
use std::path::Path;

use crate::protocol::Foreground;

/// How deep a program of wharf's own may be above the one that a person has started.
const DEPTH: usize = 3;

/// The program in the foreground of the terminal that this process has, and its directory.
pub fn of(process: i32, fills_screen: bool) -> Option<Foreground> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // A program's name can hold spaces and parentheses.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut leader: i32 = fields.split_ascii_whitespace().nth(5)?.parse().ok()?;
    let mut command = name_of(leader)?;
    for _ in 0..DEPTH {
        if !command.starts_with("wharf") {
            break;
        }
        let children = fs::read_to_string(format!("/proc/{leader}/task/{leader}/children")).ok();
        let Some(child) = children.and_then(|children| children.split_ascii_whitespace().next()?.parse().ok()) else { break };
        let Some(name) = name_of(child) else { break };
        (leader, command) = (child, name);
    }
    let directory = fs::read_link(format!("/proc/{leader}/cwd")).ok()?;
    Some(Foreground { command, directory: directory.to_str()?.to_owned(), fills_screen })
}

/// As tmux has it: the first word of the command line without its directory, and without the dash of a login shell.
fn name_of(process: i32) -> Option<String> {
    let line = fs::read(format!("/proc/{process}/cmdline")).ok()?;
    let word = line.split(|&b| b == 0).next().filter(|word| !word.is_empty())?;
    let word = String::from_utf8_lossy(word);
    let name = Path::new(word.trim_start_matches('-')).file_name()?.to_string_lossy().into_owned();
    Some(name.split(' ').next().unwrap_or_default().to_owned())
}
