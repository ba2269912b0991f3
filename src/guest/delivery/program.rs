//! A program on this machine: its bytes, and whether it runs without libraries.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use elf::ElfBytes;
use elf::abi::{DT_NEEDED, EM_386, EM_AARCH64, EM_ARM, EM_LOONGARCH, EM_PPC64, EM_RISCV, EM_S390, EM_X86_64, PT_INTERP};
use elf::endian::AnyEndian;
use elf::file::Class;

use crate::error::{Error, Result};

/// No file of a tool comes near it. The limit is for what only has a tool's name.
const LARGEST: u64 = 256 << 20;

#[derive(Debug)]
pub struct Program {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    pub linkage: Linkage,
    /// By the name that images use, where it is one of those.
    pub architecture: Option<&'static str>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Linkage {
    Static,
    Dynamic { loader: PathBuf },
}

impl Program {
    /// Reads an executable ELF file.
    pub fn read(path: &Path) -> Result<Self> {
        let metadata = fs::metadata(path).map_err(|source| Error::io(format!("read `{}`", path.display()), source))?;
        if metadata.permissions().mode() & 0o111 == 0 {
            return Err(not_portable(path, "it is not executable"));
        }
        let bytes = read(path)?;
        let linkage = linkage(&bytes).map_err(|reason| not_portable(path, reason))?;
        let architecture = architecture(&bytes);
        Ok(Self { path: path.to_owned(), bytes, linkage, architecture })
    }
}

pub fn not_portable(path: &Path, reason: impl Into<String>) -> Error {
    Error::NotPortable { path: path.to_owned(), reason: reason.into() }
}

/// A file's content. Nothing but a file is opened: a pipe would never end.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |source| Error::io(format!("read `{}`", path.display()), source);
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(not_portable(path, "it is not a file"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(LARGEST)).unwrap_or(0));
    // It may grow while it is read.
    File::open(path).map_err(failed)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(not_portable(path, format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(bytes)
}

/// From the file alone: a loader that is asked about a static program (`LD_TRACE_LOADED_OBJECTS`) would run it.
fn linkage(bytes: &[u8]) -> std::result::Result<Linkage, String> {
    let not_elf = |_| "it is not an ELF program".to_owned();
    let file = ElfBytes::<AnyEndian>::minimal_parse(bytes).map_err(not_elf)?;
    // A static program that is position-independent has a dynamic section too, but no interpreter.
    if let Some(segment) = file.segments().into_iter().flatten().find(|segment| segment.p_type == PT_INTERP) {
        let name = file.segment_data(&segment).map_err(not_elf)?;
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        return Ok(Linkage::Dynamic { loader: PathBuf::from(OsStr::from_bytes(name)) });
    }
    if file.dynamic().map_err(not_elf)?.is_some_and(|table| table.iter().any(|entry| entry.d_tag == DT_NEEDED)) {
        return Err("it is a library, not a program".to_owned());
    }
    Ok(Linkage::Static)
}

fn architecture(bytes: &[u8]) -> Option<&'static str> {
    let file = ElfBytes::<AnyEndian>::minimal_parse(bytes).ok()?;
    Some(match (file.ehdr.e_machine, file.ehdr.class, file.ehdr.endianness) {
        (EM_X86_64, _, _) => "amd64",
        (EM_386, _, _) => "386",
        (EM_AARCH64, _, AnyEndian::Little) => "arm64",
        (EM_ARM, _, AnyEndian::Little) => "arm",
        (EM_RISCV, Class::ELF64, _) => "riscv64",
        (EM_PPC64, _, AnyEndian::Little) => "ppc64le",
        (EM_S390, Class::ELF64, _) => "s390x",
        (EM_LOONGARCH, Class::ELF64, _) => "loong64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::native_architecture;

    #[test]
    fn a_program_says_its_architecture() {
        assert_eq!(Program::read(Path::new("/proc/self/exe")).unwrap().architecture, Some(native_architecture()));
    }

    #[test]
    fn a_program_with_libraries_names_its_loader() {
        let cat = Program::read(Path::new("/bin/cat")).unwrap();
        let Linkage::Dynamic { loader } = cat.linkage else { panic!("`cat` is static here") };
        assert!(loader.is_file(), "{loader:?}");
    }

    #[test]
    fn a_program_without_libraries_is_static() {
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].map(Path::new).into_iter().find(|path| path.exists()).unwrap();
        assert_eq!(Program::read(busybox).unwrap().linkage, Linkage::Static);
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("tmux");
        fs::write(&script, "#!/bin/sh\n").unwrap();
        assert_eq!(refusal(&script), "it is not executable");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(refusal(&script), "it is not an ELF program");
        assert_eq!(refusal(directory.path()), "it is not a file");
    }

    #[test]
    fn no_file_is_too_broken_to_be_refused() {
        let own = fs::read("/proc/self/exe").unwrap();
        for length in (0..512).chain([4096, own.len() / 2, own.len() - 1]) {
            let _ = linkage(&own[..length]);
        }
        let mut headers_point_nowhere = own;
        headers_point_nowhere[32..48].fill(0xff);
        linkage(&headers_point_nowhere).unwrap_err();
    }

    fn refusal(path: &Path) -> String {
        match Program::read(path).unwrap_err() {
            Error::NotPortable { reason, .. } => reason,
            other => panic!("{other}"),
        }
    }
}
