//! What the engine and the relays say. The one needs the engine, the others don't.

use futures_util::{StreamExt, stream};

use crate::connection::Relays;
use crate::container::connect::Connector;
use crate::context::Context;
use crate::engine::Listed;
use crate::error::Result;
use crate::model::Session;
use crate::project::Project;

/// How many relays to ask at once.
const AT_ONCE: usize = 16;

pub async fn containers(context: &Context) -> Result<Vec<Listed>> {
    context.containers().await
}

/// The sessions of every container whose relay answers; where relays can't be reached, of those that are known to run.
pub async fn sessions(running: Vec<Project>, context: &Context) -> Vec<(Project, Vec<Session>)> {
    let relays = context.relays();
    if !relays.are_used() {
        return sessions_by_exec(running, relays, context).await;
    }
    relays.sessions().await
}

async fn sessions_by_exec(running: Vec<Project>, relays: Relays<'_>, context: &Context) -> Vec<(Project, Vec<Session>)> {
    let ask = async |project: Project| {
        let mut connected = Box::pin(Connector::by(relays, &project, context).running()).await.ok()?;
        let sessions = connected.connection.sessions().await.ok()?;
        Some((project, sessions))
    };
    let asked = stream::iter(running).map(ask).buffer_unordered(AT_ONCE);
    asked.filter_map(std::future::ready).collect().await
}
