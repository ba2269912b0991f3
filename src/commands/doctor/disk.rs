//! The directory for what is shared with containers. How long its path is does not matter: sockets in it are reached by a
//! descriptor.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{Access, access};

use super::finding::Finding;
use crate::quote;

const CHECK: &str = "state";

/// Whether it is there or can be made, and is this user's alone.
pub fn state_directory(directory: &Path) -> Finding {
    let shown = directory.display();
    let word = quote::shell_if_needed(&directory.to_string_lossy());
    match fs::metadata(directory) {
        Ok(found) if !found.is_dir() => {
            Finding::problem(CHECK, &format!("`{shown}` is not a directory"), &format!("`mv {word} {word}.old`"))
        }
        Ok(_) if !is_usable(directory) => {
            let found = format!("no permission to write to `{shown}`");
            Finding::problem(CHECK, &found, &format!("`sudo chown -R $USER {word}`"))
        }
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            let found = format!("others can get into `{shown}` (mode {:o})", found.permissions().mode() & 0o777);
            Finding::warning(CHECK, &found, &format!("`chmod 700 {word}`"))
        }
        Ok(_) => Finding::ok(CHECK, &format!("`{shown}`")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match nearest(directory) {
            Some(above) if above.is_dir() && is_usable(above) => {
                Finding::ok(CHECK, &format!("`{shown}` is made when it is needed"))
            }
            above => {
                let above = above.unwrap_or(directory).display();
                let found = format!("`{shown}` can't be made: no permission to write to `{above}`");
                Finding::problem(CHECK, &found, "name a directory of yours in XDG_STATE_HOME")
            }
        },
        Err(error) => {
            Finding::problem(CHECK, &format!("`{shown}` can't be: {error}"), "name a directory of yours in XDG_STATE_HOME")
        }
    }
}

fn is_usable(directory: &Path) -> bool {
    access(directory, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// The nearest directory above that is there.
fn nearest(directory: &Path) -> Option<&Path> {
    directory.ancestors().skip(1).find(|above| above.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_or_can_be_made_and_is_nobody_elses() {
        let world = tempfile::tempdir().unwrap();
        let directory = world.path().join("state/wharf");
        let shown = directory.display();
        assert_eq!(state_directory(&directory), Finding::ok(CHECK, &format!("`{shown}` is made when it is needed")));
        fs::create_dir_all(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        let found = format!("others can get into `{shown}` (mode 755)");
        assert_eq!(state_directory(&directory), Finding::warning(CHECK, &found, &format!("`chmod 700 {shown}`")));
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(state_directory(&directory), Finding::ok(CHECK, &format!("`{shown}`")));
    }

    #[test]
    fn a_file_in_its_place_is_a_problem() {
        let world = tempfile::tempdir().unwrap();
        let file = world.path().join("it's");
        fs::write(&file, "").unwrap();
        let hint = format!(r"`mv '{0}/it'\''s' '{0}/it'\''s'.old`", world.path().display());
        assert_eq!(state_directory(&file), Finding::problem(CHECK, &format!("`{}` is not a directory", file.display()), &hint));
        let found = format!("`{}/wharf` can't be: Not a directory (os error 20)", file.display());
        let hint = "name a directory of yours in XDG_STATE_HOME";
        assert_eq!(state_directory(&file.join("wharf")), Finding::problem(CHECK, &found, hint));
    }
}
