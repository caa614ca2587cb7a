//! `tank image prune`: images that nothing needs.

use clap::Args;

use crate::app::report::{ImagePruneReport, ImageReport};
use crate::cli::failure::DONE;
use crate::cli::flags::{Lock, Output};
use crate::cli::people;
use crate::cli::{Context, Outcome};

/// Remove images that nothing needs
///
/// Removes the images that have no name, or with --all every one, except those that a pod or an
/// instance needs: a stopped pod needs its images too. What interrupted downloads left goes as
/// well. Prints what was removed, and how many bytes of the disk that frees: layers and what was
/// kept of images as they came, each counted once.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank image prune                   images that lost their names
  tank image prune --all --dry-run   what all images that no pod needs take")]
pub struct PruneArgs {
    /// Images with names too
    #[arg(short, long)]
    all: bool,
    /// Say what would be removed, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &PruneArgs, context: &mut Context) -> Outcome {
    // Where there is nothing yet, there is nothing to remove.
    let report = match context.open_existing()? {
        None => ImagePruneReport::default(),
        Some(mut app) if args.dry_run => app.image_prune(args.all, true)?,
        Some(_) => context.open(args.lock)?.image_prune(args.all, false)?,
    };
    if args.output.is_json() {
        context.ui.out.json(&report)?;
        return Ok(DONE);
    }
    if context.ui.is_quiet() {
        return Ok(DONE);
    }
    let (done, freed) =
        if args.dry_run { ("would be removed", "would free") } else { ("removed", "freed") };
    for image in &report.images {
        for name in names(image) {
            context.ui.out.line(&format!("image {name} {done}"))?;
        }
    }
    context.ui.out.line(&format!("{freed} {}", people::size(report.freed)))?;
    Ok(DONE)
}

/// Its names, or its digest where it has none.
fn names(image: &ImageReport) -> Vec<String> {
    match image.names.as_slice() {
        [] => vec![image.digest.to_string()],
        names => names.to_vec(),
    }
}
