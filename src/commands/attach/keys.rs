//! What programs inside are given as extended keys: what the host's tmux would give them.

use std::future::pending;
use std::time::Duration;

use crate::connection::control;
use crate::container::connect::Connector;

/// A session that is being made has no server yet.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Gives the tmux inside the host's `extended-keys-format`, which tmux has from 3.5 on. Beside what the terminal shows, which
/// waits for nothing of this: so it never ends. A tmux inside that does not take it in time keeps what it has.
pub async fn follow_format(connector: &Connector<'_>) {
    let asked = match &connector.context.tmux {
        Some(tmux) => tmux.extended_keys_format().await.ok(),
        None => None,
    };
    if let Some(format) = asked.filter(|format| !format.is_empty()) {
        for _ in 0..TRIES {
            if let Ok(mut connected) = connector.running().await
                && control::set_option(&mut connected.connection, "extended-keys-format", &format)
                    .await
                    .is_ok_and(|is_set| is_set)
            {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    pending::<()>().await;
}
