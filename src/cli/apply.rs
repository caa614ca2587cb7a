//! `tank apply`: make pods desired, and make it so.

use clap::Args;

use super::flags::{Files, Lock, Output, Wait};
use super::input::{self, Purpose};
use super::pass::Narrator;
use super::pull_progress::{self, Fetch};
use super::{Context, Outcome};
use crate::app::{ApplyRequest, Label};

/// Create pods or change them to what a file says, and run one pass
///
/// Prints a line for every pod (created, configured or unchanged) and a summary of the pass. All
/// errors of the files are shown at once, and nothing is applied unless all of them are valid. A
/// step that fails stops the other steps of its pod only, and makes the exit code 1.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  tank apply -f web.toml              one file
  tank apply -f /etc/tank             every *.toml file of a directory
  tank get web | tank apply -f -      standard input; this one changes nothing
  tank apply -f web.toml --wait=2m    return when the pods are ready
  tank apply -f /etc/tank --prune-label site=shop
                                      and delete those of the label that have no file any more")]
pub struct ApplyArgs {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    wait: Wait,
    /// Where a pod that was changed is not ready in time, make it what it was before, unless somebody
    /// else has changed it since; the exit code is 1 all the same
    #[arg(long, requires = "wait", conflicts_with = "dry_run")]
    rollback_on_failure: bool,
    /// Delete the pods with this label that the files do not name
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    prune_label: Option<Label>,
    /// Say what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    lock: Lock,
    #[command(flatten)]
    output: Output,
}

/// Runs the verb.
pub fn run(args: ApplyArgs, context: &mut Context) -> Outcome {
    let loaded = input::load(&mut context.ui, &args.files.files, Purpose::Apply)?;
    let mut stated = loaded.all_valid("nothing was applied")?;
    let mut app =
        if args.dry_run { context.open_for_plan(args.lock)? } else { context.open(args.lock)? };
    let ApplyArgs { dry_run, rollback_on_failure, prune_label: prune, .. } = args;
    let request = ApplyRequest { wait: args.wait.wait, dry_run, rollback_on_failure, prune };
    let fetch = if args.dry_run { Fetch::Nothing } else { Fetch::Images };
    stated.images = pull_progress::resolve(&mut app, &context.ui, &stated.pods, fetch)?;
    let mut narrator = Narrator::new(&mut context.ui, args.output.is_json(), args.dry_run);
    let report = app.apply(stated, &request, &mut |progress| narrator.tell(progress))?;
    Ok(narrator.finish(&report)?)
}

fn label(text: &str) -> Result<Label, LabelError> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok(Label { name: name.to_owned(), value: value.to_owned() })
        }
        _ => Err(LabelError),
    }
}

/// A text that is not a label with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write NAME=VALUE")]
struct LabelError;
