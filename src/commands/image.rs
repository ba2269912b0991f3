//! `wharf image`

use std::process::ExitCode;

use bytesize::ByteSize;
use tabled::builder::Builder;

use crate::cli::{BuildImage, Image};
use crate::context::Context;
use crate::engine::ListedImage;
use crate::error::Result;
use crate::image::default::{self, Variant};
use crate::output::local::local_of;
use crate::output::print;
use crate::quote;

/// What wharf's images are called.
const NAMES: [&str; 3] = ["wharf-default", "wharf-default-gpu", "wharf-project-*"];

pub async fn run(verb: Image, context: &Context) -> Result<ExitCode> {
    match verb {
        Image::Build(args) => Box::pin(build(args, context)).await,
        Image::List { json } => list(json, context).await,
    }
}

async fn build(args: BuildImage, context: &Context) -> Result<ExitCode> {
    let variant = if args.gpu { Variant::Gpu } else { Variant::Plain };
    let base = args.base.as_deref().filter(|base| !base.is_empty());
    let is_new = default::make(context.engine()?, variant, base, args.force).await?;
    print::line(format_args!("{} is {}", variant.image(), if is_new { "ready" } else { "there" }))?;
    Ok(ExitCode::SUCCESS)
}

async fn list(json: bool, context: &Context) -> Result<ExitCode> {
    let images = context.engine()?.images(&NAMES).await?;
    if json {
        print::json(&images)?;
    } else if images.is_empty() {
        print::line("there are no images of wharf's yet; `wharf image build` makes the default one")?;
    } else {
        print::text(&table(&images, print::width()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(images: &[ListedImage], width: Option<usize>) -> String {
    let mut builder = Builder::default();
    builder.push_record(["NAME", "ID", "SIZE", "CREATED", "PROJECT"]);
    for image in images {
        let id: String = image.id.trim_start_matches("sha256:").chars().take(12).collect();
        let size = ByteSize(image.size).display().si().to_string();
        let project = image.project.as_deref().map_or_else(|| "-".to_owned(), quote::printable);
        builder.push_record([image.name.clone(), id, size, local_of(&image.created_at), project]);
    }
    print::table(builder, width)
}
