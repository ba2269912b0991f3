//! `wharf config`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::flags;
use crate::cli::{Config, ShowConfig};
use crate::commands::target;
use crate::config::{self, Locations, Part, Scope, own_file};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::output::{print, report};
use crate::quote;

pub async fn run(args: Config, context: &Context) -> Result<ExitCode> {
    match args {
        Config::Check { files } => check(files, context).await,
        Config::Show(args) => show(args, context).await,
        Config::Path { target } => {
            let project = target::resolve(target.as_deref(), context).await?;
            print::line(context.config_file.display())?;
            print::line(own_file(project.path()).display())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A file is a project's unless it is the global one or has its name.
pub fn part(file: &Path, locations: &Locations) -> Result<Option<Part>> {
    let is_global = file == locations.global || locations.global.file_name() == file.file_name();
    locations.part(if is_global { Scope::Global } else { Scope::Project }, file)
}

async fn check(named: Vec<PathBuf>, context: &Context) -> Result<ExitCode> {
    let mut files = named.clone();
    if named.is_empty() {
        let project = target::resolve(None, context).await?;
        files = vec![context.config_file.clone(), own_file(project.path())];
    }
    let locations = context.configuration();
    let failures = files.iter().filter_map(|file| match part(file, &locations) {
        // One that was not named need not be there.
        Ok(None) if !named.is_empty() => Some(Error::NoProjectFile { path: file.clone() }),
        checked => checked.err(),
    });
    let mut failures: Vec<Error> = failures.collect();
    if failures.is_empty() {
        for file in files.iter().filter(|file| file.exists()) {
            print::line(format_args!("`{}` is right", quote::visible(&file.to_string_lossy())))?;
        }
        if !files.iter().any(|file| file.exists()) {
            print::line("there is no configuration, and none is needed")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (wrong, others): (Vec<_>, Vec<_>) =
        failures.drain(..).partition(|failure| matches!(failure, Error::Configuration { .. }));
    others.iter().for_each(report::print);
    if !wrong.is_empty() {
        report::print(&Error::all_of_configuration(wrong));
    }
    Ok(ExitCode::FAILURE)
}

async fn show(args: ShowConfig, context: &Context) -> Result<ExitCode> {
    let project = target::resolve(args.target.as_deref(), context).await?;
    let profile = args.creation.profile.as_deref();
    let effective = context.configuration().effective(&project, profile, flags(&args.creation))?;
    if let Some(waiting) = &effective.waiting {
        report::note_waiting(waiting, context);
    }
    if args.json {
        print::json(&effective.config)?;
    } else {
        print::text(&config::show(&effective.config))?;
    }
    Ok(ExitCode::SUCCESS)
}
