//! `wharf logs`

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use futures_util::StreamExt;

use crate::cli::Logs;
use crate::commands::target;
use crate::container::connect::Connector;
use crate::container::plan;
use crate::context::Context;
use crate::engine::Printed;
use crate::error::{Error, Result};

pub async fn run(args: Logs, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.target.as_deref(), context).await?;
    let connector = Connector::to(&project, context);
    let seen = connector.lifecycle()?.look(None).await?;
    let container = plan::owned(&project, &seen)?;
    let mut log = context.engine()?.log(&container.name, args.tail, args.follow);
    while let Some(printed) = log.next().await {
        let written = match printed? {
            Printed::Output(bytes) => write(io::stdout().lock(), &bytes),
            Printed::ErrorOutput(bytes) => write(io::stderr().lock(), &bytes),
        };
        match written {
            // The reader has seen enough, as in `wharf logs | head -1`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            written => written.map_err(|source| Error::io("print the log", source))?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// As it is, but for a terminal, which does not obey what a container prints.
pub fn write(mut stream: impl Write + IsTerminal, bytes: &[u8]) -> io::Result<()> {
    if stream.is_terminal() {
        let is_shown = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
        let text: String = String::from_utf8_lossy(bytes).chars().filter(is_shown).collect();
        stream.write_all(text.as_bytes())?;
    } else {
        stream.write_all(bytes)?;
    }
    stream.flush()
}
