//! `tank image rm`: images off the disk.

use clap::Args;

use crate::app::report::ImageRemoveReport;
use crate::cli::each::Each;
use crate::cli::flags::{Lock, Output};
use crate::cli::{Context, Outcome};

/// Remove images
///
/// Removing a name leaves the image until its last name is gone; a digest removes the image with
/// all of its names. An image that a pod or an instance uses is not removed, and they are named. The
/// other images of the command line are removed all the same.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank image rm nginx:1.26 localhost/app:6
  tank image rm 9f86d081884c               by the beginning of a digest")]
pub struct RmArgs {
    /// The images, by name or digest
    #[arg(value_name = "IMAGE", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &RmArgs, context: &mut Context) -> Outcome {
    let mut app = context.open(args.lock)?;
    let each = Each { key: "images", line };
    each.of(context, &args.names, args.output, |_, name| app.image_remove(name))
}

fn line(report: &ImageRemoveReport) -> String {
    match report.removed {
        true => format!("image {} removed", report.name),
        false => format!("image {} untagged", report.name),
    }
}
