//! `wharf forward`

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::exec;
use crate::cli::Forward;
use crate::commands::target;
use crate::connection::ports;
use crate::connection::signals::Signals;
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::{print, report};
use crate::protocol::NOBODY_LISTENS;

/// How long to wait before a connection that was lost is made anew.
const PAUSE: Duration = Duration::from_secs(1);

/// Leads a port of the loopback to one of the container's, until a signal comes or the container ends.
pub async fn run(args: Forward, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.target.as_deref(), context).await?;
    let connector = Connector::to(&project, context);
    drop(Box::pin(exec::enter(&connector)).await?);
    let (host, container) = (args.port.host, args.port.container);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, host)).await.map_err(|source| refused(host, source))?;
    let address = listener.local_addr().map_err(|source| refused(host, source))?;
    let mut signals = Signals::listen().map_err(|source| Error::io("listen for signals", source))?;
    let leads = format!("{address} leads to port {container} of {}", connector.name());
    if context.client.is_some() {
        report::note(&leads, context);
    } else {
        print::line(format_args!("{leads}; Ctrl-C ends it"))?;
    }
    let mut clients = FuturesUnordered::new();
    let mut ended = std::pin::pin!(end_of(&connector));
    let mut was_told = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => clients.push(Box::pin(serve(stream, container, &connector))),
                // Out of descriptors.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
            Some(served) = clients.next() => match served {
                Ok(NOBODY_LISTENS) if !was_told => {
                    was_told = true;
                    report::note(&format!("nobody listens at port {container} of {} yet", connector.name()), context);
                }
                _ => {}
            },
            error = &mut ended => return Err(error),
            _ = signals.recv() => return Ok(ExitCode::SUCCESS),
        }
    }
}

async fn serve(stream: TcpStream, port: u16, connector: &Connector<'_>) -> Result<i32> {
    let mut connected = Box::pin(connector.running()).await?;
    let _ = stream.set_nodelay(true);
    ports::join(&mut connected.connection, port, stream).await.map_err(|source| Error::lost(&connector.name(), source))
}

/// Waits until nothing leads into the container any more.
async fn end_of(connector: &Connector<'_>) -> Error {
    loop {
        match Box::pin(connector.running()).await {
            Ok(connected) => {
                if let Ok(mut follower) = connected.connection.follow_alerts().await {
                    while follower.next().await.is_ok() {}
                }
            }
            Err(error) if error.is_engine_lost() => {}
            Err(error) => return error,
        }
        sleep(PAUSE).await;
    }
}

fn refused(port: u16, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortTaken { port, address: IpAddr::V4(Ipv4Addr::LOCALHOST) },
        _ => Error::io(format!("listen at port {port}"), source),
    }
}
