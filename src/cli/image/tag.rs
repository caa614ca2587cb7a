//! `tank image tag`: one more name for an image.

use clap::Args;

use crate::cli::failure::DONE;
use crate::cli::flags::{self, Lock, Output};
use crate::cli::{Context, Outcome};
use crate::model::image_name::ImageName;

/// Give an image one more name
///
/// An image that had the name loses it, and stays: `tank image prune` removes images that nothing
/// needs. Pods keep the image that a name meant when they were applied.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank image tag nginx:1.27 localhost/web:stable
  tank image tag 9f86d081884c localhost/app:7")]
pub struct TagArgs {
    /// The image, by name or digest
    #[arg(value_name = "IMAGE")]
    source: String,
    /// The name to give it
    #[arg(value_name = "NAME", value_parser = flags::image_name)]
    name: ImageName,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &TagArgs, context: &mut Context) -> Outcome {
    let mut app = context.open(args.lock)?;
    let report = app.image_tag(&args.source, &args.name)?;
    if args.output.is_json() {
        context.ui.out.json(&report)?;
    } else if !context.ui.is_quiet() {
        let was = report.replaced.map(|old| format!(", which {} had", old.short()));
        let was = was.unwrap_or_default();
        let line = format!("image {} named {}{was}", report.digest.short(), report.name);
        context.ui.out.line(&line)?;
    }
    Ok(DONE)
}
