//! Which locales the image has. Programs complain about one that it lacks, and take all text for ASCII.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The variables that a host's terminal comes with.
const VARIABLES: [&str; 3] = ["LANG", "LC_ALL", "LC_CTYPE"];
const DIRECTORY: &str = "/usr/lib/locale";
/// Text is UTF-8, and the rest as nobody's in particular.
const NEUTRAL: &str = "C.UTF-8";
/// What images have that are older than that.
const USUAL: &str = "en_US.UTF-8";
/// Of `locale-archive`, as glibc's `locarchive.h` has it.
const MAGIC: u32 = 0xde02_0109;
/// More than the names of all locales that there are.
const MOST_NAMES: u32 = 1 << 20;

/// The value that a variable gets in this image.
pub fn in_image(name: &str, value: &str) -> Option<String> {
    if !VARIABLES.contains(&name) || has(value) {
        return None;
    }
    Some(if !has(NEUTRAL) && has(USUAL) { USUAL } else { NEUTRAL }.to_owned())
}

/// Whether the image has this locale. musl has each, by whatever name.
fn has(locale: &str) -> bool {
    let is_built_in = ["", "C", "POSIX"].contains(&locale);
    is_built_in || is_musl() || has_in(Path::new(DIRECTORY), locale)
}

fn is_musl() -> bool {
    let names = fs::read_dir("/lib").into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.into_iter().any(|name| name.to_string_lossy().starts_with("ld-musl-"))
}

fn has_in(directory: &Path, locale: &str) -> bool {
    // A name with a `/` is a path, which glibc takes as it is.
    if locale.contains('/') {
        return false;
    }
    let normal = normal(locale);
    let archive = || names(&directory.join("locale-archive")).unwrap_or_default();
    [locale, &normal].iter().any(|name| directory.join(name).is_dir())
        || archive().split(|byte| *byte == 0).any(|name| name == normal.as_bytes())
}

/// With its character set as glibc writes it: `de_DE.utf8` for `de_DE.UTF-8`.
fn normal(locale: &str) -> String {
    let Some((language, rest)) = locale.split_once('.') else {
        return locale.to_owned();
    };
    let (charset, modifier) = rest.find('@').map_or((rest, ""), |at| rest.split_at(at));
    let charset: String = charset.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    format!("{language}.{charset}{modifier}")
}

/// The names in an archive, each with a NUL behind it. The archive itself can have hundreds of megabytes.
fn names(archive: &PathBuf) -> Option<Vec<u8>> {
    let mut file = File::open(archive).ok()?;
    let mut header = [0; 32];
    file.read_exact(&mut header).ok()?;
    let field = |index: usize| Some(u32::from_ne_bytes(header[index * 4..][..4].try_into().ok()?));
    let (magic, offset, used) = (field(0)?, field(5)?, field(6)?);
    if magic != MAGIC || used > MOST_NAMES {
        return None;
    }
    let mut names = vec![0; usize::try_from(used).ok()?];
    file.seek(SeekFrom::Start(offset.into())).ok()?;
    file.read_exact(&mut names).ok()?;
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_glibc_writes_them() {
        for (locale, expected) in [
            ("de_DE.UTF-8", "de_DE.utf8"),
            ("de_DE.ISO-8859-15@euro", "de_DE.iso885915@euro"),
            ("C.UTF-8", "C.utf8"),
            ("de_DE", "de_DE"),
        ] {
            assert_eq!(normal(locale), expected);
        }
    }

    #[test]
    fn a_locale_is_a_directory_or_in_the_archive() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("C.utf8")).unwrap();
        let has = |locale| has_in(directory.path(), locale);
        assert!(has("C.UTF-8") && !has("de_DE.UTF-8") && !has("../locale"));
        let mut archive = [MAGIC, 1, 0, 0, 0, 36, 22, 22].map(u32::to_ne_bytes).concat();
        archive.extend(b"....de_DE.utf8\0en_US.utf8\0");
        fs::write(directory.path().join("locale-archive"), archive).unwrap();
        assert!(has("de_DE.UTF-8") && has("en_US.utf8") && !has("fr_FR.UTF-8"));
    }
}
