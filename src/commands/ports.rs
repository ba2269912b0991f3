//! `wharf ports`

use std::process::ExitCode;

use serde::Serialize;
use tabled::builder::Builder;

use crate::cli::Ports;
use crate::commands::target;
use crate::context::Context;
use crate::engine::Listed;
use crate::error::{Error, Result};
use crate::output::print;
use crate::quote::visible;

#[derive(Serialize)]
struct Row {
    name: String,
    project: String,
    container: String,
    container_port: u16,
    /// `tcp`, `udp` or `sctp`
    protocol: String,
    address: String,
    host_port: u16,
}

pub async fn run(args: Ports, context: &Context) -> Result<ExitCode> {
    let mut containers = context.engine()?.containers().await?;
    if args.target.is_some() {
        let project = target::resolve(args.target.as_deref(), context).await?;
        containers.retain(|listed| listed.project == project);
        if containers.is_empty() {
            return Err(Error::NoContainer { project: project.to_string() });
        }
    }
    let rows: Vec<Row> = containers.iter().flat_map(rows).collect();
    if args.json {
        print::json(&rows)?;
    } else if rows.is_empty() {
        print::line("no port is published by a container that runs")?;
    } else {
        print::text(&table(&rows, print::width()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// By the container's port, and of one port by address.
fn rows(listed: &Listed) -> Vec<Row> {
    let mut ports = listed.ports.clone();
    ports.sort();
    let row = |port: crate::engine::Published| Row {
        name: listed.project.short_name().to_owned(),
        project: listed.project.to_string(),
        container: listed.name.to_string(),
        container_port: port.container,
        protocol: port.protocol,
        address: port.address,
        host_port: port.host,
    };
    ports.into_iter().map(row).collect()
}

fn table(rows: &[Row], width: Option<usize>) -> String {
    let mut builder = Builder::default();
    builder.push_record(["PORT", "ADDRESS", "HOST PORT", "PROJECT"]);
    for row in rows {
        let port = format!("{}/{}", row.container_port, row.protocol);
        builder.push_record([port, row.address.clone(), row.host_port.to_string(), visible(&row.project)]);
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
            address: "127.0.0.1".to_owned(),
            host_port: 8080,
        };
        let expected = "PORT    ADDRESS    HOST PORT  PROJECT\n80/tcp  127.0.0.1  8080       /srv/größe\\u{1b}[31m\n";
        assert_eq!(table(std::slice::from_ref(&row), None), expected);
        let narrow = table(&[row], Some(20));
        assert!(narrow.lines().all(|line| line.chars().count() <= 20), "{narrow}");
    }
}
