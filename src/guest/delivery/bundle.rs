//! The libraries of programs that are not static, and the loader that runs them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

use super::Files;
use super::program::{not_portable, read};
use crate::error::{Error, Result};
use crate::protocol::{LOADER, libraries_of};

/// Would load or print more than the program needs.
const DISTURBING: [&str; 4] = ["LD_PRELOAD", "LD_AUDIT", "LD_DEBUG", "LD_VERBOSE"];

/// Adds what a program needs that will be at `name` among the tools, or nothing where something is missing.
pub fn add(program: &Path, loader: &Path, name: &str, files: &mut Files) -> Result<()> {
    let found = loader.canonicalize().map_err(|source| {
        let action = format!("find `{}`, the loader of `{}`", loader.display(), program.display());
        Error::io(action, source)
    })?;
    // musl's names itself so. It knows other options, and a machine with musl can link everything statically.
    if loader.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"ld-musl")) {
        return Err(not_portable(program, "it is linked with musl, and not statically"));
    }
    let libraries = list(program, loader)?;
    let contents = libraries.values().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
    let directory = libraries_of(name);
    files.program(format!("{directory}/{LOADER}"), read(&found)?);
    for (name, content) in libraries.keys().zip(contents) {
        files.file(format!("{directory}/{name}"), content);
    }
    Ok(())
}

/// Asks the loader what it would load. It runs nothing of the program.
fn list(program: &Path, loader: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut command = Command::new(loader);
    for name in DISTURBING {
        command.env_remove(name);
    }
    let output = command.arg("--list").arg(name_for_others(program)).stdin(Stdio::null()).output();
    let output = output.map_err(|source| Error::io(format!("run `{} --list`", loader.display()), source))?;
    let libraries = parse(&String::from_utf8_lossy(&output.stdout)).map_err(|reason| not_portable(program, reason))?;
    if output.status.success() {
        return Ok(libraries);
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(not_portable(program, format!("its loader says: {}", message.lines().next().unwrap_or("nothing"))))
}

/// `/proc/self/exe` is another file to another process. The program's path is asked first, because some find their libraries
/// beside it; it is gone once the program has been replaced.
fn name_for_others(program: &Path) -> PathBuf {
    let running = || match program.strip_prefix("/proc/self") {
        Ok(rest) => Path::new("/proc").join(process::id().to_string()).join(rest),
        Err(_) => program.to_owned(),
    };
    fs::canonicalize(program).unwrap_or_else(|_| running())
}

/// Lines as `libc.so.6 => /lib/libc.so.6 (0x00007f…)`. Those without an arrow are the loader, the kernel's own library, and
/// what `/etc/ld.so.preload` adds on this machine.
fn parse(listed: &str) -> std::result::Result<BTreeMap<String, PathBuf>, String> {
    let mut libraries = BTreeMap::new();
    for (name, place) in listed.lines().filter_map(|line| line.trim().split_once(" => ")) {
        if place == "not found" {
            return Err(format!("its library `{name}` was not found"));
        }
        let path = place.rsplit_once(" (0x").map_or(place, |(path, _)| path);
        // Old glibc writes an arrow for the kernel's library too, with nothing behind it.
        if !path.starts_with('/') {
            continue;
        }
        if name.contains('/') {
            return Err(format!("it loads `{name}` by its path"));
        }
        libraries.insert(name.to_owned(), PathBuf::from(path));
    }
    Ok(libraries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_what_has_a_path() {
        let listed = "\tlinux-vdso.so.1 (0x00007fff)\n\tlinux-gate.so.1 =>  (0xb7f)\n\t/usr/lib/preloaded.so (0x00007f00)\n\
                      \tlibtinfo.so.6 => /lib/a directory/libtinfo.so.6 (0x00007f10)\n\
                      \tlibc.so.6 => /lib/libc.so.6 (0x00007f20)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f30)\n";
        let expected = [("libc.so.6", "/lib/libc.so.6"), ("libtinfo.so.6", "/lib/a directory/libtinfo.so.6")];
        let expected = expected.map(|(name, path)| (name.to_owned(), PathBuf::from(path)));
        assert_eq!(parse(listed), Ok(BTreeMap::from(expected)));
    }

    #[test]
    fn a_library_that_cannot_travel_is_named() {
        let missing = "\tlibevent.so.7 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x00007f20)\n";
        assert_eq!(parse(missing), Err("its library `libevent.so.7` was not found".to_owned()));
        let by_path = "\t./libx.so => ./libx.so (0x00007f20)\n\t/opt/liby.so => /opt/liby.so (0x00007f20)\n";
        assert_eq!(parse(by_path), Err("it loads `/opt/liby.so` by its path".to_owned()));
    }

    #[test]
    fn the_running_program_is_found_by_its_loader() {
        assert_eq!(name_for_others(Path::new("/proc/self/exe")), std::env::current_exe().unwrap().canonicalize().unwrap());
        let gone = Path::new("/proc/self/fd/9999");
        assert_eq!(name_for_others(gone), PathBuf::from(format!("/proc/{}/fd/9999", process::id())));
    }
}
