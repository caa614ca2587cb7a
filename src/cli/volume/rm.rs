//! `tank volume rm`: volumes off the disk.

use clap::Args;

use crate::app::report::VolumeReport;
use crate::cli::each::Each;
use crate::cli::flags::{Lock, Output};
use crate::cli::{Context, Outcome};
use crate::model::VolumeName;

/// Remove volumes with what they hold
///
/// A volume that a pod uses is not removed, and the pods are named; a stopped pod uses its volumes
/// too. The other volumes of the command line are removed all the same.
#[derive(Debug, Args)]
pub struct VolumeRmArgs {
    /// The volumes
    #[arg(value_name = "VOLUME", required = true)]
    names: Vec<VolumeName>,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &VolumeRmArgs, context: &mut Context) -> Outcome {
    let mut app = context.open(args.lock)?;
    let line = |report: &VolumeReport| format!("volume {} removed", report.name);
    let each = Each { key: "volumes", line };
    each.of(context, &args.names, args.output, |_, name| app.volume_remove(name))
}
