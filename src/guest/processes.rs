//! The container's processes, as the kernel shows them (proc(5)).

use std::fs;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// One that has not ended.
#[derive(Debug, Clone)]
pub struct Process {
    pub pid: Pid,
    pub parent: i32,
    pub has_terminal: bool,
}

/// All that run now.
pub fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    pids.filter_map(|pid| parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)).collect()
}

/// The fields are behind the name, which can hold anything.
fn parse(pid: Pid, stat: &str) -> Option<Process> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let has_ended = matches!(fields.next()?, "Z" | "X");
    let mut number = || fields.next()?.parse::<i32>().ok();
    let (parent, _group, _session, terminal) = (number()?, number()?, number()?, number()?);
    (!has_ended).then_some(Process { pid, parent, has_terminal: terminal != 0 })
}

impl Process {
    /// The program that it runs; `None` where that is not for this user to know.
    pub fn program(&self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/exe", self.pid)).ok()
    }

    pub fn ignores(&self, signal: Signal) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
        ignored.is_some_and(|set| set & (1 << (signal.as_raw() - 1)) != 0)
    }

    /// A variable of the environment that it was started with.
    pub fn variable(&self, name: &str) -> Option<String> {
        let environment = fs::read(format!("/proc/{}/environ", self.pid)).ok()?;
        let mut pairs = environment.split(|byte| *byte == 0).filter_map(|pair| std::str::from_utf8(pair).ok());
        pairs.find_map(|pair| pair.split_once('=').filter(|(its, _)| *its == name).map(|(_, value)| value.to_owned()))
    }

    /// Its words, in one line.
    pub fn command_line(&self) -> String {
        let words = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let line = String::from_utf8_lossy(&words).replace('\0', " ");
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub fn can_be_told(&self) -> bool {
        test_kill_process(self.pid).is_ok()
    }

    /// Sends a signal, and has a process that was stopped go on to take it.
    pub fn tell(&self, signal: Signal) {
        // One that has ended meanwhile needs none.
        let _ = kill_process(self.pid, signal);
        let _ = kill_process(self.pid, Signal::CONT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_of_a_process() {
        let parsed = |stat| parse(Pid::INIT, stat).map(|it| (it.parent, it.has_terminal));
        assert_eq!(parsed("1 (sh) S 7 1 8 34816 1 4194304"), Some((7, true)));
        assert_eq!(parsed("1 (a) Z 1) R 7 1 8 0 -1 4194304"), Some((7, false)));
        assert_eq!(parsed("1 (sh) Z 7 1 8 0 -1 4194304"), None);
        assert_eq!(parsed("1 (sh) S 7"), None);
    }

    #[test]
    fn this_process_is_among_them() {
        let own = all().into_iter().find(|process| process.pid == rustix::process::getpid()).unwrap();
        assert_eq!(own.program(), std::env::current_exe().ok());
        assert!(own.can_be_told() && !own.ignores(Signal::TERM));
        assert_eq!(own.variable("PATH"), std::env::var("PATH").ok());
        assert!(own.command_line().starts_with(&std::env::args().next().unwrap()));
    }
}
