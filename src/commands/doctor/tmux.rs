//! The host's tmux: the program, the server at hand, and what wharf has done in it.

use std::time::Duration;

use crate::commands::setup;
use crate::commands::watch::{self, Watcher};
use crate::connection::control;
use crate::container::connect::Connector;
use crate::context::Context;
use crate::model::{InnerTmux, TmuxVersion};
use crate::project::Project;
use crate::tmux::{TmuxServer, program_version};

use super::finding::Finding;

/// How long a container may take to say which tmux it has.
const ANSWER: Duration = Duration::from_secs(1);

pub async fn tmux(context: &Context) -> Vec<Finding> {
    let install = "install tmux 3.2 or newer, as by `sudo apt-get install tmux`";
    let program = program_version().await;
    let in_path = program.as_ref().ok().cloned();
    let mut findings = vec![match program {
        Ok(version) => Finding::ok("tmux", &format!("version {version}")),
        Err(error) => Finding::of("tmux", &error, install),
    }];
    let Some(server) = &context.tmux else {
        let found = "this is outside tmux, so nobody knows how its keys and options are";
        findings.push(Finding::warning("server", found, "in a pane of tmux, `wharf doctor` says it"));
        return findings;
    };
    let socket = server.socket().display();
    match server.version().await {
        Ok(version) => {
            let is_other = in_path.is_some_and(|in_path| in_path != version);
            let by = if is_other { format!(", spoken to by `{}`", server.program().display()) } else { String::new() };
            findings.push(Finding::ok("server", &format!("version {version} at `{socket}`{by}")));
            findings.extend([keys(server), watcher(context), options(server)]);
        }
        Err(error) => {
            let hint = format!("`tmux -S {socket} list-sessions` shows whether it answers; a newer tmux needs a new server");
            findings.push(Finding::of("server", &error, &hint));
        }
    }
    findings
}

/// The tmux in a container that runs, beside the one that shows its sessions.
pub async fn inside(project: &Project, context: &Context) -> Finding {
    const CHECK: &str = "inside";
    let connector = Connector::to(project, context);
    let ask = async { control::inner_tmux(&mut connector.running().await.ok()?.connection).await };
    let inside = tokio::time::timeout(ANSWER, Box::pin(ask)).await.ok().flatten();
    let outside = match &context.tmux {
        Some(server) => server.version().await,
        None => program_version().await,
    };
    let outside = outside.ok().and_then(|version| version.parse().ok());
    compare(CHECK, inside, outside, connector.name().as_str())
}

fn compare(check: &'static str, inside: Option<InnerTmux>, outside: Option<TmuxVersion>, container: &str) -> Finding {
    let Some(inside) = inside else {
        return Finding::warning(check, "the container does not say which one it has", &format!("`wharf restart {container}`"));
    };
    match outside {
        Some(outside) if inside.is_older_than(outside) => {
            let found = format!("{}, and yours is {outside}: sessions lack what only the newer one can do", inside.sentence());
            Finding::warning(check, &found, &format!("`wharf rebuild {container}` puts yours in"))
        }
        _ => Finding::ok(check, &inside.sentence()),
    }
}

fn keys(server: &TmuxServer) -> Finding {
    const CHECK: &str = "keys";
    let looked = server.options().and_then(|options| Ok((options, server.keys_noted(&setup::NOTES)?)));
    match looked {
        Ok((options, bound)) => {
            let wanted = [options.open_key, options.pick_key, options.menu_key, options.next_key];
            let bound: Vec<String> = bound.iter().map(|key| format!("`prefix {key}`")).collect();
            judge(CHECK, wanted.iter().flatten().count(), &bound)
        }
        Err(error) => Finding::of(CHECK, &error, "correct it in `.tmux.conf`; then `wharf setup`"),
    }
}

/// `wanted` is how many of the keys the options want.
fn judge(check: &'static str, wanted: usize, bound: &[String]) -> Finding {
    let shown = bound.join(", ");
    match bound.len() {
        _ if wanted == 0 => Finding::ok(check, "none is bound, as the options want it"),
        0 => {
            let hint = "`wharf setup` binds them; `run-shell …/wharf.tmux` in `.tmux.conf` does so each time";
            Finding::warning(check, "none of wharf's keys is bound", hint)
        }
        found if found < wanted => {
            let hint = "`wharf setup` binds the others, unless `.tmux.conf` takes them for something else afterwards";
            Finding::warning(check, &format!("of {wanted} keys, wharf has only {shown}"), hint)
        }
        _ => Finding::ok(check, &shown),
    }
}

fn watcher(context: &Context) -> Finding {
    const CHECK: &str = "watcher";
    match watch::watcher(context) {
        Some(Watcher::Same) => Finding::ok(CHECK, "one runs for the status line"),
        Some(Watcher::Another) => {
            Finding::warning(CHECK, "the one that runs is another wharf's", "`wharf setup` puts this one's in its place")
        }
        _ => Finding::warning(CHECK, "none runs, so the status line stands still", "`wharf setup` starts it"),
    }
}

fn options(server: &TmuxServer) -> Finding {
    const CHECK: &str = "options";
    match server.missing_options() {
        Ok(missing) if missing.is_empty() => Finding::ok(CHECK, "tmux has every option that sessions need"),
        Ok(missing) => {
            let (lines, gains): (Vec<_>, Vec<_>) = missing.into_iter().map(|(line, why)| (format!("`{line}`"), why)).unzip();
            let found = format!("sessions can't do all that a bare pane does ({})", gains.join("; "));
            Finding::warning(CHECK, &found, &format!("in `.tmux.conf`: {}", lines.join(", ")))
        }
        Err(error) => Finding::of(CHECK, &error, "`tmux show-options -s` shows whether the server answers"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::finding::Verdict;

    #[test]
    fn an_older_tmux_inside_is_worth_a_warning() {
        for (inside, outside, state) in [
            ("host 3.8", "3.8", Verdict::Ok),
            ("image 3.8", "3.3a", Verdict::Ok),
            ("image 3.3a", "3.8", Verdict::Warning),
            ("host 3.3a", "", Verdict::Ok),
            ("", "3.3a", Verdict::Warning),
        ] {
            assert_eq!(compare("x", inside.parse().ok(), outside.parse().ok(), "api").state, state, "{inside} in {outside}");
        }
    }

    #[test]
    fn keys_are_right_when_all_that_are_wanted_are_bound() {
        let keys = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect::<Vec<_>>();
        for (wanted, bound, state) in [
            (0, keys(&[]), Verdict::Ok),
            (1, keys(&["O"]), Verdict::Ok),
            (3, keys(&["O", "W", "M-w"]), Verdict::Ok),
            (3, keys(&[]), Verdict::Warning),
            (3, keys(&["O", "W"]), Verdict::Warning),
        ] {
            assert_eq!(judge("keys", wanted, &bound).state, state, "{wanted} {bound:?}");
        }
    }
}
