//! `tank rollback`: make what a pod was before desired again.

use clap::Args;

use super::flags::{Lock, Output, Wait};
use super::pass::Narrator;
use super::{Context, Outcome};
use crate::model::PodName;

/// Make an earlier revision of a pod desired again, and run one pass
///
/// It becomes a new generation, so that going back can be undone the same way. Containers run the
/// very images that they ran then, also where their names mean others by now.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank history web                    what there is to go back to
  tank rollback web                   what it last was before it was what it is now
  tank rollback web --to 3 --wait")]
pub struct RollbackArgs {
    /// The pod
    name: PodName,
    /// The generation to go back to
    #[arg(long, value_name = "GENERATION")]
    to: Option<u64>,
    #[command(flatten)]
    wait: Wait,
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &RollbackArgs, context: &mut Context) -> Outcome {
    let mut app =
        if args.dry_run { context.open_for_plan(args.lock)? } else { context.open(args.lock)? };
    let mut narrator = Narrator::new(&mut context.ui, args.output.is_json(), args.dry_run);
    let report = if args.dry_run {
        app.preview_rollback(&args.name, args.to)?
    } else {
        app.rollback(&args.name, args.to, args.wait.wait, &mut |progress| narrator.tell(progress))?
    };
    Ok(narrator.finish(&report)?)
}
