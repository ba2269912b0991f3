//! What an attached client keeps of itself.

use std::fs;
use std::time::Duration;

use rustix::mm::{Advice, madvise};

/// When nobody waits for anything any more, and what is done a little later is done.
const SETTLED: Duration = Duration::from_secs(2);

/// Once a client has settled, lets go of the program's code: finding a container and a way into it takes most of the program,
/// and showing a session takes little of it, which the kernel brings back from the page cache as it is needed (tens of
/// microseconds). Of 4 MB that a client would keep for days, 3 are that code.
pub async fn settle() {
    tokio::time::sleep(SETTLED).await;
    release_code();
}

fn release_code() {
    let here = release_code as fn() as usize;
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return };
    if let Some((start, end)) = maps.lines().filter_map(code).find(|(start, end)| (*start..*end).contains(&here)) {
        // SAFETY: the mapping is a file's, private, and was never writable: a page that is let go is read from the file again.
        #[expect(unsafe_code, reason = "there is no other way to give pages back")]
        let released = unsafe { madvise(std::ptr::with_exposed_provenance_mut(start), end - start, Advice::LinuxDontNeed) };
        debug_assert!(released.is_ok(), "{released:?}");
    }
}

/// The addresses of a mapping that code is in, from a line of proc_pid_maps(5).
fn code(line: &str) -> Option<(usize, usize)> {
    let mut words = line.split(' ');
    let (start, end) = words.next()?.split_once('-')?;
    words.next().filter(|rights| *rights == "r-xp")?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_run_and_never_written_is_code() {
        let line = |rights| format!("55d0c3a00000-55d0c3d0a000 {rights} 00120000 08:01 1835 /usr/bin/wharf");
        assert_eq!(code(&line("r-xp")), Some((0x55d0_c3a0_0000, 0x55d0_c3d0_a000)));
        for rights in ["r--p", "rw-p", "rwxp", "r-xs"] {
            assert_eq!(code(&line(rights)), None, "{rights}");
        }
        assert_eq!(code(""), None);
    }

    #[test]
    fn code_that_was_let_go_runs_again() {
        release_code();
        only_what_is_run_and_never_written_is_code();
    }
}
