//! `wharf image`

use std::io::Write;
use std::process::ExitCode;

use bytesize::ByteSize;
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};

use crate::cli::{BuildImage, Image};
use crate::context::Context;
use crate::default_image::{self, Variant};
use crate::engine::ListedImage;
use crate::error::{Error, Result};
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
    if default_image::make(context.engine()?, variant, base, args.force).await? {
        println!("{} is ready", variant.image());
    } else {
        println!("{} is there", variant.image());
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(json: bool, context: &Context) -> Result<ExitCode> {
    let images = context.engine()?.images(&NAMES).await?;
    let text = if json {
        let json = serde_json::to_string_pretty(&images).map_err(|error| Error::io("print JSON", error.into()))?;
        format!("{json}\n")
    } else if images.is_empty() {
        "there are no images of wharf's yet; `wharf image build` makes the default one\n".to_owned()
    } else {
        table(&images)
    };
    match anstream::stdout().write_all(text.as_bytes()) {
        // The reader has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        printed => printed.map(|()| ExitCode::SUCCESS).map_err(|source| Error::io("print the list", source)),
    }
}

fn table(images: &[ListedImage]) -> String {
    let mut builder = Builder::default();
    builder.push_record(["NAME", "ID", "SIZE", "CREATED", "PROJECT"]);
    for image in images {
        let id: String = image.id.trim_start_matches("sha256:").chars().take(12).collect();
        let size = ByteSize(image.size).display().si().to_string();
        let project = image.project.as_deref().map_or_else(|| "-".to_owned(), quote::printable);
        builder.push_record([image.name.clone(), id, size, image.created_at.clone(), project]);
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
