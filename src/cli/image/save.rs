//! `tank image save`: images to a file that others read.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::{SaveFormat, SaveRequest, SaveTarget};
use crate::cli::failure::{DONE, Failure};
use crate::cli::{Context, Outcome};

/// Save images to a file that docker, podman, skopeo and tank read
///
/// Everything is verified on the way. Layers and manifests are saved as they came, digests and all,
/// except that a docker archive has neither manifests nor compressed layers. They must have been
/// kept, as config.toml says unless it says otherwise (keep_blobs).
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank image save nginx:1.27 -o nginx.tar
  tank image save --format oci-layout -o layout localhost/app:7 localhost/app:8
  tank image save app | ssh other tank image load -i /dev/stdin")]
pub struct SaveArgs {
    /// The images, by name or digest
    #[arg(value_name = "IMAGE", required = true)]
    names: Vec<String>,
    /// The file, or with oci-layout the directory; standard output if left out
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// What to write
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// An archive as of `docker save`, with plain layers
    #[default]
    DockerArchive,
    /// A tar archive of an OCI layout
    OciArchive,
    /// The directory of an OCI layout, new or empty
    OciLayout,
}

/// Runs the verb.
pub fn run(args: &SaveArgs, context: &mut Context) -> Outcome {
    let format = match args.format {
        Format::DockerArchive => SaveFormat::DockerArchive,
        Format::OciArchive => SaveFormat::OciArchive,
        Format::OciLayout => SaveFormat::OciLayout,
    };
    if args.output.is_none() && format == SaveFormat::OciLayout {
        let message = "a layout is a directory, which cannot go to standard output";
        return Err(Failure::usage(message, "-o DIR says where, or --format oci-archive"));
    }
    if args.output.is_none() && context.ui.out.is_terminal() {
        let message = "an archive is nothing for a terminal";
        return Err(Failure::usage(message, "-o FILE writes it to a file"));
    }
    let app = context.open_existing()?.ok_or_else(|| super::no_such_image(&args.names[0]))?;
    let target = match &args.output {
        Some(path) => SaveTarget::Path(path),
        None => SaveTarget::Stream(context.ui.out.raw()),
    };
    app.image_save(SaveRequest { names: &args.names, format, target })?;
    Ok(DONE)
}
