//! What to do about it.

use super::Error;
use crate::model::{SessionName, native_architecture};
use crate::nearest::nearest;
use crate::quote::{printable, shell_if_needed};

impl Error {
    /// One thing to do about it, with a command to run.
    #[expect(clippy::too_many_lines, reason = "a table of errors and hints")]
    pub fn hint(&self) -> Option<String> {
        if let Some(id) = self.held_container() {
            return Some(release_command(id));
        }
        let hint = match self {
            Self::NoSuchDirectory { .. } => "`wharf list` shows the projects that have a container".to_owned(),
            Self::TooWide { path } if path.parent().is_none() => {
                "to open all of it, name it and where it goes: `wharf open --workspace /host /`".to_owned()
            }
            Self::TooWide { path } => {
                format!("to open all of it, name it: `wharf open {}`", shell_if_needed(&path.to_string_lossy()))
            }
            Self::UnknownTarget { nearest: Some(nearest), .. } => {
                format!("did you mean `{}`? `wharf list` shows every name", printable(nearest))
            }
            Self::UnknownTarget { nearest: None, .. } => "`wharf list` shows every name; a directory works as well".to_owned(),
            Self::AmbiguousTarget { .. } => "write its parent too (`parent/base`), or the container's name".to_owned(),
            Self::NoUser { users, .. } if users.is_empty() => "it has no /etc/passwd".to_owned(),
            Self::NoUser { users, .. } => format!("its users: {}", users.join(", ")),
            Self::AmbiguousHost { .. } => "write its parent too (`base.parent.wharf`), or the container's name".to_owned(),
            Self::NoProfile { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::NoProfile { nearest: None, .. } => "`wharf config show` shows which there are".to_owned(),
            Self::NoDevcontainer { known, .. } if known.is_empty() => "`.devcontainer` has no directory with one".to_owned(),
            Self::NoDevcontainer { known, .. } => format!("there are: {}", known.join(", ")),
            Self::SeveralDevcontainers { names } => format!("say which: `--config NAME`, of {}", names.join(", ")),
            Self::NoMountSource { .. } | Self::NoDevice { .. } => "`wharf config show` says where that is configured".to_owned(),
            Self::MayNotRead { path } => {
                let path = shell_if_needed(&path.to_string_lossy());
                format!("`namei -l {path}` shows what keeps you out; its owner can let you in, with `chmod`")
            }
            Self::UnsayablePath { .. } => "give it another name; Docker can be told".to_owned(),
            Self::MountLeadsOut { to, .. } => {
                format!("a program in the container may have put a link there; if you have, mount `{}` itself", to.display())
            }
            Self::MountMoved { .. } => {
                "a program in a container may have put a link there: put back what was there, or `wharf rebuild`".to_owned()
            }
            Self::MaskMoved { .. } => "where it is now, it could be read: put it back, or `wharf rebuild`".to_owned(),
            Self::NoGpus => {
                "install NVIDIA's container toolkit and restart the engine; `wharf config show` says where it is configured"
                    .to_owned()
            }
            Self::PortTaken { port, .. } => format!("`wharf list` shows who has it; another one: `port {port} host=N`"),
            Self::ForeignNetwork { name } => {
                format!("look at it (`docker network inspect {name}`), or configure another `network`")
            }
            Self::EngineUnreachable { .. } => {
                "start it (`sudo systemctl start docker`), or name another in DOCKER_HOST".to_owned()
            }
            Self::EngineForbidden { .. } => "join its group (`sudo usermod -aG docker $USER`) and log in again".to_owned(),
            Self::EngineSilent { .. } => "it hangs or is overloaded; `docker version` shows whether it answers".to_owned(),
            Self::EngineSlow { .. } => "try again; the engine's log may say more (`journalctl -u docker`)".to_owned(),
            Self::EngineAddress { .. } => "unset DOCKER_HOST, or point it at a `unix://` socket".to_owned(),
            Self::NoSuchContext { .. } => "`docker context ls` shows which there are".to_owned(),
            Self::NoImage { image } => format!("make it with `{}`, or name another with `--image`", build_command(image)),
            Self::NoBase { .. } => {
                "without a registry, debootstrap makes it, and takes root: `apt-get install debootstrap`".to_owned()
            }
            Self::NoDockerfile { .. } => "`wharf config show` says where `build` is configured".to_owned(),
            Self::BadIgnorePattern { .. } => "a `\\`, `[` or `!` that is meant as such is written behind a `\\`".to_owned(),
            Self::BuildContext { .. } => "a line in `.dockerignore` leaves it out".to_owned(),
            Self::Build { dockerfile, .. } => format!("`{}` is what it was built from", dockerfile.display()),
            Self::Pull { registry, message, .. } => hint_at_registry(registry.as_deref(), message),
            Self::Stalled { .. } => "try again; `docker info` shows whether the engine reaches the network".to_owned(),
            Self::ForeignContainer { container, .. } => hint_at_container(container.as_str()),
            Self::NameTaken { container } => hint_at_container(container),
            Self::NoContainer { .. } | Self::Needs { needs: "pane that shows a session", .. } => {
                "`wharf open` makes one".to_owned()
            }
            Self::NotRunning { .. } => "`wharf open` starts it".to_owned(),
            Self::Died { container, .. } => {
                format!("`docker logs {container}` has the rest; `wharf open --image` tries another image")
            }
            Self::NeverReady { container, .. } => {
                format!("`docker logs {container}` has the rest; `wharf rm --force {container}` removes it")
            }
            Self::OtherArchitecture { .. } => {
                format!("use an image for {}, or install emulation (`qemu-user-static`)", native_architecture())
            }
            Self::Gone { .. } => "`wharf open` makes a new one".to_owned(),
            Self::NoTmux { .. } => "install tmux 3.2 or newer here or in the image; then `wharf rebuild`".to_owned(),
            Self::NoGuest { .. } => {
                "`scripts/build` and `cargo install --path .` put it beside wharf; WHARF_GUEST may name another file".to_owned()
            }
            Self::NoTmuxOnHost => "`scripts/build-tmux` makes one".to_owned(),
            Self::NotPortable { .. } => {
                "a static program can: `scripts/build` makes wharf's, `scripts/build-tmux` tmux".to_owned()
            }
            Self::IsKept { .. } => "leave out `--rm`; or `wharf open --fresh --rm` recreates it".to_owned(),
            Self::GoesWithItsEnd { container } => format!("`wharf rebuild {container}` makes a new one like it"),
            Self::HookFailed { container, .. } => {
                format!("`wharf exec {container} -- CMD` gets in all the same; the next `wharf open` tries again")
            }
            Self::NoSshd { .. } => "install `openssh-server` in its image; then `wharf rebuild`".to_owned(),
            Self::SshdOfRoot { .. } => "configure `ssh`; then `wharf rebuild`".to_owned(),
            Self::NoPublicKey => "`ssh-keygen -t ed25519` makes one".to_owned(),
            Self::NoSsh => "write `ssh` into the configuration".to_owned(),
            Self::OneSide { .. } => "one side is in a container: `wharf cp api:notes .`".to_owned(),
            Self::BadSshPort { .. } => "ports are 1 to 65535".to_owned(),
            Self::NoShell { .. } => "name one of its programs: `wharf open -- CMD`".to_owned(),
            Self::NoWayIn { container, .. } => format!("`docker logs {container}` may say more; `wharf stop`, then `wharf open`"),
            Self::OtherVersion { theirs, ours, .. } if theirs > ours => "update wharf".to_owned(),
            // Without `--force`, `rm` would have to get in as well, to see which sessions live there.
            Self::NoTools { container } | Self::OtherVersion { container, .. } => {
                format!("`wharf rm --force {container}`, then `wharf open`: ends what runs in it, and keeps its home directory")
            }
            Self::Lost { .. } => "`wharf attach` gets in again".to_owned(),
            Self::NoSession { session, running, .. }
                if let Some(nearest) = nearest(session.as_str(), running.iter().map(SessionName::as_str)) =>
            {
                format!("did you mean `{nearest}`? `wharf open --session {session}` starts one of that name")
            }
            Self::NoSession { session, .. } => format!("`wharf open --session {session}` starts it"),
            Self::SessionEnded { container, session, .. } => format!("`wharf restart {container}:{session}` runs it again"),
            Self::NotARepository { .. } => "`git init` makes one".to_owned(),
            Self::NoBranchHere { .. } => "`wharf branches` shows which have one".to_owned(),
            Self::UnfinishedBranch { .. } => "commit it, and merge or push the branch; then try again".to_owned(),
            Self::PromptWithoutCommand => "name one: `wharf branch NAME --prompt FILE -- CMD`".to_owned(),
            Self::TwoSessions { .. } => "leave out one of them".to_owned(),
            Self::SessionRuns { .. } => "name another: `wharf open --session NAME -- CMD`".to_owned(),
            Self::LiveSessions { container, verb, .. } => format!("`wharf {verb} --force {container}` ends them"),
            Self::UnknownSessions { container, verb: "rm", .. } => {
                format!("`wharf rm --force {container}` removes it all the same")
            }
            Self::UnknownSessions { container, verb: "restart", .. } => {
                format!("`wharf restart --force {container}` restarts it all the same")
            }
            Self::UnknownSessions { container, verb, .. } => {
                format!("`wharf {verb} --force {container}` recreates it all the same")
            }
            Self::NobodyToAsk { .. } => "`wharf prune --force` removes them, `--dry-run` only lists them".to_owned(),
            Self::Needs { verb: "pick", needs: "terminal" } => "`wharf list --json` is for where there is none".to_owned(),
            Self::Needs { needs: "terminal", .. } => "`wharf open --detach` starts a session without one".to_owned(),
            Self::Needs { needs: "tmux server", .. } => "run it inside tmux, or by `run-shell` in `.tmux.conf`".to_owned(),
            _ => return None,
        };
        Some(hint)
    }
}

/// Nothing but the container's shim is left of it, or something that no engine knows. With the brackets, the pattern is not
/// in the command line that it is part of.
fn release_command(id: &str) -> String {
    format!("`sudo pkill -9 -f 'containerd-[s]him.* -id {}'` ends what its runtime holds on to; then try again", &id[..12])
}

/// One that is not wharf's is not for wharf to remove.
fn hint_at_container(name: &str) -> String {
    format!("look at it (`docker inspect {name}`); if you can spare it, `docker rm {name}`")
}

/// By what registries and engines say.
fn hint_at_registry(registry: Option<&str>, message: &str) -> String {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let of = registry.map(|registry| format!(" {registry}")).unwrap_or_default();
    if says(&["denied", "unauthorized", "no basic auth", "authentication required"]) {
        format!("check its name, and that you may have it: `docker login{of}`")
    } else if says(&["dial tcp", "no such host", "Timeout", "timeout", "TLS", "x509", "refused"]) {
        "see that the engine reaches its registry, or name another image with `--image`".to_owned()
    } else {
        "check its name, or name another with `--image`".to_owned()
    }
}

fn build_command(image: &str) -> &'static str {
    if image.starts_with("wharf-default-gpu") { "wharf image build --gpu" } else { "wharf image build" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_a_word_for_the_shell() {
        let hint = Error::TooWide { path: "/home/ada l".into() }.hint().unwrap();
        assert_eq!(hint, "to open all of it, name it: `wharf open '/home/ada l'`");
    }

    #[test]
    fn what_releases_a_container_is_named() {
        let id = "f1a242be3b22ffef3807ecd522bdbd6d5b790c4af83797dab77bccb31cbb4534";
        let refused = |message: String| Error::Engine { action: "start".to_owned(), message, status: Some(500) };
        let hint = refused(format!("task {id}: already exists")).hint().unwrap();
        assert!(hint.starts_with("`sudo pkill -9 -f 'containerd-[s]him.* -id f1a242be3b22'` "), "{hint}");
        for other in ["task ü: already exists".to_owned(), format!("container {id}: already exists"), format!("task {id}: gone")]
        {
            assert_eq!(refused(other).hint(), None);
        }
    }
}
