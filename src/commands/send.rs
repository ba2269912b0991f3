//! `wharf send`

use std::io::{self, Read};
use std::process::ExitCode;

use crate::cli::Send;
use crate::commands::target;
use crate::connection::control;
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::{Error, Result};

pub async fn run(args: Send, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(Some(&args.target), context).await?;
    let text = match args.text {
        Some(text) => text.into_bytes(),
        None => read_standard_input()?,
    };
    let connector = Connector::to(&project, context);
    let mut connected = connector.running().await?;
    control::send(&mut connected.connection, &connector.name(), &args.session, &text, args.enter).await?;
    Ok(ExitCode::SUCCESS)
}

fn read_standard_input() -> Result<Vec<u8>> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text).map_err(|source| Error::io("read the text", source))?;
    Ok(text)
}
