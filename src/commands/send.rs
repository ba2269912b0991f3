//! `wharf send`

use std::io::{self, Read};
use std::process::ExitCode;

use crate::cli::Send;
use crate::context::Context;
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::target;
use crate::way::control;

pub async fn run(args: Send, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(Some(&args.target), context).await?;
    let text = match args.text {
        Some(text) => text.into_bytes(),
        None => read_standard_input()?,
    };
    let entry = Entry::to(&project, context);
    let mut door = entry.running().await?;
    control::send(&mut door.connection, &entry.name(), &args.session, &text, args.enter).await?;
    Ok(ExitCode::SUCCESS)
}

fn read_standard_input() -> Result<Vec<u8>> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text).map_err(|source| Error::io("read the text", source))?;
    Ok(text)
}
