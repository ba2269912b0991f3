//! The engine's events, and whether there is an engine.

use std::cell::Cell;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::sync::mpsc::UnboundedSender;

use crate::context::Context;
use crate::engine::Engine;
use crate::model::ContainerName;

/// How soon an engine that has gone is looked for again, and how rarely at last.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Events that were followed for longer than this have worked.
const WORKED: Duration = Duration::from_secs(1);
/// How long nothing may happen until the engine is asked whether it is still there.
const PULSE: Duration = Duration::from_secs(12);

pub enum Happened {
    /// To these containers.
    To(Vec<ContainerName>),
    /// Nobody can say any more what happens to them.
    Gone,
    /// Somebody can again, and anything may have happened meanwhile.
    Back,
}

/// Tells of what happens, and goes on with that whatever becomes of the engine. One that hangs is noticed while somebody
/// looks.
pub async fn follow(context: &Context, is_looked_at: &Cell<bool>, happened: UnboundedSender<Happened>) -> Infallible {
    let mut pause = FIRST_PAUSE;
    let mut is_there = None;
    loop {
        let now = match context.engine() {
            Ok(engine) => engine.ping().await.map(|()| engine),
            Err(error) => Err(error),
        };
        if is_there != Some(now.is_ok()) || now.is_ok() {
            let _ = happened.send(if now.is_ok() { Happened::Back } else { Happened::Gone });
        }
        is_there = Some(now.is_ok());
        if let Ok(engine) = now {
            let started = Instant::now();
            // With what has happened since the containers were looked at; the engine's clock may be some seconds behind.
            let mut events = engine.events(jiff::Timestamp::now().as_second() - 2);
            while let Some(Ok(names)) = tokio::select! {
                event = events.next() => event,
                () = hangs(engine, is_looked_at) => None,
            } {
                let _ = happened.send(Happened::To(names));
            }
            if started.elapsed() > WORKED {
                pause = FIRST_PAUSE;
                continue;
            }
        }
        tokio::time::sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// Ends when the engine does not answer, as one that hangs: its events' connection stays open, and nothing comes.
async fn hangs(engine: &Engine, is_looked_at: &Cell<bool>) {
    loop {
        tokio::time::sleep(PULSE).await;
        if is_looked_at.get() && engine.ping().await.is_err() {
            return;
        }
    }
}
