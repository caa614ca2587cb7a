//! `tank seed`: make pods desired that are not there yet.

use clap::Args;

use super::flags::{Files, Lock, Output};
use super::input::{self, Purpose};
use super::pass::Narrator;
use super::pull_progress;
use super::{Context, Outcome};

/// Create the pods that do not exist yet, and run one pass
///
/// A pod that exists is never changed, so a machine image can seed its pods at every boot without
/// undoing what was applied later. What cannot be created is reported and skipped, and all else is
/// created: a file that is not valid (exit code 2), a pod whose image cannot be had, and a pod that
/// depends on one that does not exist (exit code 1).
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank seed -f /usr/share/appliance/pods")]
pub struct SeedArgs {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: &SeedArgs, context: &mut Context) -> Outcome {
    let mut loaded = input::load(&mut context.ui, &args.files.files, Purpose::Apply)?;
    let mut stated = std::mem::take(&mut loaded.stated);
    let mut app = context.open(args.lock)?;
    let (images, unpulled) = pull_progress::resolve_new(&mut app, &context.ui, &stated.pods)?;
    stated.images = images;
    let mut narrator = Narrator::new(&mut context.ui, args.output.is_json(), false);
    let report = app.seed(stated, unpulled, &mut |progress| narrator.tell(progress))?;
    let code = narrator.finish(&report)?;
    loaded.failure("the others were seeded").map_or(Ok(code), Err)
}
