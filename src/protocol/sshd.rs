//! ssh into a container: what its side is asked to do.

use crate::protocol::Program;

/// The port that an sshd listens at, in the container's environment and on this machine. Only containers that were made so
/// have it.
pub const PORT_VARIABLE: &str = "WHARF_SSH_PORT";
/// The exit code where the image has no sshd, or no ssh-keygen.
pub const NO_SSHD: i32 = 127;
/// And where root is not allowed what an sshd of root's needs.
pub const NOT_ALLOWED: i32 = 126;

/// What root's sshd needs beyond what root has in containers: it shuts itself into an empty directory before anybody has
/// proved who they are, and notes who has a terminal.
pub const CAPABILITIES: [&str; 2] = ["AUDIT_WRITE", "SYS_CHROOT"];

/// Prints the host's public key, which is made where there is none.
pub fn host_key() -> Program {
    program("host-key", None)
}

/// Serves one client on standard input and output, who has one of these keys.
pub fn serve(keys: &[String]) -> Program {
    program("serve", Some(keys))
}

/// Sees to it that an sshd listens, where the container has a port for it.
pub fn listen(keys: &[String]) -> Program {
    program("listen", Some(keys))
}

fn program(verb: &str, keys: Option<&[String]>) -> Program {
    let keys = keys.map(|keys| keys.join("\n"));
    Program::Own(["sshd", verb].map(str::to_owned).into_iter().chain(keys).collect())
}
