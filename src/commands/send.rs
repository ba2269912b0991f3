//! `wharf send`

use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use crate::cli::Send;
use crate::commands::target;
use crate::connection::control::{self, Typed};
use crate::container::connect::Connector;
use crate::context::Context;
use crate::error::{Error, Result};

pub async fn run(args: Send, context: &Context) -> Result<ExitCode> {
    let target = target::resolve_session(Some(&args.target), args.session.as_ref(), context).await?;
    let text = match (args.text, &args.file) {
        (Some(text), _) => text.into_vec(),
        (None, Some(file)) => fs::read(file).map_err(|source| Error::io(format!("read `{}`", file.display()), source))?,
        (None, None) if args.keys.is_empty() => read_standard_input()?,
        (None, None) => Vec::new(),
    };
    let mut keys = args.keys;
    keys.extend(args.enter.then(|| "Enter".to_owned()));
    let connector = Connector::to(&target.project, context);
    let mut connected = connector.running().await?;
    let typed = Typed { text, as_paste: args.paste, keys };
    control::send(&mut connected.connection, &connector.name(), &target.session(), &typed).await?;
    Ok(ExitCode::SUCCESS)
}

fn read_standard_input() -> Result<Vec<u8>> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text).map_err(|source| Error::io("read the text", source))?;
    Ok(text)
}
