//! `wharf trust`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::Trust;
use crate::commands::target;
use crate::config::{Trusted, lines_of, own_file};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::print;
use crate::quote;

pub async fn run(args: Trust, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.directory.as_deref(), context).await?;
    let trusted = Trusted { state_dir: &context.state_dir, project: &project };
    let own = own_file(project.path());
    let files = context.configuration().project_files(&project);
    let shown = |path: &Path| quote::visible(&path.to_string_lossy());
    if args.revoke {
        let was = trusted.revoke().map_err(|source| Error::io(format!("forget `{}`", own.display()), source))?;
        // Whatever they say, they can be forgotten.
        let paths: Vec<PathBuf> = files.into_iter().flatten().map(|file| file.path).collect();
        for path in if paths.is_empty() { vec![own] } else { paths } {
            print::line(format_args!("`{}` {}", shown(&path), if was { "is not trusted any more" } else { "was not trusted" }))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let files = files?;
    if files.is_empty() {
        return Err(Error::NoProjectFile { path: own });
    }
    let texts = files.iter().map(|file| (file.path.as_path(), file.reach.as_str()));
    trusted.put(&texts, args.privileged).map_err(|source| Error::io(format!("trust `{project}`"), source))?;
    for file in &files {
        print::line(format_args!("`{}` is trusted as it is now", shown(&file.path)))?;
        for (number, line) in lines_of(&file.text, &file.reaching) {
            print::line(format_args!("  {number}: {}", quote::printable(&line)))?;
        }
        // It may be written over several lines.
        for hook in &file.part.on_host {
            print::line(format_args!("  on this host, before the container starts: {}", quote::printable(&hook.to_string())))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
