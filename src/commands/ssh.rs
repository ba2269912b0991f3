//! `wharf ssh-proxy` and `wharf ssh-config`: ssh into containers by name, without a port.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use super::exec;
use crate::cli::SshProxy;
use crate::commands::target::{self, HOST_SUFFIX};
use crate::container::connect::{Connected, Connector};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::{print, report};
use crate::paths;
use crate::protocol::{Program, Run, sshd};
use crate::quote;

/// How long the agent may take to say which keys it has.
const AGENT: Duration = Duration::from_millis(1500);
/// What a line with a public key begins with.
const KINDS: [&str; 3] = ["ssh-", "ecdsa-", "sk-"];

/// Leads an ssh client on standard input and output into a project's container, which is started where it takes that.
pub async fn proxy(args: SshProxy, context: &Context) -> Result<ExitCode> {
    let project = target::by_host_name(&args.name, context).await?;
    let connector = Connector::to(&project, context);
    let keys = public_keys(context).await?;
    let mut connected = Box::pin(exec::enter(&connector)).await?;
    let key = host_key(&mut connected, &connector).await?;
    remember(&args.name, &key, &context.state_dir).await?;
    exec::run_in(connected, &project, &connector.name(), sshd::serve(&keys), None, true, context).await
}

/// Prints what `~/.ssh/config` needs.
///
/// Which host it is that answers is known from the container itself, by the same way: before each connection `ssh-proxy` notes
/// its key, and ssh takes no other.
pub fn config(context: &Context) -> Result<ExitCode> {
    let wharf = env::current_exe().map_err(|source| Error::io("find wharf's own program", source))?;
    // A percent sign begins what ssh replaces.
    let escape = |text: &str| text.replace('%', "%%");
    let known_hosts = known_hosts(&context.state_dir);
    let proxy = escape(&quote::shell_if_needed(&wharf.to_string_lossy()));
    print::text(&format!(
        "Host *{HOST_SUFFIX}
    ProxyCommand {proxy} ssh-proxy '%n'
    User {}
    UserKnownHostsFile \"{}\"
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    HostKeyAlgorithms ssh-ed25519
    CheckHostIP no
    UpdateHostKeys no
",
        context.user.name,
        escape(&known_hosts.to_string_lossy())
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Sees to it that an sshd listens at the container's port, where it has one. What is wrong with that is no reason not to
/// open a session.
pub async fn listen(connected: &mut Connected, connector: &Connector<'_>) {
    let listening = async {
        let keys = public_keys(connector.context).await?;
        run(sshd::listen(&keys), connected, connector).await.map(drop)
    };
    if let Err(error) = Box::pin(listening).await {
        report::note(&format!("no sshd listens: {error}"), connector.context);
    }
}

async fn host_key(connected: &mut Connected, connector: &Connector<'_>) -> Result<String> {
    let printed = run(sshd::host_key(), connected, connector).await?;
    let mut words = printed.split_whitespace();
    let is_base64 = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
    match (words.next(), words.next()) {
        // It goes into a file of the host's.
        (Some("ssh-ed25519"), Some(key)) if is_base64(key) => Ok(format!("ssh-ed25519 {key}")),
        _ => Err(failed(connector, "what it says is no key")),
    }
}

async fn run(program: Program, connected: &mut Connected, connector: &Connector<'_>) -> Result<String> {
    let run = Run { program, environment: Vec::new(), directory: None, terminal: None, follow: None };
    let output = connected.connection.output(run, &[]).await.map_err(|source| Error::lost(&connector.name(), source))?;
    match output.exit_code {
        0 => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        sshd::NO_SSHD => Err(Error::NoSshd { container: connector.name() }),
        sshd::NOT_ALLOWED => Err(Error::SshdOfRoot { container: connector.name() }),
        _ => Err(failed(connector, &quote::printable(&String::from_utf8_lossy(&output.stderr)))),
    }
}

fn failed(connector: &Connector<'_>, message: &str) -> Error {
    Error::Inside { container: connector.name(), action: "run sshd".to_owned(), message: message.to_owned() }
}

/// The person's own, of the files and of the agent.
async fn public_keys(context: &Context) -> Result<Vec<String>> {
    let directory = context.home.as_deref().map(|home| home.join(".ssh"));
    let files = directory.and_then(|directory| fs::read_dir(directory).ok()).into_iter().flatten().flatten();
    let is_public = |path: &PathBuf| path.extension().is_some_and(|end| end == "pub");
    let texts = files.map(|file| file.path()).filter(is_public).filter_map(|path| fs::read_to_string(path).ok());
    let mut keys: Vec<String> = texts.chain(agents_keys(context).await).flat_map(|text| keys_of(&text)).collect();
    keys.sort();
    keys.dedup();
    if keys.is_empty() { Err(Error::NoPublicKey) } else { Ok(keys) }
}

async fn agents_keys(context: &Context) -> Option<String> {
    context.variable("SSH_AUTH_SOCK").filter(|path| !path.is_empty())?;
    let mut list = tokio::process::Command::new("ssh-add");
    list.arg("-L").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let listed = tokio::time::timeout(AGENT, list.output()).await.ok()?.ok()?;
    listed.status.success().then(|| String::from_utf8_lossy(&listed.stdout).into_owned())
}

/// Without comments. What is not a plain key, as a certificate, is none.
fn keys_of(text: &str) -> Vec<String> {
    let key = |line: &str| {
        let (kind, rest) = line.trim().split_once(' ')?;
        let is_key = KINDS.iter().any(|start| kind.starts_with(start)) && !kind.contains("-cert-");
        is_key.then(|| format!("{kind} {}", rest.split_whitespace().next().unwrap_or_default()))
    };
    text.lines().filter_map(key).collect()
}

fn known_hosts(state_dir: &Path) -> PathBuf {
    state_dir.join("ssh/known_hosts")
}

/// Notes a host's key, in one step: other clients read the file at any time.
async fn remember(host: &str, key: &str, state_dir: &Path) -> Result<()> {
    let file = known_hosts(state_dir);
    let line = format!("{} {key}", host.to_ascii_lowercase());
    let read = || fs::read_to_string(&file).unwrap_or_default();
    if read().lines().any(|known| known == line) {
        return Ok(());
    }
    let _lock = paths::lock_ssh(state_dir).await?;
    let known = read();
    let others = known.lines().filter(|known| known.split(' ').next() != line.split(' ').next());
    let text: String = others.chain([line.as_str()]).flat_map(|line| [line, "\n"]).collect();
    let new = file.with_extension("new");
    let written: io::Result<()> = fs::write(&new, text).and_then(|()| fs::rename(&new, &file));
    written.map_err(|source| Error::io(format!("write `{}`", file.display()), source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_keys_are_keys() {
        let text = "ssh-ed25519 AAAA ada@host\n\n# a comment\nssh-rsa-cert-v01@openssh.com BBBB\n  ecdsa-sha2-nistp256 CCCC\n\
                    no-pty ssh-ed25519 DDDD\nsk-ssh-ed25519@openssh.com EEEE key of ada\nssh-rsa\n";
        assert_eq!(keys_of(text), ["ssh-ed25519 AAAA", "ecdsa-sha2-nistp256 CCCC", "sk-ssh-ed25519@openssh.com EEEE"]);
    }
}
