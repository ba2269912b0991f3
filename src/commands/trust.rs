//! `wharf trust`

use std::process::ExitCode;

use crate::cli::Trust;
use crate::commands::target;
use crate::config::{Trusted, inside_only, lines_of, own_file};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::print;
use crate::quote;

pub async fn run(args: Trust, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.directory.as_deref(), context).await?;
    let trusted = Trusted { state_dir: &context.state_dir, project: &project };
    let file = own_file(project.path());
    let shown = quote::visible(&file.to_string_lossy());
    if args.revoke {
        let was = trusted.revoke().map_err(|source| Error::io(format!("forget `{}`", file.display()), source))?;
        print::line(format_args!("`{shown}` {}", if was { "is not trusted any more" } else { "was not trusted" }))?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some((part, text)) = context.configuration().part_and_text(&file)? else {
        return Err(Error::NoProjectFile { path: file });
    };
    trusted.put(&part).map_err(|source| Error::io(format!("trust `{}`", file.display()), source))?;
    print::line(format_args!("`{shown}` is trusted as it is now"))?;
    for (number, line) in lines_of(&text, &inside_only(part).1) {
        print::line(format_args!("  {number}: {}", quote::printable(&line)))?;
    }
    Ok(ExitCode::SUCCESS)
}
