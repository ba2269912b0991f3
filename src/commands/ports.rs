//! `wharf ports`

use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Serialize;
use tabled::builder::Builder;

use crate::cli::Ports;
use crate::commands::target;
use crate::connection::ports;
use crate::container::connect::Connector;
use crate::context::Context;
use crate::engine::Listed;
use crate::error::{Error, Result};
use crate::output::{print, report};
use crate::quote::{self, visible};

/// How long a container may take to say at which ports somebody listens.
const PATIENCE: Duration = Duration::from_millis(1500);

#[derive(Serialize)]
struct Row {
    name: String,
    project: String,
    container: String,
    container_port: u16,
    /// `tcp`, `udp` or `sctp`
    protocol: String,
    /// `null` where nothing of this machine leads to it.
    address: Option<String>,
    host_port: Option<u16>,
}

pub async fn run(args: Ports, context: &Context) -> Result<ExitCode> {
    let mut containers = if args.target.is_some() { context.engine()?.containers().await? } else { context.containers().await? };
    if args.target.is_some() {
        let project = target::resolve(args.target.as_deref(), context).await?;
        containers.retain(|listed| listed.project == project);
        if containers.is_empty() {
            return Err(Error::NoContainer { project: project.to_string() });
        }
    }
    let mut all: Vec<Row> = Vec::new();
    for (listed, listening) in containers.iter().zip(listening(&containers, context).await) {
        all.extend(rows(listed, &listening));
    }
    let rows = all;
    if args.json {
        print::json(&rows)?;
    } else if rows.is_empty() {
        print::line("no port is published by a container that runs, and in none does anybody listen")?;
    } else {
        print::text(&table(&rows, print::width()))?;
        if let Some(row) = rows.iter().find(|row| row.host_port.is_none()) {
            let (name, port) = (quote::shell_if_needed(&row.name), row.container_port);
            report::note(&format!("nothing leads to where there is a `-`; `wharf forward {name} {port}` does"), context);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// At which ports somebody listens in each container. Who does not say so in time has none.
async fn listening(containers: &[Listed], context: &Context) -> Vec<Vec<u16>> {
    let ask = async |listed: &Listed| {
        let ask = async {
            let connector = Connector::by(context.relays(), &listed.project, context);
            let mut connected = Box::pin(connector.running()).await.ok()?;
            ports::listening(&mut connected.connection).await.ok()
        };
        if !listed.state.can_attach() {
            return Vec::new();
        }
        tokio::time::timeout(PATIENCE, ask).await.ok().flatten().unwrap_or_default()
    };
    join_all(containers.iter().map(ask)).await
}

/// By the container's port, and of one port by address; then those to which nothing leads.
fn rows(listed: &Listed, listening: &[u16]) -> Vec<Row> {
    let mut published = listed.ports.clone();
    published.sort();
    let is_published = |port: u16| published.iter().any(|known| known.container == port);
    let inside = listening.iter().copied().filter(|port| !is_published(*port)).map(|port| Row {
        name: listed.project.short_name().to_owned(),
        project: listed.project.to_string(),
        container: listed.name.to_string(),
        container_port: port,
        protocol: "tcp".to_owned(),
        address: None,
        host_port: None,
    });
    let inside: Vec<Row> = inside.collect();
    let row = |port: crate::engine::Published| Row {
        name: listed.project.short_name().to_owned(),
        project: listed.project.to_string(),
        container: listed.name.to_string(),
        container_port: port.container,
        protocol: port.protocol,
        address: Some(port.address),
        host_port: Some(port.host),
    };
    published.into_iter().map(row).chain(inside).collect()
}

fn table(rows: &[Row], width: Option<usize>) -> String {
    let mut builder = Builder::default();
    builder.push_record(["PORT", "ADDRESS", "HOST PORT", "PROJECT"]);
    for row in rows {
        let port = format!("{}/{}", row.container_port, row.protocol);
        let dash = || "-".to_owned();
        let host_port = row.host_port.map_or_else(dash, |port| port.to_string());
        builder.push_record([port, row.address.clone().unwrap_or_else(dash), host_port, visible(&row.project)]);
    }
    print::table(builder, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_columns_are_enough_for_something() {
        let row = Row {
            name: "api".to_owned(),
            project: "/srv/größe\u{1b}[31m".to_owned(),
            container: "wharf-api-0123456789ab".to_owned(),
            container_port: 80,
            protocol: "tcp".to_owned(),
            address: Some("127.0.0.1".to_owned()),
            host_port: Some(8080),
        };
        let expected = "PORT    ADDRESS    HOST PORT  PROJECT\n80/tcp  127.0.0.1  8080       /srv/größe\\u{1b}[31m\n";
        assert_eq!(table(std::slice::from_ref(&row), None), expected);
        let narrow = table(&[row], Some(20));
        assert!(narrow.lines().all(|line| line.chars().count() <= 20), "{narrow}");
    }
}
