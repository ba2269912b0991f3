//! What a session's program says of itself: an agent's hooks run `wharf-guest report waiting`.

use std::env;
use std::process::{ExitCode, Stdio};

use super::tmux::invocation;
use crate::model::SessionState;

/// Notes the state on the session of the pane that this runs in, or takes the last one back. Elsewhere there is nobody to
/// tell, and nothing is wrong: hooks must not make their program fail.
pub fn run(state: Option<SessionState>) -> ExitCode {
    let Some(pane) = env::var("TMUX_PANE").ok().filter(|pane| !pane.is_empty()) else {
        return ExitCode::SUCCESS;
    };
    let set = ["set-option", "-F", "-t", &pane];
    let mut words = Vec::new();
    match state {
        Some(state) => {
            words.extend(set.into_iter().chain(["@wharf-report", state.word(), ";"]));
            words.extend(set.into_iter().chain(["@wharf-report-at", "#{T:@wharf-now}", ";"]));
        }
        None => words.extend(["set-option", "-qu", "-t", &pane, "@wharf-report", ";"]),
    }
    words.extend(set.into_iter().chain(["@wharf-reports", "#{e|+|:0#{@wharf-reports},1}", ";"]));
    words.extend(["wait-for", "-S", "wharf-sessions"]);
    let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    if let Ok(tmux) = invocation(&words) {
        let _ = tmux.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
    ExitCode::SUCCESS
}
