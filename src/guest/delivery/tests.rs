use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::model::native_architecture;
use crate::protocol::{GUEST, LOCALE, TERMINFO, TMUX_BUNDLE, TMUX_CONFIG, TMUX_STATIC};

const OWN: &str = "/proc/self/exe";

/// With the tmux of `PATH`, and what is in the data directory.
fn gather(guest: &str, data_dir: &Path) -> Tools {
    let path = std::env::var_os("PATH");
    Tools::gather(&sources(guest, data_dir, path.as_deref())).unwrap()
}

fn sources<'a>(guest: &'a str, data_dir: &'a Path, search_path: Option<&'a OsStr>) -> Sources<'a> {
    let (guest, program) = (Some(Path::new(guest)), Path::new("/nowhere/wharf"));
    Sources { guest, program, architecture: native_architecture(), data_dir, server_program: None, search_path }
}

fn busybox() -> &'static str {
    ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists()).unwrap()
}

/// A directory whose only program is a `tmux` that is a link to something else.
fn with_tmux(target: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    symlink(target, directory.path().join("tmux")).unwrap();
    directory
}

fn unpack(tools: &Tools) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let bytes = tools.archive(Path::new("run/tools")).unwrap().finish().unwrap();
    let mut archive = tar::Archive::new(bytes.as_slice());
    archive.set_preserve_permissions(true);
    archive.unpack(directory.path()).unwrap();
    directory
}

#[test]
fn the_same_tools_have_the_same_volume() {
    let empty = tempfile::tempdir().unwrap();
    let tools = gather(OWN, empty.path());
    assert_eq!(tools.volume(), gather(OWN, empty.path()).volume());
    let hex = tools.volume().strip_prefix("wharf-tools-").unwrap();
    assert!(hex.len() == 12 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hex}");
    assert_ne!(tools.volume(), gather(busybox(), empty.path()).volume());
}

#[test]
fn every_byte_path_and_mode_counts() {
    let named = |path: &str, bytes: &[u8]| {
        let mut files = Files::default();
        files.file(path, bytes.to_owned());
        files
    };
    let mut program = Files::default();
    program.program("a", b"bc".to_vec());
    let volumes = [named("a", b"bc"), named("a", b"bd"), named("ab", b"c"), program].map(|files| files.volume());
    assert!(volumes.iter().enumerate().all(|(i, volume)| !volumes[..i].contains(volume)), "{volumes:?}");
}

#[test]
fn a_static_tmux_in_the_data_directory_goes_first() {
    let data = with_tmux(busybox());
    let tools = gather(busybox(), data.path());
    assert_eq!((tools.launch(), tools.tmux().unwrap()), (Launch::Static, Launch::Static));
    let names: Vec<_> = tools.files.0.keys().filter(|name| !name.starts_with("terminfo/")).collect();
    assert_eq!(names, ["static/tmux", "tmux-version", "tmux.conf", "wharf"]);
}

#[test]
fn what_is_no_program_is_passed_over() {
    let data = tempfile::tempdir().unwrap();
    fs::write(data.path().join("tmux"), "#!/bin/sh\nexec tmux-3.5\n").unwrap();
    fs::set_permissions(data.path().join("tmux"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(gather(busybox(), data.path()).tmux().unwrap(), Launch::Bundle);
}

#[test]
fn a_machine_without_tmux_has_tools_without_tmux() {
    let empty = tempfile::tempdir().unwrap();
    // Not absolute, so not looked into.
    let path = OsString::from(".:");
    let tools = Tools::gather(&sources(busybox(), empty.path(), Some(&path))).unwrap();
    assert_eq!(tools.tmux().unwrap_err().to_string(), "there is no tmux on this machine that could be put into a container");
    assert!(!tools.files.0.keys().any(|name| [TMUX_STATIC, TMUX_BUNDLE].contains(&name.as_str()) || name.starts_with("locale/")));
    assert!(tools.files.0.contains_key("terminfo/t/tmux-256color"));
}

#[test]
fn the_bundled_tmux_needs_only_its_own_files() {
    let empty = tempfile::tempdir().unwrap();
    let tools = gather(OWN, empty.path());
    assert_eq!(tools.tmux().unwrap(), Launch::Bundle);
    let unpacked = unpack(&tools);
    let root = unpacked.path().join("run/tools");
    let socket = unpacked.path().join("socket");
    let line = Launch::Bundle.command(root.to_str().unwrap(), TMUX_BUNDLE);
    let output = Command::new(&line[0])
        .args(&line[1..])
        .args(["-u", "-S"])
        .arg(&socket)
        .arg("-f")
        .arg(root.join(TMUX_CONFIG))
        .args(["new-session", "-d", "sleep 60", ";", "show-environment", "-g", ";", "kill-server"])
        .env_clear()
        .env("LOCPATH", root.join(LOCALE))
        .env("TERMINFO_DIRS", root.join(TERMINFO))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
    let environment = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(environment.lines().any(|line| line == "-LOCPATH"), "{environment}");
}

#[test]
fn only_what_is_run_may_be_run_and_anybody_may_read() {
    let empty = tempfile::tempdir().unwrap();
    let unpacked = unpack(&gather(OWN, empty.path()));
    let root = unpacked.path().join("run/tools");
    let mode = |path: PathBuf| fs::metadata(&path).unwrap_or_else(|e| panic!("{path:?}: {e}")).permissions().mode() & 0o7777;
    for program in [GUEST, TMUX_BUNDLE, "lib/ld.so", "bundle/lib/ld.so", "lib", LOCALE, TERMINFO, "terminfo/x", ""] {
        assert_eq!(mode(root.join(program)), 0o755, "{program}");
    }
    for file in ["lib/libc.so.6", "bundle/lib/libc.so.6", TMUX_CONFIG, "terminfo/x/xterm-256color", "locale/C.utf8/LC_CTYPE"] {
        assert_eq!(mode(root.join(file)), 0o644, "{file}");
    }
}

#[test]
fn a_launch_survives_its_label() {
    for launch in [Launch::Static, Launch::Bundle] {
        assert_eq!(launch.to_string().parse(), Ok(launch));
    }
    assert_eq!("".parse::<Launch>(), Err(crate::protocol::launch::UnknownLaunch));
    assert_eq!(Launch::Static.guest(), ["/run/wharf/tools/wharf"]);
    let bundle = Launch::Bundle.tmux().join(" ");
    let expected = "/run/wharf/tools/bundle/lib/ld.so --inhibit-cache --library-path /run/wharf/tools/bundle/lib /run/wharf/tools/bundle/tmux";
    assert_eq!(bundle, expected);
    assert_eq!(Launch::Bundle.tmux_locale().unwrap(), "/run/wharf/tools/locale");
    assert_eq!(Launch::Static.tmux_locale(), None);
}
