//! `tank volume prune`: volumes that no pod uses.

use clap::Args;

use crate::app::report::VolumePruneReport;
use crate::cli::failure::DONE;
use crate::cli::flags::{Lock, Output};
use crate::cli::{Context, Outcome};

/// Remove volumes that no pod uses and that hold nothing
///
/// With --all those too that hold something, which is gone then. A stopped pod uses its volumes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank volume prune                   the empty ones
  tank volume prune --all --dry-run   what would be lost")]
pub struct VolumePruneArgs {
    /// Volumes that hold something too
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
pub fn run(args: &VolumePruneArgs, context: &mut Context) -> Outcome {
    // Where there is nothing yet, there is nothing to remove.
    let report = match context.open_existing()? {
        None => VolumePruneReport::default(),
        Some(mut app) if args.dry_run => app.volume_prune(args.all, true)?,
        Some(_) => context.open(args.lock)?.volume_prune(args.all, false)?,
    };
    if args.output.is_json() {
        context.ui.out.json(&report)?;
    } else if !context.ui.is_quiet() {
        let done = if args.dry_run { "would be removed" } else { "removed" };
        for name in &report.volumes {
            context.ui.out.line(&format!("volume {name} {done}"))?;
        }
    }
    Ok(DONE)
}
